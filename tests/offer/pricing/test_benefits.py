"""Every kind of benefit, with exact figures."""

import pytest

from tests.offer.promotions import FACTS, amount_off, entry, percent_off, platform, priced, promotion, rules_of
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Bearer,
    Benefit,
    Bundle,
    FreeShipping,
    Gift,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    Part,
    PercentOff,
    PointsOff,
    PromotionLimits,
    Selection,
    Shipping,
    Step,
)
from tidegate.offer.pricing.contracts import Borne, CounterUse, Facts, GivenGift, Share, StepKind
from tidegate.offer.pricing.counting import Left

TIERS = AmountOff(steps=(Step(10_000, 1_000), Step(30_000, 5_000)))
EVERY = AmountOff(steps=(Step(10_000, 1_500),), every=True, cap=4_000)


@pytest.mark.parametrize(
    ("benefit", "quantities", "off"),
    [
        (amount_off(10_000, 1_000), {"A": 1}, 0),
        (amount_off(10_000, 1_000), {"A": 2}, 1_000),
        (TIERS, {"A": 5}, 1_000),
        (TIERS, {"A": 6}, 5_000),
        (EVERY, {"A": 3}, 1_500),
        (EVERY, {"A": 4}, 3_000),
        (EVERY, {"A": 9}, 4_000),
        (amount_off(3, 700, measure=Measure.PIECES), {"A": 1, "B": 1}, 0),
        (amount_off(3, 700, measure=Measure.PIECES), {"A": 1, "B": 2}, 700),
        (percent_off(1_000), {"A": 1, "C": 1}, 534),  # of 5,333: rounded in the buyer's favour
        (percent_off(5_000, cap=2_000), {"A": 2}, 2_000),
        (PercentOff(steps=(Step(2, 2_000), Step(3, 3_000))), {"A": 3}, 4_500),
        (PercentOff(steps=(Step(12_000, 1_000),), measure=Measure.AMOUNT), {"A": 2}, 0),
        (PercentOff(steps=(Step(12_000, 1_000),), measure=Measure.AMOUNT), {"A": 2, "B": 1}, 1_300),
        (NForM(take=3, pay=2), {"A": 2}, 0),
        (NForM(take=3, pay=2), {"A": 2, "C": 1}, 333),
        # Dearest first: (5,000 5,000 3,000) (3,000 333 333).
        (NForM(take=3, pay=2), {"A": 2, "B": 2, "C": 2}, 3_333),
        (NthPiece(nth=2, off=5_000), {"A": 2}, 2_500),
        (NthPiece(nth=2, off=5_000), {"B": 1, "C": 1}, 167),
        (NthPiece(nth=2, off=5_000), {"A": 3, "C": 1}, 2_500 + 167),
        (Bundle(parts=(Part("B", 1), Part("A", 2)), price=10_000), {"A": 3}, 0),
        (Bundle(parts=(Part("B", 1), Part("A", 2)), price=10_000), {"A": 5, "B": 2}, 6_000),
        (Bundle(parts=(Part("B", 1), Part("A", 2)), price=14_000), {"A": 5, "B": 2}, 0),
    ],
)
def test_each_kind_takes_off_exactly(benefit: Benefit, quantities: dict[str, int], off: int) -> None:
    rules = rules_of({"A": 5_000, "B": 3_000, "C": 333}, [promotion("P", benefit)])
    order = priced(rules, quantities)
    assert order.discount_total == off
    assert sum(step.amount for step in order.steps) == order.total
    assert [(each.promotion, each.amount) for each in order.reductions] == ([("P", off)] if off else [])
    assert order.regret == 0


def test_the_lower_of_offer_and_member_price_stands() -> None:
    member = promotion("M", MemberPrice(prices=(("A", 4_500), ("B", 3_000), ("C", 400))), tiers=("gold",))
    rules = rules_of({"A": 5_000, "B": 3_000, "C": 333}, [member])
    order = priced(rules, {"A": 2, "B": 1, "C": 1}, Facts(tier="gold"))
    assert [line.unit_price for line in order.lines] == [4_500, 3_000, 333]
    assert [(s.kind, s.rule, s.amount) for s in order.steps[1:-1]] == [(StepKind.MEMBER_PRICE, "M", -1_000)]
    assert priced(rules, {"A": 2}, Facts(tier="silver")).total == 10_000
    assert priced(rules, {"A": 2}, Facts()).total == 10_000


def test_gifts_have_lines_of_their_own_and_come_last_on_a_bought_line() -> None:
    gifts = [
        promotion("G", Gift(sku="GIFT", reach=10_000, every=True)),
        promotion("H", Gift(sku="B", reach=2, measure=Measure.PIECES)),
    ]
    entries = [entry("A", 5_000), entry("B", 3_000), entry("GIFT", 900)]
    rules = rules_of({"A": 5_000, "B": 3_000}, gifts, entries=entries)
    order = priced(rules, {"A": 4, "B": 1})
    assert order.gifts == (GivenGift("G", "GIFT", 2, 900, ("A", "B")), GivenGift("H", "B", 1, 3_000, ("A", "B")))
    assert [(x.sku, x.quantity, x.gifts, x.payable, x.shares) for x in order.lines] == [
        ("A", 4, 0, 20_000, (Share(4, 5_000),)),
        ("B", 2, 1, 3_000, (Share(1, 3_000), Share(1, 0))),
        ("GIFT", 2, 2, 0, (Share(2, 0),)),
    ]
    without = priced(rules, {"A": 4, "B": 1}, Facts(out=frozenset({"GIFT"})))
    assert [gift.sku for gift in without.gifts] == ["B"]
    assert without.total == order.total == 23_000


def test_shipping_is_settled_after_the_reductions_and_before_points() -> None:
    promotions = [
        promotion("P", amount_off(10_000, 1_000)),
        promotion("F", FreeShipping(reach=9_000)),
        promotion("Z", PointsOff(points=100, share=5_000)),
    ]
    rules = rules_of({"A": 5_000}, promotions, shipping=Shipping(fee=800, free_from=None))
    order = priced(rules, {"A": 2}, Facts(points=250_050))
    assert [(s.kind, s.rule, s.amount) for s in order.steps] == [
        (StepKind.LIST_PRICE, "list", 10_000),
        (StepKind.PROMOTION, "P", -1_000),
        (StepKind.SHIPPING, "F", 0),
        (StepKind.POINTS, "Z", -2_500),
    ]
    assert (order.total, order.points_used) == (6_500, 250_000)
    assert priced(rules, {"A": 2}, Facts(points=10**9)).total == 4_500
    assert priced(rules, {"A": 1}).shipping == 800


def test_a_later_layer_reckons_with_what_the_one_before_left() -> None:
    promotions = [promotion("S", percent_off(1_000)), platform("P", AmountOff(steps=(Step(9_000, 900),), every=True))]
    order = priced(rules_of({"A": 5_000}, promotions), {"A": 2})
    assert [(each.promotion, each.amount) for each in order.reductions] == [("S", 1_000), ("P", 900)]


def test_a_reduction_is_borne_exactly_by_shop_and_bearer() -> None:
    bearers = (Bearer("platform", 3_333), Bearer("shop", 5_000), Bearer("channel:alipay", 1_667))
    across = platform("X", amount_off(10_000, 1_001), bearers=bearers)
    entries = [entry("A", 5_000, shop="north"), entry("B", 3_000, shop="south"), entry("C", 333, shop="south")]
    order = priced(rules_of({"A": 5_000, "B": 3_000, "C": 333}, [across], entries=entries), {"A": 1, "B": 2, "C": 1})
    (reduction,) = order.reductions
    assert reduction.lines == (("A", 442), ("B", 530), ("C", 29))
    assert reduction.borne == (
        Borne("platform", "north", 147),
        Borne("shop", "north", 221),
        Borne("channel:alipay", "north", 74),
        Borne("platform", "south", 186),
        Borne("shop", "south", 280),
        Borne("channel:alipay", "south", 93),
    )


def test_the_floor_is_never_crossed_and_what_does_not_fit_goes_to_other_lines() -> None:
    entries = [entry("A", 5_000, floor=4_800), entry("B", 3_000, floor=1_000)]
    rules = rules_of({"A": 5_000, "B": 3_000}, [promotion("P", amount_off(8_000, 1_600))], entries=entries)
    (reduction,) = priced(rules, {"A": 1, "B": 1}).reductions
    assert reduction.lines == (("A", 200), ("B", 1_400))
    rules = rules_of({"A": 5_000, "B": 3_000}, [promotion("P", amount_off(8_000, 2_600))], entries=entries)
    (reduction,) = priced(rules, {"A": 1, "B": 1}).reductions
    assert (reduction.amount, reduction.given_up, reduction.lines) == (2_200, 400, (("A", 200), ("B", 2_000)))


def test_an_order_pays_at_least_one_minor_unit() -> None:
    order = priced(rules_of({"A": 500}, [promotion("P", percent_off(10_000))]), {"A": 3})
    assert (order.total, order.reductions[0].given_up) == (1, 1)


def test_what_sufficed_for_a_remembered_cart_is_looked_at_again_once_it_is_lowered() -> None:
    rules = rules_of({"A": 5_000}, [promotion("P", amount_off(5_000, 1_000), limits=PromotionLimits(total=10))])
    left = Left({"double-11/promotion:P": 3})
    facts = Facts(left=left)
    assert [priced(rules, {"A": 1}, facts).discount_total for _ in range(3)] == [1_000] * 3
    left.lower("double-11/promotion:P", 5)
    assert priced(rules, {"A": 1}, facts).discount_total == 1_000, "more than was known is left: nothing is lowered"
    left.lower("double-11/promotion:P", 0)
    assert priced(rules, {"A": 1}, facts).discount_total == 0
    assert priced(rules, {"A": 1}, Facts(left=Left())).discount_total == 1_000


def test_counters_of_a_promotion_are_used_with_its_money() -> None:
    limits = PromotionLimits(total=10, per_account=2, per_period=1, period_days=1, budget=5_000)
    rules = rules_of({"A": 5_000}, [promotion("P", amount_off(10_000, 1_200), limits=limits)])
    head, buyer = "double-11", FACTS.buyer.hex if FACTS.buyer else ""
    assert priced(rules, {"A": 2}).counters == (
        CounterUse(f"{head}/budget:P", 1_200, 5_000),
        CounterUse(f"{head}/promotion:P", 1, 10),
        CounterUse(f"{head}/period:P:0:{buyer}", 1, 1),
        CounterUse(f"{head}/promotion:P:{buyer}", 1, 2),
    )
    short = Facts(left={f"{head}/budget:P": 1_199})
    order = priced(rules, {"A": 2}, short)
    assert (order.reductions, order.facts) == ((), Facts(barred=frozenset({"P"})))
    assert priced(rules, {"A": 1}).counters == ()


def test_per_order_limits_the_times() -> None:
    limits = PromotionLimits(per_order=2)
    rules = rules_of({"A": 5_000}, [promotion("P", AmountOff(steps=(Step(5_000, 500),), every=True), limits=limits)])
    assert priced(rules, {"A": 5}).discount_total == 1_000
    rules = rules_of({"A": 5_000}, [promotion("P", NForM(take=2, pay=1), limits=limits)])
    assert priced(rules, {"A": 9}).discount_total == 10_000


def test_a_selection_is_any_of_its_names_less_some() -> None:
    entries = [entry("A", 5_000, category="x"), entry("B", 3_000, brand="y"), entry("C", 333, shop="z"), entry("D", 70)]
    chosen = Selection(categories=("x",), brands=("y",), shops=("z",), but=("B",))
    rules = rules_of(
        {e.sku: e.list_price for e in entries}, [promotion("P", percent_off(5_000), goods=chosen)], entries=entries
    )
    (reduction,) = priced(rules, {"A": 1, "B": 1, "C": 1, "D": 1}).reductions
    assert reduction.lines == (("A", 2_500), ("C", 167))


def test_a_member_price_beyond_its_budget_stands_for_no_line_and_is_priced_again() -> None:
    limits = PromotionLimits(budget=1_000)
    member = promotion("M", MemberPrice(prices=(("A", 4_500), ("B", 2_900))), limits=limits)
    rules = rules_of({"A": 5_000, "B": 3_000}, [member])
    head = "double-11/budget:M"
    assert priced(rules, {"A": 1, "B": 1}, Facts(left={head: 600})).counters == (CounterUse(head, 600, 1_000),)
    order = priced(rules, {"A": 1, "B": 1}, Facts(left={head: 599}))
    assert (order.total, order.facts) == (8_000, Facts(barred=frozenset({"M"})))
    assert priced(rules, {"A": 1, "B": 1}, Facts(barred=frozenset({"M"}))).trace_hash == order.trace_hash
