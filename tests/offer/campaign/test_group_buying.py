"""`[[group_buy]]`: what it means, how each fault is named, how it is written back, and what the rules say of it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.campaign.promotions_made import festival
from tests.offer.campaign.test_definition import FESTIVAL, faults, line, read
from tests.offer.campaign.test_presales import RESERVED
from tests.offer.campaign.test_writing import read_back
from tests.offer.festivals import goods, version
from tidegate.offer.campaign.contracts import GroupBuy
from tidegate.offer.campaign.group_buying import span_words
from tidegate.offer.campaign.rules import find_faults
from tidegate.offer.campaign.terms import published_rules
from tidegate.offer.campaign.writing import write_definition

GROUPED = """
[[goods]]
sku = "KETTLE-3"
name = { zh = "三人团水壶", en = "Kettle for three" }
description = { zh = "一起买。", en = "Bought together." }
category = "kitchen"
brand = "Murmur"
list_price = "129.00"
floor = "50.00"

[[group_buy]]
sku = "KETTLE-3"
price = "89.00"
size = 3
hours = 24
quota = 300
per_buyer = 2
"""
TEXT = FESTIVAL + GROUPED


def test_it_means_what_it_says() -> None:
    definition = read(TEXT)
    assert definition.group_buys == (
        GroupBuy(sku="KETTLE-3", price=8_900, size=3, fill_seconds=86_400, quota=300, per_buyer=2),
    )
    assert definition.quotas()["KETTLE-3"] == 300
    assert read(TEXT.replace("hours = 24", 'fills_within = "90 s"')).group_buys[0].fill_seconds == 90


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("size = 3", "size = 1", "group_buy.size: 1 is out of range; a group has 2 to 100"),
        ("quota = 300", "quota = 2", "group_buy.quota: 2 units are fewer than one group of 3 needs"),
        ("per_buyer = 2", "per_buyer = 301", "group_buy.per_buyer: 301 is more than the quota of 300"),
        ('price = "89.00"', 'price = "0.00"', "group_buy.price: a price is more than nothing"),
        (
            'price = "89.00"',
            'price = "130.00"',
            "group_buy.price: CN¥130.00 is above the list price of KETTLE-3, CN¥129.00",
        ),
        ('price = "89.00"', 'price = "49.00"', "group_buy.price: CN¥49.00 is below the floor of KETTLE-3, CN¥50.00"),
        (
            "hours = 24",
            "hours = 169",
            "group_buy.hours: is out of range; it is 30 seconds to 168 hours",
        ),
        ("hours = 24", "", 'group_buy.hours: is missing; write hours = 24, or fills_within = "30 min"'),
    ],
)
def test_each_fault_is_named(was: str, becomes: str, fault: str) -> None:
    head, _, tail = TEXT.partition("[[group_buy]]")
    [found] = faults(head + "[[group_buy]]" + tail.replace(was, becomes))
    assert found.endswith(fault)


def test_a_sku_is_sold_to_groups_or_alone_and_once() -> None:
    alone = TEXT.replace('[[group_buy]]\nsku = "KETTLE-3"', '[[group_buy]]\nsku = "KETTLE-1"')
    [found] = faults(alone)
    assert found.startswith(f"festival.toml:{line('[[group_buy]]', alone) + 1}: group_buy.sku: ")
    assert "give the goods for groups a SKU of their own" in found
    [twice] = faults(TEXT + GROUPED[GROUPED.index("[[group_buy]]") :])
    assert 'SKU "KETTLE-3" stands here twice' in twice
    [unknown] = faults(TEXT.replace('[[group_buy]]\nsku = "KETTLE-3"', '[[group_buy]]\nsku = "NOPE"'))
    assert 'there are no goods with the SKU "NOPE"' in unknown


def test_a_sku_is_sold_to_groups_or_in_presale_for_its_stock_is_one() -> None:
    presale = RESERVED[RESERVED.index("[[presale]]") :]
    for was, now in (("BOAT-1", "KETTLE-3"), ("1000.00", "129.00"), ("200.00", "20.00"), ("100.00", "10.00")):
        presale = presale.replace(was, now)
    both = TEXT + presale
    [found] = faults(both)
    assert found.startswith(f"festival.toml:{line('[[group_buy]]', both) + 1}: group_buy.sku: ")
    assert '"KETTLE-3" is a [[presale]] already, and a SKU has one stock' in found


def test_a_campaign_may_sell_to_groups_only() -> None:
    made = read(TEXT)
    only = msgspec.structs.replace(made, offers=(), limits=(), coupons=())
    assert [str(fault) for fault in find_faults(only)] == []
    nothing = msgspec.structs.replace(only, group_buys=())
    assert "write at least one [[offer]], [[presale]], [[group_buy]] or an offers_file" in str(find_faults(nothing)[0])


def test_the_published_rules_state_it() -> None:
    rules = published_rules(version(read(TEXT)))
    [terms] = rules.group_buys
    assert terms.words.en == (
        "CN¥89.00 each in a group of 3; all paid within 24 hours; 300 units in all; 2 for each buyer."
    )
    assert terms.words.zh == "3 人成团，每件 ¥89.00；限时 24 小时内付齐；共 300 件；每人限购 2 件。"
    assert any(each.en.startswith("Group buying:") for each in rules.statements)


@pytest.mark.parametrize(
    ("seconds", "words"), [(86_400, "24 hours"), (3_600, "1 hour"), (5_400, "90 minutes"), (61, "61 seconds")]
)
def test_a_span_is_written_in_the_largest_unit_that_is_exact(seconds: int, words: str) -> None:
    assert span_words(seconds).en == words


@given(st.integers(2, 100), st.integers(30, 604_800), st.integers(100, 9_999), st.integers(0, 100))
def test_it_is_written_back_as_it_is(size: int, seconds: int, quota: int, per_buyer: int) -> None:
    plain = festival(())
    group_buy = GroupBuy(sku="GRP-1", price=8_900, size=size, fill_seconds=seconds, quota=quota, per_buyer=per_buyer)
    definition = msgspec.structs.replace(plain, goods=(*plain.goods, goods("GRP-1")), group_buys=(group_buy,))
    assert read_back(write_definition(definition)).group_buys == (group_buy,)
