"""The laws of what goes back after the purchase: gifts that are kept, and units that stay sold and became cheaper."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.offer.pricing.test_choosing import PRICES, QUANTITIES, promotions
from tests.offer.pricing.test_laws import POINTS, festival_of
from tests.offer.promotions import amount_off, entry, priced, promotion, rules_of
from tidegate.offer.campaign.contracts import Gift, GiftPolicy, Promotion
from tidegate.offer.pricing.contracts import PricedLine, PricedOrder
from tidegate.offer.pricing.protecting import Lowered, Protected, lowered
from tidegate.offer.pricing.refunding import plan_refund


def gifted() -> PricedOrder:
    """Three cups for 30.00 each, and a tray worth 20.00 with each 60.00 of them."""
    listed = [promotion("TRAY", Gift(sku="TRAY", reach=6_000, every=True), skus=["CUP"])]
    return priced(rules_of({"CUP": 3_000, "TRAY": 2_000}, listed), {"CUP": 3})


def test_a_gift_that_is_kept_costs_its_price_in_proportion() -> None:
    order, back, got = gifted(), {"CUP": 0}, []
    for _ in range(3):
        plan = plan_refund(order, back, {"CUP": 1}, GiftPolicy.PAY)
        got.append((plan.amount, plan.withheld, sum(gift.units for gift in plan.gifts)))
        back["CUP"] += 1
    assert got == [(2_334, 666, 0), (2_333, 667, 0), (2_333, 667, 1)]
    assert plan_refund(order, {}, {"CUP": 3}, GiftPolicy.PAY).amount == 7_000
    assert plan_refund(order, {}, {"CUP": 3}, GiftPolicy.KEEP).amount == 9_000


def test_a_gift_that_comes_back_later_brings_what_was_kept_for_it() -> None:
    order = gifted()
    plan = plan_refund(order, {"CUP": 2}, {"TRAY": 1}, GiftPolicy.PAY)
    assert (plan.amount, plan.withheld) == (1_333, -1_333)
    assert plan_refund(order, {"CUP": 2, "TRAY": 1}, {"CUP": 1}, GiftPolicy.PAY).amount == 3_000


@settings(max_examples=150)
@given(PRICES, promotions(), QUANTITIES, st.data())
def test_any_path_to_the_same_returns_brings_the_same(
    prices: dict[str, int], listed: list[Promotion], quantities: dict[str, int], data: st.DataObject
) -> None:
    listed = [*listed, promotion("GIFT2", Gift(sku="C", reach=50, quantity=2), skus=["A", "C"])]
    order = priced(festival_of(prices, listed, 0), quantities, POINTS)
    goal = {line.sku: data.draw(st.integers(0, line.quantity)) for line in order.lines}
    parts = []
    for sku, most in goal.items():
        cuts = sorted(data.draw(st.lists(st.integers(0, most), max_size=2)))
        parts += [(sku, last - first) for first, last in pairwise([0, *cuts, most])]
    back: dict[str, int] = {}
    amount = points = withheld = 0
    for sku, units in data.draw(st.permutations(parts)):
        plan = plan_refund(order, back, {sku: units}, GiftPolicy.PAY)
        assert plan.amount >= 0 <= plan.points
        amount, points, withheld = amount + plan.amount, points + plan.points, withheld + plan.withheld
        back[sku] = back.get(sku, 0) + units
    once = plan_refund(order, {}, goal, GiftPolicy.PAY)
    assert (amount, points, withheld) == (once.amount, once.points, once.withheld)
    assert 0 <= withheld <= sum(gift.units * gift.value for gift in order.gifts)
    assert amount + withheld == plan_refund(order, {}, goal, GiftPolicy.KEEP).amount


@given(PRICES, promotions(), QUANTITIES, st.data())
def test_what_was_given_back_of_kept_units_never_goes_back_again(
    prices: dict[str, int], listed: list[Promotion], quantities: dict[str, int], data: st.DataObject
) -> None:
    order = priced(festival_of(prices, listed, 0), quantities, POINTS)
    back = {line.sku: data.draw(st.integers(0, line.quantity)) for line in order.lines}
    amount = plan_refund(order, {}, back).amount
    now, given_back = order, 0
    for _ in range(2):
        given_now = [
            Lowered(line.sku, back[line.sku], line.quantity - back[line.sku], data.draw(st.integers(0, most)))
            for line in now.lines
            if (most := line.paid_for(back[line.sku], line.quantity - back[line.sku])) > 0
        ]
        now, given_back = lowered(now, given_now), given_back + sum(each.amount for each in given_now)
    for line in now.lines:
        assert sum(share.units for share in line.shares) == line.quantity
        assert sum(share.units * share.paid for share in line.shares) == line.payable
        assert all(share.paid >= 0 for share in line.shares)
    rest = {line.sku: line.quantity - back[line.sku] for line in order.lines}
    assert amount + given_back + plan_refund(now, back, rest).amount == order.total


def test_a_line_of_9999_units_stays_a_few_shares() -> None:
    order = priced(rules_of({"A": 799}, [promotion("P", amount_off(10_000, 5_000))]), {"A": 9_999})
    (line,) = lowered(order, [Lowered("A", 100, 9_899, 12_345)]).lines
    assert isinstance(line, PricedLine)
    assert len(line.shares) <= 6
    assert line.paid_for(0, 100) == order.lines[0].paid_for(0, 100)
    assert line.payable == order.lines[0].payable - 12_345


def test_more_than_was_paid_is_never_given_back() -> None:
    order = priced(rules_of({"A": 100}, [], entries=[entry("A", 100)]), {"A": 2})
    with pytest.raises(ValueError, match="more than its units had paid"):
        lowered(order, [Lowered("A", 1, 1, 101)])
    assert Protected("A", 0, 1, paid=100, today=30, by_points=60).refund == 40
    assert Protected("A", 0, 1, paid=100, today=130).refund == 0
