"""The laws of a price with promotions, and the cases that other engines got wrong."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.offer.festivals import coupon, version
from tests.offer.pricing.test_choosing import PRICES, QUANTITIES, promotions
from tests.offer.promotions import (
    BUYER,
    FACTS,
    amount_off,
    cart_of,
    entry,
    festival,
    percent_off,
    platform,
    priced,
    promotion,
    rules_of,
)
from tidegate.base.errors import Refusal
from tidegate.base.money import allocate_within
from tidegate.offer.campaign.contracts import (
    Bearer,
    FreeShipping,
    Gift,
    MemberPrice,
    PointsOff,
    Promotion,
    Shipping,
)
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder, RuleSet
from tidegate.offer.pricing.errors import (
    CouponNotApplicable,
    CouponNotValid,
    CouponSavesNothing,
    CouponUsedUp,
    ThresholdNotMet,
)
from tidegate.offer.pricing.refunding import plan_refund
from tidegate.offer.pricing.rules import compile_rules, price_again, price_order

POINTS = msgspec.structs.replace(FACTS, points=500)
BEARERS = (Bearer("platform", 3_300), Bearer("shop", 6_700))


def festival_of(prices: dict[str, int], listed: list[Promotion], floor: int) -> RuleSet:
    """Those promotions with bearers, a gift and points, on goods of two shops with floors."""
    entries = [
        entry(sku, price, floor=min(floor, price), shop="north" if sku in "AB" else "south")
        for sku, price in prices.items()
    ]
    borne = [msgspec.structs.replace(each, bearers=BEARERS) for each in listed]
    more = [
        promotion("GIFT", Gift(sku="A", reach=100, every=True)),
        promotion("POINTS", PointsOff(points=3, share=5_000)),
    ]
    return rules_of(prices, [*borne, *more], entries=entries, shipping=Shipping(fee=30, free_from=150))


@settings(max_examples=150)
@given(PRICES, promotions(), QUANTITIES, st.sampled_from([0, 40]))
def test_every_amount_adds_up(
    prices: dict[str, int], listed: list[Promotion], quantities: dict[str, int], floor: int
) -> None:
    order = priced(festival_of(prices, listed, floor), quantities, POINTS)
    assert sum(step.amount for step in order.steps) == order.total > 0
    assert order.total == order.goods_total - order.discount_total + order.shipping
    assert sum(each.amount for each in order.reductions) == order.discount_total
    for reduction in order.reductions:
        assert sum(part for _, part in reduction.lines) == reduction.amount
        assert sum(part.amount for part in reduction.borne) == reduction.amount
        for shop in ("north", "south"):
            of_shop = sum(part for sku, part in reduction.lines if (sku in "AB") == (shop == "north"))
            assert sum(part.amount for part in reduction.borne if part.shop == shop) == of_shop
    for line in order.lines:
        paying = line.quantity - line.gifts
        amount = line.unit_price * paying
        assert 0 <= line.discount == amount - line.payable
        assert line.payable >= min(floor, prices[line.sku]) * paying
        assert line.discount == sum(part for each in order.reductions for sku, part in each.lines if sku == line.sku)
        assert sum(share.units for share in line.shares) == line.quantity
        assert sum(share.units * share.paid for share in line.shares) == line.payable
        assert all(0 <= share.paid <= line.unit_price for share in line.shares)


@given(PRICES, promotions(), QUANTITIES, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_rules_does_not_matter(
    prices: dict[str, int], listed: list[Promotion], quantities: dict[str, int], random: Random
) -> None:
    order = priced(festival_of(prices, listed, 10), quantities, POINTS)
    units = [CartLine(sku, 1) for sku, quantity in quantities.items() for _ in range(quantity)]
    random.shuffle(units)
    random.shuffle(listed)
    again = price_order(festival_of(prices, listed, 10), Cart(tuple(units)), POINTS)
    assert again == order
    assert again.trace_hash == order.trace_hash


@given(PRICES, promotions(), QUANTITIES)
def test_an_order_is_priced_again_from_what_it_keeps(
    prices: dict[str, int], listed: list[Promotion], quantities: dict[str, int]
) -> None:
    rules = festival_of(prices, listed, 0)
    facts = msgspec.structs.replace(POINTS, left={"double-11/promotion:P0": 0})
    order = priced(rules, quantities, facts)
    kept = msgspec.json.decode(msgspec.json.encode(order), type=PricedOrder)
    assert kept == order
    assert kept.facts is not None
    assert kept.facts.buyer is None
    again = priced(rules, quantities, kept.facts)
    assert (again.total, again.trace_hash) == (order.total, order.trace_hash)


@given(PRICES, promotions(), QUANTITIES, st.data())
def test_refunds_do_not_depend_on_their_path(
    prices: dict[str, int], listed: list[Promotion], quantities: dict[str, int], data: st.DataObject
) -> None:
    order = priced(festival_of(prices, listed, 0), quantities, POINTS)
    returns = []
    for line in order.lines:
        cuts = data.draw(st.lists(st.integers(0, line.quantity), max_size=2))
        returns += [(line.sku, last - first) for first, last in pairwise([0, *sorted(cuts), line.quantity])]
    before: dict[str, int] = {}
    amount = points = gifts = 0
    for sku, units in data.draw(st.permutations(returns)):
        plan = plan_refund(order, before, {sku: units})
        assert plan.amount >= 0 <= plan.points
        amount, points = amount + plan.amount, points + plan.points
        gifts += sum(each.units for each in plan.gifts)
        before[sku] = before.get(sku, 0) + units
    assert (amount, points) == (order.total, order.points_used)
    assert gifts == sum(each.units for each in order.gifts)


@given(st.data())
def test_what_does_not_fit_is_split_among_the_others(data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(0, 100), min_size=1, max_size=8))
    caps = data.draw(st.lists(st.integers(0, 60), min_size=len(weights), max_size=len(weights)))
    total = data.draw(st.integers(0, 400))
    shares = allocate_within(total, weights, caps)
    room = sum(cap for cap, weight in zip(caps, weights, strict=True) if weight)
    assert sum(shares) == min(total, room)
    assert all(0 <= share <= cap for share, cap in zip(shares, caps, strict=True))
    assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if not weight)


@pytest.mark.parametrize("off", [100, 199])
def test_200_lines_of_one_with_a_small_discount(off: int) -> None:
    prices = {f"S-{number:03}": 100 for number in range(200)}
    order = priced(rules_of(prices, [promotion("P", amount_off(20_000, off))]), dict.fromkeys(prices, 1))
    assert sorted({line.payable for line in order.lines}) == [99, 100]
    assert sum(line.payable == 99 for line in order.lines) == off
    assert order.total == 20_000 - off


def test_20_units_down_to_2_keep_their_percentage() -> None:
    """40 % became 4 % elsewhere when 18 of 20 units were taken away; here each unit keeps its share."""
    order = priced(rules_of({"A": 1_000}, [promotion("P", percent_off(4_000))]), {"A": 20})
    assert plan_refund(order, {}, {"A": 18}).amount == 18 * 600
    assert plan_refund(order, {"A": 18}, {"A": 2}).amount == 2 * 600


def test_a_cancelled_line_takes_its_part_of_an_order_discount_with_it() -> None:
    """Elsewhere the discount was spread again over the lines that stay, and grew."""
    order = priced(rules_of({"A": 6_000, "B": 3_000}, [platform("P", amount_off(9_000, 900))]), {"A": 1, "B": 1})
    plan = plan_refund(order, {}, {"A": 1})
    assert plan.amount == 6_000 - 600
    assert order.total - plan.amount == 3_000 - 300


def test_9999_units_are_never_taken_apart() -> None:
    listed = [promotion("N", percent_off(1_000, reach=2)), promotion("P", amount_off(10_000, 5_000))]
    rules = rules_of({"A": 799}, listed)
    (line,) = priced(rules, {"A": 9_999}).lines
    assert line.payable == 799 * 9_999 - 798_921 - 5_000
    assert len(line.shares) == 2


def test_100_lines_and_50_promotions_are_no_matter() -> None:
    """Elsewhere 10 lines and 50 discounts took 10 seconds; here the work is bounded, whatever the rules."""
    prices = {f"S-{number:03}": 1_000 + number for number in range(100)}
    skus = list(prices)
    listed = [
        promotion(f"P-{n:02}", percent_off(100 + n), skus=skus[n : n + 30], group=f"g{n % 4}", priority=n % 7)
        for n in range(50)
    ]
    rules = rules_of(prices, listed)
    order = priced(rules, dict.fromkeys(prices, 2))
    assert order.reductions
    assert order.total + order.discount_total == order.goods_total
    assert priced(rules_of(prices, listed), dict.fromkeys(prices, 2)) == order


def test_coupons_of_the_definition_go_with_promotions() -> None:
    listed = [promotion("S", amount_off(10_000, 1_000))]
    rules = compile_rules(version(festival({"A": 10_000}, listed, coupons=[coupon("TIDE50", 9_500, 500, quota=3)])))
    order = priced(rules, {"A": 2}, coupon="tide50")
    assert [each.promotion for each in order.reductions] == ["S", "coupon:TIDE50"]
    assert [use.key for use in order.counters] == ["double-11/coupon:TIDE50"]
    for code, quantities, refusal in (("NONE", {"A": 1}, CouponNotValid), ("SMALL", {"A": 1}, ThresholdNotMet)):
        more = [*listed, promotion("C", amount_off(20_000, 1), coupon="SMALL")]
        with pytest.raises(refusal):
            priced(rules_of({"A": 10_000}, more), quantities, coupon=code)


def refused(rules: RuleSet, quantities: dict[str, int], coupon: str, facts: Facts = FACTS) -> Refusal:
    """Why a cart with this coupon is refused; without it the cart has a price."""
    assert priced(rules, quantities, facts).total > 0
    with pytest.raises(Refusal) as refusal:
        priced(rules, quantities, facts, coupon)
    return refusal.value


def test_a_coupon_whose_threshold_the_other_reductions_undercut_is_refused_and_says_by_how_much() -> None:
    listed = [promotion("S", amount_off(10_000, 1_000))]
    rules = compile_rules(version(festival({"A": 10_000}, listed, coupons=[coupon("TIDE50", 9_500, 500)])))
    why = refused(rules, {"A": 1}, "tide50")  # 9,000 is left
    assert (type(why), why.fields) == (ThresholdNotMet, {"coupon": "TIDE50", "threshold": 9_500, "missing": 500})
    reached = compile_rules(version(festival({"A": 10_000}, listed, coupons=[coupon("TIDE50", 9_000, 500)])))
    assert priced(reached, {"A": 1}, coupon="tide50").total == 8_500


def test_an_order_of_before_is_priced_again_with_a_coupon_that_saved_nothing() -> None:
    rules = rules_of({"A": 10_000}, [promotion("S", amount_off(10_000, 1_000))], coupons=[coupon("TIDE50", 9_500, 500)])
    for _ in range(2):
        again = price_again(rules, cart_of({"A": 1}, "TIDE50"), FACTS)
        assert (again.total, again.trace_hash) == (9_000, priced(rules, {"A": 1}).trace_hash)
        assert (
            type(refused(rules, {"A": 1}, "TIDE50")) is ThresholdNotMet
        )  # it is not remembered as one that may be used


def test_a_coupon_that_is_known_to_be_used_up_is_refused() -> None:
    listed = [promotion("S", amount_off(10_000, 1_000))]
    rules = compile_rules(version(festival({"A": 10_000}, listed, coupons=[coupon("TIDE50", 9_000, 500, quota=3)])))
    none_left = msgspec.structs.replace(FACTS, left={"double-11/coupon:TIDE50": 0})
    why = refused(rules, {"A": 1}, "TIDE50", none_left)
    assert (type(why), why.fields) == (CouponUsedUp, {"coupon": "TIDE50"})
    assert priced(rules, {"A": 1}, msgspec.structs.replace(FACTS, left={"double-11/coupon:TIDE50": 1}), "TIDE50")


@pytest.mark.parametrize(
    "opened",
    [
        promotion("C", amount_off(100, 50), group="one", coupon="KEY"),  # no better than its rival
        promotion("C", amount_off(100, 40), group="one", coupon="KEY"),
        promotion("C", FreeShipping(), coupon="KEY"),  # shipping is free without it
        promotion("C", MemberPrice(prices=(("A", 1_000),)), coupon="KEY"),  # not lower than the offer's price
        promotion("C", PointsOff(points=1, share=1_000), coupon="KEY"),  # no points are spent
    ],
)
def test_a_coupon_with_which_nothing_is_cheaper_is_refused(opened: Promotion) -> None:
    rival = promotion("R", amount_off(100, 50), group="one")
    rules = rules_of({"A": 1_000}, [rival, opened], shipping=Shipping(fee=30, free_from=500))
    why = refused(rules, {"A": 1}, "KEY")
    assert (type(why), why.fields) == (CouponSavesNothing, {"coupon": "KEY"})
    assert why.status == 409


@pytest.mark.parametrize(
    ("opened", "facts", "total", "points"),
    [
        (promotion("C", Gift(sku="B", reach=1), coupon="KEY"), FACTS, 1_030, 0),
        (promotion("C", FreeShipping(), coupon="KEY"), FACTS, 1_000, 0),
        (promotion("C", MemberPrice(prices=(("A", 999),)), coupon="KEY"), FACTS, 1_029, 0),
        (promotion("C", PointsOff(points=1, share=1_000), coupon="KEY"), POINTS, 930, 100),
    ],
)
def test_a_coupon_that_gives_a_gift_or_a_lower_total_is_taken(
    opened: Promotion, facts: Facts, total: int, points: int
) -> None:
    order = priced(
        rules_of({"A": 1_000, "B": 10}, [opened], shipping=Shipping(fee=30, free_from=None)), {"A": 1}, facts, "KEY"
    )
    assert (order.total, order.points_used, len(order.gifts)) == (
        total,
        points,
        opened.benefit == Gift(sku="B", reach=1),
    )


def test_a_coupon_that_saves_points_and_no_money_is_taken() -> None:
    listed = [promotion("POINTS", PointsOff(points=1, share=10_000))]
    rules = compile_rules(version(festival({"A": 400}, listed, coupons=[coupon("TIDE50", 300, 50)])))
    without, order = priced(rules, {"A": 1}, POINTS), priced(rules, {"A": 1}, POINTS, "TIDE50")
    assert (without.total, without.points_used, order.total, order.points_used) == (1, 399, 1, 349)


@settings(max_examples=150)
@given(
    PRICES,
    promotions(),
    QUANTITIES,
    st.integers(91, 900),
    st.integers(1, 90),
    st.sampled_from([None, 1, 400]),
    st.booleans(),
)
def test_a_coupon_is_taken_only_where_it_saves_or_gives_something(
    prices: dict[str, int],
    listed: list[Promotion],
    quantities: dict[str, int],
    threshold: int,
    off: int,
    free_from: int | None,
    is_used_up: bool,
) -> None:
    festival_made = festival(
        prices,
        listed,
        coupons=[coupon("TIDE50", threshold, off, quota=1)],
        shipping=Shipping(fee=30, free_from=free_from),
    )
    rules = compile_rules(version(festival_made))
    facts = msgspec.structs.replace(FACTS, left={"double-11/coupon:TIDE50": 0}) if is_used_up else FACTS
    without = priced(rules, quantities, facts)
    try:
        order = priced(rules, quantities, facts, "TIDE50")
    except (ThresholdNotMet, CouponUsedUp, CouponSavesNothing) as refusal:
        event(refusal.code)
        assert priced(rules, quantities, facts) == without
    else:
        event("taken")
        assert order.total < without.total
        assert "coupon:TIDE50" in [each.promotion for each in order.reductions]
        assert "double-11/coupon:TIDE50" in [use.key for use in order.counters]
        assert not is_used_up or rules.book is None


def test_a_coupon_that_counts_none_of_the_goods_is_refused() -> None:
    rules = rules_of({"A": 10_000, "B": 1}, [promotion("C", amount_off(1, 1), skus=["B"], coupon="ONLYB")])
    with pytest.raises(CouponNotApplicable):
        priced(rules, {"A": 1}, coupon="ONLYB")
    assert priced(rules, {"A": 1}, Facts(buyer=BUYER, coupons=("ONLYB",))).discount_total == 0


def test_a_cart_that_is_remembered_costs_the_same() -> None:
    listed = [promotion("P", amount_off(1_000, 100), tiers=("gold",)), promotion("Q", percent_off(500))]
    rules = rules_of({"A": 1_000}, listed)
    for facts in (FACTS, Facts(tier="gold"), FACTS, Facts(tier="gold"), Facts(points=3)):
        assert priced(rules, {"A": 2}, facts) == priced(rules_of({"A": 1_000}, listed), {"A": 2}, facts)
    assert cart_of({"A": 2}).lines[0].quantity == 2
