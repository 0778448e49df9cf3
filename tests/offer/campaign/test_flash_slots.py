"""Flash prices in slots in the campaign file: how they are read, every fault with its line, and written back."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import START, definition, goods, offer
from tests.offer.slots_made import flash, slot
from tidegate.offer.campaign import rules
from tidegate.offer.campaign.api import write_definition
from tidegate.offer.campaign.contracts import CampaignDefinition, FlashPrice, Promotion, Slot
from tidegate.offer.campaign.definition import read_definition
from tidegate.offer.campaign.errors import DefinitionFaulty
from tidegate.offer.campaign.fault_words import fault_words

HEAD = """[[promotion]]
id = "kettle-slots"
label = { zh = "水壶秒杀", en = "Kettles by the hour" }
kind = "秒杀"
sku = "A"
price = "50.00"
"""


def of(*promotions: Promotion, quota: int = 100) -> CampaignDefinition:
    plain = definition([offer("A", 8_000, quota=quota), offer("B")], entries=[goods("A"), goods("B")])
    return msgspec.structs.replace(plain, promotions=promotions)


def read(rest: str) -> CampaignDefinition:
    """A file of the festival above with one flash price."""
    files = write_definition(of())
    texts = {"goods.csv": files.goods, "offers.csv": files.offers}
    return read_definition(
        files.campaign + "\n" + HEAD + rest, file="festival.toml", open_file=texts.__getitem__, now=START
    )


def benefit(definition: CampaignDefinition) -> FlashPrice:
    [promotion] = definition.promotions
    assert isinstance(promotion.benefit, FlashPrice)
    return promotion.benefit


def test_daily_windows_are_told_by_the_clock_of_the_zone() -> None:
    daily = 'daily = { first = 2026-11-11, last = 2026-11-13, at = ["10:00", "14:00"], lasts = "2 h" }\n'
    found = benefit(read(f"units = 9\nper_account = 1\ncarry_over = true\n{daily}"))
    assert (found.price, found.carry_over, found.coupons, len(found.slots)) == (5_000, True, False, 6)
    first = found.slots[0]
    assert first == Slot(
        name="20261111-1000",
        starts_at=datetime(2026, 11, 11, 2, tzinfo=UTC),
        ends_at=datetime(2026, 11, 11, 4, tzinfo=UTC),
        units=9,
        per_account=1,
    )
    berlin = benefit(read(f'units = 9\nzone = "Europe/Berlin"\n{daily}'))
    assert berlin.slots[1].starts_at == datetime(2026, 11, 11, 13, tzinfo=UTC)
    assert berlin.label(berlin.slots[1]).en == "11 Nov 14:00"


def test_named_slots_may_say_their_own_units() -> None:
    one, two, three, four = (f"{(START + timedelta(hours=hour)).isoformat()}" for hour in range(4))
    early = f'{{ name = "early", starts_at = {one}, ends_at = {two}, units = 3 }}'
    found = benefit(
        read(f"units = 9\nslots = [{early}, {{ starts_at = {three}, ends_at = {four}, per_account = 2 }}]\n")
    )
    assert [(each.name, each.units, each.per_account) for each in found.slots] == [
        ("early", 3, 0),
        ("20261111-1000", 9, 2),
    ]


def line_of(faulty: DefinitionFaulty) -> list[str]:
    return [str(fault) for fault in faulty.faults]


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("", "promotion.slots: is missing; write slots"),
        ('units = 1\nzone = "Mars"\nslots = []', 'promotion.zone: "Mars" is not a time zone'),
        ('daily = { first = 2026-11-11, at = ["25:00"], lasts = "2 h" }', '"25:00" is not a time of the day'),
        ('daily = { first = 2026-11-11, last = 2026-11-10, at = ["10:00"], lasts = "2 h" }', "makes 0 days"),
        ('daily = { first = 2026-11-11, lasts = "2 h" }', "is missing; write the times of a day"),
        ('daily = { first = 2026-11-11, at = ["10:00"], lasts = "long" }', '"long" is not a duration'),
        (
            'units = 3\ndaily = { first = 2026-11-12, at = ["10:00"], lasts = "0 s" }',
            "is nothing; write how long each slot lasts",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(rest: str, said: str) -> None:
    with pytest.raises(DefinitionFaulty) as refused:
        read(rest)
    [fault, *_] = [fault for fault in refused.value.faults if said in str(fault)]
    assert fault.file == "festival.toml"
    assert fault.line >= 39


@pytest.mark.parametrize(
    ("promotions", "path", "said"),
    [
        ([flash(slot("a", 0, 60, 5), slot("b", 30, 60, 5))], ("slots", 1, "starts_at"), 'overlaps slot "a" of "flash"'),
        ([flash(slot("a", -30, 60, 5))], ("slots", 0, "starts_at"), "is outside of the sale"),
        ([flash(slot("a", 0, 6_000, 5))], ("slots", 0, "ends_at"), "is outside of the sale"),
        ([flash(slot("a", 10, 0, 5))], ("slots", 0, "ends_at"), "not after its start"),
        ([flash(slot("a", 0, 9, 0))], ("slots", 0, "units"), "has no units"),
        ([flash(slot("a", 0, 9, 2, 3))], ("slots", 0, "per_account"), "3 for each account is more than the 2 units"),
        ([flash(slot("a", 0, 9, 60), slot("b", 10, 9, 60))], ("units",), "have 120 units together, its offer only 100"),
        ([flash(slot("a", 0, 9, 1), slot("a", 10, 9, 1))], ("slots", 1, "name"), 'slot "a" stands here twice'),
        ([flash(slot("A b", 0, 9, 1))], ("slots", 0, "name"), "is not a name"),
        ([flash(slot("a", 0, 9, 1), price=8_000)], ("price",), "is not below the price for everyone"),
        ([flash(slot("a", 0, 9, 1), price=0)], ("price",), "a price is more than nothing"),
        ([flash(slot("a", 0, 9, 1), sku="C")], ("sku",), '"C" is not on offer'),
        ([flash()], ("slots",), "there is no slot"),
        ([flash(slot("a", 0, 9, 1), starts_at=START)], ("starts_at",), "the slots say when"),
    ],
)
def test_each_contradiction_is_told_where_it_stands(
    promotions: list[Promotion], path: tuple[object, ...], said: str
) -> None:
    [fault] = rules.find_faults(of(*promotions))
    assert fault.path == ("promotion", 0, *path)
    assert said in fault.message
    words = fault_words(fault.message)
    assert words.zh != words.en


def test_two_promotions_have_no_slot_of_one_product_at_the_same_time_nor_more_units_than_it_has() -> None:
    both = [flash(slot("a", 0, 60, 60), name="one"), flash(slot("b", 30, 60, 60), name="two")]
    overlapping, too_many = rules.find_faults(of(*both))
    assert (overlapping.path, too_many.path) == (("promotion", 1, "slots", 0, "starts_at"), ("promotion", 1, "units"))
    beside = [flash(slot("a", 0, 60, 50), name="one"), flash(slot("b", 60, 60, 50), name="two", sku="A")]
    assert rules.find_faults(of(*beside)) == []


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 20), st.integers(1, 9), st.integers(0, 1)), min_size=1),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]),
)
def test_what_is_written_is_read_again(
    made: list[tuple[int, int, int, int]], carry_over: bool, coupons: bool, zone: str
) -> None:
    slots, start = [], 0
    for number, (gap, minutes, units, each) in enumerate(made[:20]):
        slots.append(slot(f"s-{number}", start + gap, minutes, units, each))
        start += gap + minutes
    written = of(flash(*slots, carry_over=carry_over, coupons=coupons, zone=zone), quota=1_000)
    files = write_definition(written)
    texts = {"goods.csv": files.goods, "offers.csv": files.offers}
    assert read_definition(files.campaign, file="x.toml", open_file=texts.__getitem__, now=START) == written
