"""`[[presale]]`: what it means, how each fault in it is named, and what the published rules say of it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.campaign.test_definition import FESTIVAL, faults, line, read
from tests.offer.campaign.test_writing import read_back
from tests.offer.festivals import version
from tests.sale.presale.presales_made import festival, presale
from tidegate.offer.campaign import rules
from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import Presale, Words
from tidegate.offer.campaign.presales import presale_faults
from tidegate.offer.campaign.rule_items import RuleKind, rule_items
from tidegate.offer.campaign.terms import published_rules
from tidegate.offer.campaign.writing import write_definition

RESERVED = """
[[goods]]
sku = "BOAT-1"
name = { zh = "龙舟", en = "Dragon boat" }
description = { zh = "可坐十二人。", en = "Seats twelve." }
category = "outdoor"
brand = "Murmur"
list_price = "1200.00"

[[presale]]
sku = "BOAT-1"
label = { zh = "龙舟预售", en = "Boats to come" }
price = "1000.00"
deposit = "100.00"
counts_for = "200.00"
quota = 50
per_buyer = 2
deposit_from_at = "start-7d"
deposit_until_at = "start"
balance_from_at = "start"
balance_until_at = "start+2d"
ships_by_at = "start+20d"
"""
START = datetime(2027, 3, 20, 2, tzinfo=UTC)


def test_it_means_what_it_says() -> None:
    [made] = read(FESTIVAL + RESERVED).presales
    assert made == Presale(
        sku="BOAT-1",
        label=Words("龙舟预售", "Boats to come"),
        price=100_000,
        deposit=10_000,
        counts_for=20_000,
        quota=50,
        per_buyer=2,
        deposit_from_at=START - timedelta(days=7),
        deposit_until_at=START,
        balance_from_at=START,
        balance_until_at=START + timedelta(days=2),
        ships_by_at=START + timedelta(days=20),
    )
    assert (made.balance, made.in_all) == (80_000, 90_000)


def test_a_campaign_without_presales_keeps_its_checksum() -> None:
    assert b"presale" not in rules.canonical(read())


@pytest.mark.parametrize(
    ("was", "now", "key", "said"),
    [
        ('deposit = "100.00"', 'deposit = "0.00"', "deposit", "a deposit is more than nothing"),
        ('deposit = "100.00"', 'deposit = "200.01"', "counts_for", "counts for less than the deposit that is paid"),
        ('counts_for = "200.00"', 'counts_for = "1000.00"', "counts_for", "counts for the whole price"),
        ('price = "1000.00"', 'price = "1300.00"', "price", "is above the list price of BOAT-1"),
        ("quota = 50", "quota = 0", "quota", "a quota is at least 1"),
        ("per_buyer = 2", "per_buyer = 51", "per_buyer", "51 is more than the quota of 50"),
        ('deposit_until_at = "start"', 'deposit_until_at = "start-7d"', "deposit_until_at", "is not after"),
        ('balance_from_at = "start"', 'balance_from_at = "start-1d"', "balance_from_at", "is not after"),
        ('ships_by_at = "start+20d"', 'ships_by_at = "start+1d"', "ships_by_at", "is not after"),
        ('sku = "BOAT-1"\nlabel', 'sku = "RAFT-1"\nlabel', "sku", 'there are no goods with the SKU "RAFT-1"'),
        ('sku = "BOAT-1"\nlabel', 'sku = "KETTLE-1"\nlabel', "sku", '"KETTLE-1" is on offer too'),
    ],
)
def test_each_fault_is_named_where_it_stands(was: str, now: str, key: str, said: str) -> None:
    text = FESTIVAL + RESERVED.replace(was, now)
    found = faults(text)
    place = line(f"\n{key} = ", text[text.index("[[presale]]") :]) + line("[[presale]]", text)
    assert any(each.startswith(f"festival.toml:{place}: presale.{key}: ") and said in each for each in found), found


def test_more_than_a_fifth_of_what_a_unit_costs_is_no_deposit_in_law() -> None:
    """90,000 fen in all allow 18,000; the price of 100,000 would allow 20,000, which nobody pays."""
    assert not list(presale_faults(festival(presale(deposit=17_500, counts_for=25_000))))
    [fault] = faults(FESTIVAL + RESERVED.replace('deposit = "100.00"', 'deposit = "200.00"').replace(
        'counts_for = "200.00"', 'counts_for = "300.00"'))  # fmt: skip
    assert "is more than 20 % of what a unit costs in all" in fault
    assert "Civil Code, article 586" in fault
    assert "write ¥180.00 or less" in fault.replace("CN¥", "¥")


@given(st.integers(2, 10**7), st.data())
def test_what_passes_is_lawful_and_leaves_something_to_pay(price: int, data: st.DataObject) -> None:
    deposit = data.draw(st.integers(1, price))
    counts_for = data.draw(st.integers(1, price))
    made = msgspec.structs.replace(
        festival(presale(price=price, deposit=deposit, counts_for=counts_for)), goods=_dear(price)
    )
    [reserved] = made.presales
    lawful = not list(presale_faults(made))
    assert lawful == (deposit <= counts_for < price and 5 * deposit <= reserved.in_all)
    if lawful:
        assert reserved.balance + reserved.deposit == reserved.in_all <= reserved.price


def _dear(price: int) -> tuple[object, ...]:
    return tuple(msgspec.structs.replace(each, list_price=max(price, 12_000)) for each in festival().goods)


LIMITED = """
[[limit]]
name = "few"
label = { zh = "限购", en = "Few" }
per_buyer = 1
all = true
"""


def test_a_limit_that_names_goods_in_presale_counts_reservations_and_says_so() -> None:
    text = FESTIVAL + RESERVED + LIMITED.replace("all = true", 'skus = ["KETTLE-1", "BOAT-1"]')
    words = published_rules(version(read(text))).limits[-1].words
    assert words.en == (
        "Few: at most 1 of these 2 products together, reservations in presale included until one ends without being "
        "an order, per buyer."
    )
    assert words.zh == "限购：以下 2 种商品（含预售预订，预订未成为订单而结束的退回）合计每人限购 1 件。"


@pytest.mark.parametrize("scope", ["per_address", "per_instrument"])
def test_goods_in_presale_cannot_be_limited_by_what_a_reservation_does_not_know(scope: str) -> None:
    limited = LIMITED.replace("all = true", 'skus = ["KETTLE-1", "BOAT-1"]').replace("per_buyer", scope)
    text = FESTIVAL + RESERVED + limited
    [fault] = faults(text)
    at = line('skus = ["KETTLE-1", "BOAT-1"]', text)
    assert fault == (
        f'festival.toml:{at}: limit.skus: "BOAT-1" is in presale, and a reservation has no address and no payment '
        "account yet; limit it per_buyer or per_device"
    )


def test_a_limit_of_everything_says_by_what_it_counts_presales() -> None:
    limited = LIMITED.replace("per_buyer = 1", "per_buyer = 1\nper_device = 2\nper_address = 3")
    beside = published_rules(version(read(FESTIVAL + RESERVED + limited))).limits[-1].words
    counted = "of everything on offer together, reservations in presale included until one ends without being an order,"
    assert beside.en == (
        f"Few: at most 1 {counted} per buyer; at most 2 {counted} per device; "
        "at most 3 of everything on offer together, without goods in presale, per delivery address."
    )
    assert beside.zh == (
        "限购：全部活动商品（含预售预订，预订未成为订单而结束的退回）合计每人限购 1 件，每台设备限购 2 件，"
        "全部活动商品（不含预售商品）合计每个收货地址限购 3 件。"
    )
    alone = published_rules(version(read(FESTIVAL + LIMITED))).limits[-1].words
    assert alone.en == "Few: at most 1 of everything on offer together per buyer."


def test_the_published_rules_say_who_loses_what() -> None:
    published = published_rules(version(read(FESTIVAL + RESERVED)))
    [terms] = published.presales
    assert (terms.balance, terms.in_all, terms.name) == (80_000, 90_000, Words("龙舟", "Dragon boat"))
    assert "the deposit is not returned" in terms.words.en
    assert "double the deposit goes back" in terms.words.en
    assert "双倍返还定金" in terms.words.zh
    assert "定金不予退还" in terms.words.zh
    said = " ".join(each.en for each in published.statements)
    assert "no coupons and no other promotions apply to it" in said


def test_it_is_among_the_rules_that_versions_are_compared_by() -> None:
    definition = read(FESTIVAL + RESERVED)
    items = rule_items(version(definition), Wording(definition))
    assert [item.key for item in items if item.kind is RuleKind.PRESALE] == ["BOAT-1"]


def test_it_reads_back_as_it_was_written() -> None:
    definition = read(FESTIVAL + RESERVED)
    assert read_back(write_definition(definition)) == definition
