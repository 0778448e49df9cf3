"""The price history on the real database: appended once, never changed, asked like brute force."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import psycopg
import pytest

from tests.offer.festivals import START, definition, goods, offer
from tests.offer.slots_made import flash, slot
from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.history.api import PriceHistory
from tidegate.offer.history.contracts import Deal, Evidence
from tidegate.offer.history.errors import PricesFaulty, PricesImported

HEAD = "kind,sku,shop,currency,price,units,at,until\n"
ROWS = HEAD + (
    "deal,A,,CNY,79.00,3,2026-11-05T10:00:00+08:00,\n"
    "list,A,,CNY,99.00,,2026-10-01T00:00:00+08:00,\n"
    "offered,A,north,CNY,89.00,,2026-10-01T00:00:00+08:00,2026-10-08T00:00:00+08:00\n"
)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def campaign(clock: ManualClock, outbox: Outbox) -> Campaign:
    return Campaign(clock, outbox)


@pytest.fixture
def history(clock: ManualClock, campaign: Campaign, outbox: Outbox) -> PriceHistory:
    found = PriceHistory(clock, campaign, place_of=lambda _: "CN", reachable=lambda _: {"A": 7_000})
    found.subscribe(outbox)
    return found


def deal(sku: str, price: int, units: int, at: datetime, shop: str = "") -> Deal:
    return Deal(sku=sku, shop=shop, currency="CNY", price=price, units=units, at=at, source="campaign:x")


async def record(db: Database, history: PriceHistory, *deals: Deal) -> None:
    async with db.transaction() as tx:
        await history.record_deals(tx, deals)


async def publish(db: Database, campaign: Campaign, outbox: Outbox, of: CampaignDefinition) -> None:
    async with db.transaction() as tx:
        await campaign.publish(tx, of, "Lin Yue")
    while not await outbox.drained(db):
        await outbox.deliver(db, "history")


async def test_questions_are_answered_like_brute_force(db: Database, history: PriceHistory) -> None:
    random = Random(7)
    now = datetime(2026, 11, 11, tzinfo=UTC)
    deals = [
        deal(random.choice("AB"), random.randint(1, 99), 1, now - timedelta(hours=random.randint(0, 24 * 12)))
        for _ in range(300)
    ]
    for place in range(0, 300, 50):
        await record(db, history, *deals[place : place + 50])
    async with db.read() as tx:
        for hours in range(0, 24 * 12, 11):
            until = now - timedelta(hours=hours)
            found = await history.evidence(tx, [("A", ""), ("B", ""), ("C", "")], "CNY", days=3, until=until)
            assert found.keys() <= {"A", "B"}
            for sku in "AB":
                before = [each for each in deals if each.sku == sku and each.at < until]
                within = [each.price for each in before if each.at >= until - timedelta(days=3)]
                last_at = max((each.at for each in before), default=None)
                last = min((each.price for each in before if each.at == last_at), default=None)
                answer = found.get(sku, Evidence())
                assert (answer.lowest_deal, answer.last_deal, answer.last_deal_at) == (
                    min(within, default=None),
                    last,
                    last_at,
                )
        check = await history.verify(tx)
    assert check.holds
    assert check.examined > 250


async def test_those_who_append_at_once_make_one_chain(db: Database, history: PriceHistory) -> None:
    await asyncio.gather(*(record(db, history, deal("A", price, 1, START)) for price in range(1, 21)))
    async with db.read() as tx:
        entries = await history.entries(tx, "A")
        check = await history.verify(tx)
    assert [each.number for each in entries] == list(range(20, 0, -1))
    assert {each.entry.price for each in entries} == set(range(1, 21))
    assert (check.holds, check.examined) == (True, 20)


async def test_a_publication_is_recorded_once_and_only_what_changed(
    db: Database, clock: ManualClock, history: PriceHistory, campaign: Campaign, outbox: Outbox
) -> None:
    first = definition([offer("A", 8_000)])
    await publish(db, campaign, outbox, first)
    await publish(db, campaign, outbox, first)
    async with db.read() as tx:
        before = await history.entries(tx, "A")
    assert [(each.entry.kind.value, each.entry.price) for each in before] == [
        ("reachable", 7_000),
        ("offered", 8_000),
        ("list", 10_000),
    ]
    clock.advance(seconds=3_600)
    await publish(db, campaign, outbox, definition([offer("A", 8_000)], entries=[goods("A", 12_000)]))
    async with db.read() as tx:
        [newest, *_] = await history.entries(tx, "A")
        assert (newest.entry.kind.value, newest.entry.price, newest.number) == ("list", 12_000, 4)
        found = await history.evidence(tx, [("A", "")], "CNY", days=30, until=START + timedelta(days=1))
        assert (found["A"].lowest_list, found["A"].lowest_offered) == (10_000, 8_000)
        assert all(check.holds for check in await history.check(tx))


async def test_slots_are_stated_once_and_the_lowest_of_a_time_is_that_of_its_slot(
    db: Database, clock: ManualClock, history: PriceHistory, campaign: Campaign, outbox: Outbox
) -> None:
    slots = flash(slot("one", 60, 60, 5), slot("two", 240, 60, 5))
    first = msgspec.structs.replace(definition([offer("A", 8_000)]), promotions=(slots,))
    await publish(db, campaign, outbox, first)
    clock.advance(seconds=60)
    await publish(db, campaign, outbox, msgspec.structs.replace(first, payment_minutes=20))
    async with db.read() as tx:
        said = [each.entry.price for each in await history.entries(tx, "A") if each.entry.kind.value == "offered"]
        assert said == [8_000, 5_000, 8_000, 5_000, 8_000]
        for days, hours, lowest in ((1, 1, 8_000), (1, 2, 5_000), (1, 30, 8_000), (2, 30, 5_000)):
            found = await history.evidence(tx, [("A", "")], "CNY", days=days, until=START + timedelta(hours=hours))
            assert found["A"].lowest_offered == lowest
        assert all(check.holds for check in await history.check(tx))


async def test_another_shop_or_place_is_another_product(db: Database, history: PriceHistory) -> None:
    at = START - timedelta(days=1)
    await record(db, history, deal("A", 500, 1, at, shop="north"))
    async with db.read() as tx:
        assert await history.evidence(tx, [("A", "")], "CNY", days=7, until=START) == {}
        assert await history.evidence(tx, [("A", "north")], "EUR", days=7, until=START) == {}
        found = await history.evidence(tx, [("A", "north")], "CNY", days=7, until=START)
    assert found["A"].lowest_deal == 500


@pytest.mark.parametrize("table", ["history.entry", "history.import"])
@pytest.mark.parametrize("change", ["update {} set sha = 'x'", "delete from {}", "truncate {}"])
async def test_nothing_recorded_can_be_changed(db: Database, history: PriceHistory, table: str, change: str) -> None:
    async with db.transaction() as tx:
        await history.import_prices(tx, ROWS, file="earlier.csv", by="Lin Yue")
    column = "sku" if table == "history.entry" else "file"
    with pytest.raises(psycopg.errors.RestrictViolation):
        async with db.transaction() as tx:
            await tx.execute(change.replace("sha", column).format(table).encode())
    async with db.read() as tx:
        assert len(await history.entries(tx, "A")) == 3


async def test_a_change_behind_the_guard_shows(db: Database, history: PriceHistory) -> None:
    for price in (1, 2, 3):
        await record(db, history, deal("A", price, 1, START))
    async with db.transaction() as tx:
        await tx.execute("alter table history.entry disable trigger entry_is_immutable")
        await tx.execute("update history.entry set price = 9 where number = 2")
        [check] = await history.check(tx)
        assert (check.holds, check.detail) == (False, "entry 2")
        await tx.execute("delete from history.entry where number = 2")
        check = await history.verify(tx)
    assert (check.holds, check.detail) == (False, "entry 3")


async def test_an_import_is_taken_once_and_whole(db: Database, history: PriceHistory) -> None:
    async with db.transaction() as tx:
        added = await history.import_prices(tx, ROWS, file="earlier.csv", by="Lin Yue")
    assert (added.entries, added.products) == (3, 2)
    with pytest.raises(PricesImported):
        async with db.transaction() as tx:
            await history.import_prices(tx, ROWS, file="again.csv", by="Lin Yue")
    async with db.read() as tx:
        until = datetime(2026, 11, 9, tzinfo=UTC)
        found = await history.evidence(tx, [("A", "")], "CNY", days=7, until=until)
        other = await history.evidence(tx, [("A", "north")], "CNY", days=40, until=until)
        assert len(await history.entries(tx, "A")) == 3
    assert (found["A"].lowest_deal, found["A"].lowest_list) == (7_900, 9_900)
    assert other["A"].lowest_offered == 8_900


async def test_a_faulty_import_adds_nothing(db: Database, history: PriceHistory) -> None:
    rows = HEAD + (
        "deal,A,,CNY,79.005,3,2026-11-05T10:00:00+08:00,\n"
        "sold,A,,CNY,79,3,2026-11-05T10:00:00+08:00,\n"
        "deal,A,,CNY,79,0,2026-11-05T10:00:00+08:00,\n"
        "deal,A,,CNY,79,1,2026-11-05T10:00:00,\n"
        "deal,A,,CNY,79,1,2027-11-05T10:00:00+08:00,\n"
        "deal,A,,XXQ,79,1,2026-11-05T10:00:00+08:00,\n"
    )
    with pytest.raises(PricesFaulty) as refused:
        async with db.transaction() as tx:
            await history.import_prices(tx, rows, file="earlier.csv", by="Lin Yue")
    assert [fault[:5] for fault in refused.value.faults] == [f"row {row}" for row in range(2, 8)]
    with pytest.raises(PricesFaulty):
        async with db.transaction() as tx:
            await history.import_prices(tx, "kind,sku\n", file="short.csv", by="Lin Yue")
    async with db.read() as tx:
        assert await history.entries(tx, "A") == []
