"""The chain and the questions, against brute force."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import START, definition, goods, offer, version
from tests.offer.slots_made import flash, slot
from tests.sale.presale.presales_made import presale
from tidegate.offer.campaign.contracts import CampaignVersion, GroupBuy, Slot
from tidegate.offer.history import rules
from tidegate.offer.history.contracts import Deal, Entry, EntryKind

HOUR = timedelta(hours=1)
ZERO = datetime(2026, 10, 1, tzinfo=UTC)
HOURS = 40


def entry(price: int | None, at: int, until: int | None = None, kind: EntryKind = EntryKind.OFFERED) -> Entry:
    return Entry(
        kind=kind,
        sku="A",
        shop="",
        place="CN",
        currency="CNY",
        price=price,
        at=ZERO + at * HOUR,
        until=None if until is None else ZERO + until * HOUR,
        source="test",
    )


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    found = []
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, HOURS - 1))
        until = draw(st.none() | st.integers(at + 1, HOURS + 5))
        found.append(entry(draw(st.none() | st.integers(1, 20)), at, until))
    return found


def said_at(said: list[Entry], hour: int) -> int | None:
    """What holds in one hour, told hour by hour: the last word about it that was written, if it has not ended."""
    moment = ZERO + hour * HOUR
    held = None
    for each in said:
        if each.at <= moment:
            held = each
    return held.price if held and (held.until is None or moment < held.until) else None


@given(entries(), st.integers(0, HOURS), st.integers(0, HOURS))
def test_the_lowest_price_in_force_is_that_of_brute_force(said: list[Entry], since: int, until: int) -> None:
    told = [price for hour in range(since, until) if (price := said_at(said, hour)) is not None]
    assert rules.lowest_in_force(said, ZERO + since * HOUR, ZERO + until * HOUR) == min(told, default=None)


@given(entries(), st.integers(0, HOURS), st.integers(0, HOURS))
def test_the_lowest_usual_price_is_that_of_brute_force(said: list[Entry], since: int, until: int) -> None:
    told = [said_at(said, hour) for hour in range(200)]
    usual, first = [], 0
    for hour, price in enumerate(told):
        if hour + 1 == len(told) or told[hour + 1] != price:
            if price is not None and hour + 1 - first >= 24 and first < until and hour + 1 > since:
                usual.append(price)
            first = hour + 1
    assert rules.lowest_usual(said, ZERO + since * HOUR, ZERO + until * HOUR) == min(usual, default=None)


@given(entries(), st.integers(0, HOURS))
def test_what_is_in_force_is_that_of_brute_force(said: list[Entry], hour: int) -> None:
    held = rules.in_force(said, ZERO + hour * HOUR)
    assert (held.price if held else None) == said_at(said, hour)


@given(st.lists(entries(), min_size=1, max_size=3))
def test_a_chain_in_parts_is_the_chain_in_one(parts: list[list[Entry]]) -> None:
    whole = list(rules.seal([each for part in parts for each in part], 0, rules.GENESIS))
    number, previous, sealed = 0, rules.GENESIS, []
    for part in parts:
        sealed += list(rules.seal(part, number, previous))
        number, previous = (sealed[-1].number, sealed[-1].hash) if sealed else (0, rules.GENESIS)
    assert sealed == whole
    assert [each.number for each in whole] == list(range(1, len(whole) + 1))


def test_every_field_is_sealed() -> None:
    one = entry(100, 1, 5)
    others = [
        msgspec.structs.replace(one, **{name: value})
        for name, value in {
            "kind": EntryKind.LIST,
            "sku": "B",
            "shop": "x",
            "place": "EU",
            "currency": "EUR",
            "price": None,
            "units": 1,
            "at": ZERO,
            "until": None,
            "source": "other",
        }.items()
    ]
    hashes = {rules.hash_of(rules.GENESIS, 1, each) for each in [one, *others]}
    assert len(hashes) == len(others) + 1
    assert rules.hash_of(rules.GENESIS, 2, one) not in hashes


def test_a_version_states_its_prices_for_the_time_in_which_they_hold() -> None:
    of = version(definition([offer("A", 8_000)], entries=[goods("A"), goods("B", 500)]))
    before = START - timedelta(days=1)
    stated = rules.stated_by(of, {"A": 7_500}, "CN", before)
    ends_at = START + timedelta(days=3)
    assert [(each.kind.value, each.sku, each.price, each.at, each.until) for each in stated] == [
        ("list", "A", 10_000, before, None),
        ("list", "B", 500, before, None),
        ("offered", "A", 8_000, START, ends_at),
        ("reachable", "A", 7_500, START, ends_at),
    ]
    assert [each.kind.value for each in rules.stated_by(of, {}, "CN", ends_at)] == ["list", "list"]


def test_a_presale_is_offered_while_deposits_are_taken_for_it() -> None:
    begins = START - timedelta(days=14)
    made = msgspec.structs.replace(
        presale(), sku="P", deposit_from_at=begins, deposit_until_at=START - HOUR, balance_from_at=START
    )
    plain = definition([offer("A")], entries=[goods("A"), goods("P", 120_000)])
    of = version(msgspec.structs.replace(plain, presales=(made,)))
    for at, first in ((begins - HOUR, begins), (begins + HOUR, begins + HOUR)):
        said = [each for each in rules.stated_by(of, {"P": 90_000}, "CN", at) if each.sku == "P"]
        assert [(each.kind.value, each.price, each.at, each.until) for each in said] == [
            ("list", 120_000, at, None),
            ("offered", 90_000, first, START - HOUR),
            ("reachable", 90_000, first, START - HOUR),
        ]
        assert rules.lowest_in_force(said[1:2], START - 2 * HOUR, START) == 90_000
    over = [each for each in rules.stated_by(of, {"P": 90_000}, "CN", START) if each.sku == "P"]
    assert [each.kind.value for each in over] == ["list"]


def test_what_a_group_pays_is_a_price_that_was_offered() -> None:
    group_buy = GroupBuy(sku="G", price=5_900, size=3, fill_seconds=3_600, quota=30)
    plain = definition([offer("A")], entries=[goods("A"), goods("G")])
    said = rules.stated_by(version(msgspec.structs.replace(plain, group_buys=(group_buy,))), {}, "CN", START)
    assert [(each.sku, each.price) for each in said if each.kind is EntryKind.OFFERED] == [("A", 8_000), ("G", 5_900)]


def test_only_what_changed_is_written_and_what_is_withdrawn_ends() -> None:
    first = rules.stated_by(version(definition([offer("A"), offer("B")])), {}, "CN", START)
    last = {rules.key_of(each): each for each in first}
    later = START + HOUR
    assert rules.changes(first, last, later) == []
    second = rules.stated_by(version(definition([offer("A", 7_000)])), {}, "CN", later)
    news = rules.changes(second, last, later)
    assert [(each.kind.value, each.sku, each.price, each.at) for each in news] == [
        ("offered", "A", 7_000, later),
        ("offered", "B", None, later),
    ]
    assert rules.changes(second, last | {rules.key_of(each): each for each in news}, later + HOUR) == []


def in_slots(*slots: Slot, price: int = 5_000) -> CampaignVersion:
    plain = definition([offer("A", 8_000), offer("B")])
    return version(msgspec.structs.replace(plain, promotions=(flash(*slots, price=price),)))


def test_a_flash_price_holds_from_the_beginning_of_each_slot_to_its_end() -> None:
    of = in_slots(slot("two", 120, 60, 5), slot("one", 0, 60, 5))
    said = [each for each in rules.stated_by(of, {}, "CN", START - HOUR) if each.kind is EntryKind.OFFERED]
    ends_at = START + timedelta(days=3)
    assert [(each.price, each.at - START, each.until) for each in said if each.sku == "A"] == [
        (5_000, 0 * HOUR, START + HOUR),
        (8_000, HOUR, START + 2 * HOUR),
        (5_000, 2 * HOUR, START + 3 * HOUR),
        (8_000, 3 * HOUR, ends_at),
    ]
    assert [each.price for each in said if each.sku == "B"] == [8_000]
    mine = [each for each in said if each.sku == "A"]
    for hour, lowest in ((0.5, 5_000), (1.5, 8_000), (2.9, 5_000), (4, 8_000)):
        now = START + hour * HOUR
        assert rules.lowest_in_force(mine, now, now + timedelta(minutes=1)) == lowest
    # Published in the middle of a slot, it holds from then on; of those that are over nothing is said.
    late = [each for each in rules.stated_by(of, {}, "CN", START + 2.5 * HOUR) if each.sku == "A"]
    offered = [(each.price, each.at - START) for each in late if each.kind is EntryKind.OFFERED]
    assert offered == [(5_000, 2.5 * HOUR), (8_000, 3 * HOUR)]


def test_slots_that_stay_as_they_are_are_not_stated_again() -> None:
    of = in_slots(slot("one", 60, 60, 5), slot("two", 240, 60, 5))
    first = rules.stated_by(of, {}, "CN", START)
    last = {rules.key_of(each): each for each in first}
    key = next(rules.key_of(each) for each in first if each.kind is EntryKind.OFFERED and each.sku == "A")
    said = {key: [each for each in first if rules.key_of(each) == key]}
    for hour in (0.5, 1.5, 3):
        again = rules.stated_by(of, {}, "CN", START + hour * HOUR)
        assert rules.changes(again, last, START + hour * HOUR, said) == []
    cheaper = rules.stated_by(in_slots(slot("one", 60, 60, 5), slot("two", 240, 60, 5), price=4_000), {}, "CN", START)
    news = rules.changes(cheaper, last, START, said)
    assert [each.price for each in news] == [8_000, 4_000, 8_000, 4_000, 8_000]
    whole = [*said[key], *news]
    assert rules.lowest_in_force(whole, START, START + 3 * HOUR) == 4_000
    plain = rules.stated_by(version(definition([offer("A", 8_000), offer("B")])), {}, "CN", START)
    ended = rules.changes(plain, last, START, {})
    assert [(each.price, each.at) for each in ended] == [(8_000, START)]
    assert rules.lowest_in_force([*said[key], *ended], START, START + 72 * HOUR) == 8_000


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.integers(1, 9), st.integers(0, 2))))
def test_deals_keep_every_unit(sold: list[tuple[str, int, int, int]]) -> None:
    deals = [
        Deal(sku=sku, shop="", currency="CNY", price=price, units=units, at=ZERO + hour * HOUR, source="x")
        for sku, price, units, hour in sold
    ]
    found = rules.deals_as_entries(deals, lambda _: "CN")
    assert len({(each.sku, each.price, each.at) for each in found}) == len(found)
    assert sum(each.units for each in found) == sum(deal.units for deal in deals)
    assert min((each.price or 0 for each in found), default=0) == min((deal.price for deal in deals), default=0)
