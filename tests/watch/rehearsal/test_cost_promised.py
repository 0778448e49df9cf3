"""What presales, group buys and price protection cost on an order log, and what is said where it cannot tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import pytest
from rich.console import Console
from tests.offer.festivals import START, definition, goods, offer
from tests.offer.promotions import amount_off, percent_off, promotion
from tests.offer.slots_made import flash, slot
from tests.sale.groups import company
from tests.sale.presale import presales_made

from tidegate.offer.campaign.contracts import CampaignDefinition, PriceProtection, Promotion, Selection
from tidegate.watch.rehearsal.cost import cost_of
from tidegate.watch.rehearsal.cost_command import print_cost
from tidegate.watch.rehearsal.cost_contracts import CostReport, Method, PromisedCost, Purchase
from tidegate.watch.rehearsal.cost_words import promised_name, promised_words

SALE_HOURS = 72
Bought = tuple[int, str, Mapping[str, int]]


def report_of(of: CampaignDefinition, *bought: Bought) -> CostReport:
    """The report on purchases at hours of the sale: one before and one after them keep the log's time as it is."""
    edges = (Purchase("first", START, {"OTHER": 1}), Purchase("last", _at(SALE_HOURS), {"OTHER": 1}))
    return cost_of(of, [*edges, *(Purchase(account, _at(hour), units) for hour, account, units in bought)])


def cost_on(of: CampaignDefinition, *bought: Bought) -> PromisedCost:
    """The only promise of a festival, on these purchases."""
    (cost,) = report_of(of, *bought).promised
    return cost


def _at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def test_a_presale_costs_what_its_deposit_counts_for_beyond_itself() -> None:
    boat = presales_made.SKU
    found = cost_on(presales_made.festival(), (1, "one", {boat: 3}), (2, "two", {boat: 1}), (3, "one", {boat: 1}))
    assert found == PromisedCost(
        method=Method.PRESALE,
        sku=boat,
        asked=3,
        orders=2,
        units=3,
        off=3 * 10_000,
        at_most=10 * 10_000,
        left_out=2,
        below_list=3 * 20_000,
    )


def test_a_presale_ends_with_its_quota() -> None:
    of = presales_made.festival(presales_made.presale(quota=2, per_buyer=0))
    found = cost_on(of, (1, "one", {presales_made.SKU: 9}))
    assert (found.units, found.left_out, found.off, found.at_most) == (2, 7, 20_000, 20_000)


def test_only_groups_that_fill_in_time_cost_something() -> None:
    kettle = company.SKU
    found = cost_on(
        company.festival(),
        (0, "one", {kettle: 1}),
        (10, "two", {kettle: 2}),
        (10, "one", {kettle: 1}),  # is in the first group, and opens another
        (20, "three", {kettle: 1}),  # fills the first
        (33, "four", {kettle: 1}),
        (34, "five", {kettle: 1}),  # the second is over by now
    )
    assert (found.groups, found.groups_filled, found.asked) == (3, 1, 7)
    assert (found.orders, found.units, found.off) == (3, 4, 4 * (10_000 - company.PRICE))
    assert found.at_most == 300 * (10_000 - company.PRICE)


def test_what_failed_groups_held_is_free_again() -> None:
    kettle = company.SKU
    of = company.festival(size=2, quota=3, per_buyer=2)
    found = cost_on(
        of,
        (0, "one", {kettle: 3}),  # two at most
        (25, "one", {kettle: 2}),  # the first group has failed
        (26, "two", {kettle: 2}),  # one is left
    )
    assert (found.asked, found.left_out) == (2 + 2 + 1, 1 + 0 + 1)
    assert (found.groups, found.groups_filled, found.units) == (2, 1, 3)


def _protected(days: int, *made: Promotion, promised: Sequence[str] = ()) -> CampaignDefinition:
    of = definition([offer("A", 8_000), offer("B", 4_000)], entries=[goods("A"), goods("B")])
    return msgspec.structs.replace(
        of, promotions=made, price_protection=PriceProtection(days=days, goods=Selection(skus=tuple(promised)))
    )


_LATER = promotion("later", amount_off(10_000, 1_000), starts_at=_at(24), ends_at=_at(48))


@pytest.mark.parametrize(
    ("days", "bought", "back"),
    [
        (2, (1, "one", {"A": 2}), 1_000),
        (2, (1, "one", {"A": 1}), 0),  # does not reach it
        (2, (30, "one", {"A": 2}), 0),  # has it
        (2, (49, "one", {"A": 2}), 0),  # over
        (1, (0, "one", {"A": 2}), 0),  # begins when the promise ends
        (1, (1, "one", {"A": 2}), 1_000),
    ],
)
def test_the_largest_later_difference_goes_back(days: int, bought: Bought, back: int) -> None:
    found = cost_on(_protected(days, _LATER), bought)
    assert (found.off, found.orders, found.moments, found.days) == (back, 1 if back else 0, 2, days)


def test_of_several_later_prices_the_lowest_counts_for_each_line() -> None:
    first = promotion("first", percent_off(1_000), skus=("A",), starts_at=_at(10), ends_at=_at(20))
    second = promotion("second", percent_off(500), starts_at=_at(20), ends_at=_at(30))
    found = cost_on(_protected(3, first, second), (1, "one", {"A": 1, "B": 1}))
    assert (found.off, found.units, found.moments) == (800 + 200, 2, 3)


def test_goods_without_the_promise_and_prices_of_slots_bring_nothing() -> None:
    cheap = flash(slot("noon", 60 * 12, 60, 100))
    assert cost_on(_protected(3, cheap), (1, "one", {"A": 1})).off == 0
    later = promotion("later", percent_off(1_000), starts_at=_at(24))
    of = _protected(3, later, promised=["B"])
    assert cost_on(of, (1, "one", {"A": 1, "B": 1})).off == 400


def test_promises_are_in_no_other_figure() -> None:
    of = msgspec.structs.replace(_protected(3, _LATER), group_buys=company.festival().group_buys)
    of = msgspec.structs.replace(of, goods=(*of.goods, goods(company.SKU)))
    report = report_of(of, (1, "one", {"A": 2, company.SKU: 1}), (2, "two", {company.SKU: 1}))
    assert (report.orders, report.paid, report.at_list_price, report.lines_unmatched) == (1, 16_000, 20_000, 2)
    assert [each.method for each in report.promised] == [Method.GROUP_BUY, Method.PRICE_PROTECTION]
    assert sum(each.off for each in report.promotions) == report.at_list_price - report.paid


def test_what_a_log_cannot_tell_is_said_with_the_most_that_it_could_be() -> None:
    presale, groups, protection = (
        cost_on(of) for of in (presales_made.festival(), company.festival(), _protected(3, _LATER))
    )
    assert promised_words(presale, "CNY").en == (
        "Not in the log: nobody bought it, so nothing can be reckoned. With the whole quota sold at most CN¥1,000.00."
    )
    assert promised_words(groups, "CNY").zh == (
        "日志中没有：无人购买该商品，无法推算。全部限量售出且每团都成团时至多 ¥12,300.00。"
    )
    assert promised_words(protection, "CNY").en.startswith("Not in the log: nobody bought goods that it is about")
    assert promised_name(presale).zh == f"预售 {presales_made.SKU}"
    assert promised_name(protection).en == "Price protection"


def test_the_method_stands_beside_the_figure() -> None:
    kettle = company.SKU
    found = cost_on(company.festival(size=2), (1, "one", {kettle: 1}), (2, "two", {kettle: 1}), (3, "one", {kettle: 1}))
    assert "1 of 2 groups filled, 3 units asked for." in promised_words(found, "CNY").en
    assert "共开 2 团，成团 1 团；请求 3 件。" in promised_words(found, "CNY").zh
    reckoned = promised_words(cost_on(_protected(1, _LATER), (1, "one", {"A": 2})), "CNY")
    assert "(2 such moments in this sale)" in reckoned.en
    assert "within 1 day after it" in reckoned.en
    assert "1 天内" in reckoned.zh
    unmoved = promised_words(cost_on(_protected(1), (1, "one", {"A": 2})), "CNY")
    assert unmoved.en.startswith("No promotion begins or ends within the sale")


def test_the_table_prints_figures_and_methods() -> None:
    boat = presales_made.SKU
    report = report_of(presales_made.festival(), (1, "one", {boat: 1}))
    wide = Console(width=300)
    with wide.capture() as shown:
        print_cost(report, wide)
    (row,) = [line for line in shown.get().splitlines() if boat in line]
    assert "CN¥100.00" in row
    assert "taken to reserve it" in row
