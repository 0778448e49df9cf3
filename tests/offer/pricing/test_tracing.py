"""Every promotion that does not apply says why, and what would make it apply, in words with figures."""

from datetime import timedelta

import pytest

from tests.offer.festivals import START
from tests.offer.promotions import FACTS, amount_off, cart_of, percent_off, platform, priced, promotion, rules_of
from tidegate.offer.campaign.conditions import FACTS as CONDITION_FACTS
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    FreeShipping,
    Gift,
    Measure,
    MemberPrice,
    NForM,
    PointsOff,
    Promotion,
    PromotionLimits,
    Shipping,
    Step,
)
from tidegate.offer.pricing.contracts import Facts, NotApplied, Shortfall, Trace
from tidegate.offer.pricing.matching import named
from tidegate.offer.pricing.rules import advise, explain

OFF = amount_off(1_000, 100)
LATER = START + timedelta(days=1)


def traced(listed: list[Promotion], quantities: dict[str, int], facts: Facts = FACTS) -> Trace:
    return explain(rules_of({"A": 5_000, "B": 3_000}, listed), cart_of(quantities), facts)


@pytest.mark.parametrize(
    ("listed", "facts", "reason", "unknown"),
    [
        (promotion("P", OFF, starts_at=LATER), FACTS, Shortfall.NOT_YET, ()),
        (promotion("P", OFF, ends_at=START), FACTS, Shortfall.OVER, ()),
        (promotion("P", OFF, ends_at=LATER), Facts(), Shortfall.FACT_MISSING, ("now",)),
        (promotion("P", OFF, audience=(Audience.NEW,)), FACTS, Shortfall.FACT_MISSING, ("audience",)),
        (promotion("P", OFF, audience=(Audience.NEW,)), Facts(audience=frozenset()), Shortfall.AUDIENCE, ()),
        (promotion("P", OFF, tiers=("gold",)), Facts(tier="silver"), Shortfall.TIER, ()),
        (promotion("P", OFF, segments=("vip",)), Facts(segments=frozenset({"x"})), Shortfall.SEGMENT, ()),
        (promotion("P", OFF, coupon="C"), FACTS, Shortfall.COUPON, ()),
        (promotion("P", OFF, condition="age > 3", facts=("age",)), FACTS, Shortfall.FACT_MISSING, ("age",)),
        (promotion("P", OFF, condition="age > 3", facts=("age",)), Facts(named=(("age", 3),)), Shortfall.CONDITION, ()),
        (
            promotion("P", OFF, condition="age > 3", facts=("age",)),
            Facts(named=(("age", "x"),)),
            Shortfall.CONDITION,
            (),
        ),
        (
            promotion("P", OFF, limits=PromotionLimits(total=1)),
            Facts(left={"double-11/promotion:P": 0}),
            Shortfall.EXHAUSTED,
            (),
        ),
        (promotion("P", Gift(sku="B", reach=1)), Facts(out=frozenset({"B"})), Shortfall.GIFT_OUT, ()),
        (promotion("P", MemberPrice(prices=(("A", 6_000),))), FACTS, Shortfall.LOWER_PRICE, ()),
        (promotion("P", PointsOff(points=1, share=100)), FACTS, Shortfall.NO_POINTS, ()),
        (promotion("P", amount_off(10_001, 1)), FACTS, Shortfall.THRESHOLD, ()),
    ],
)
def test_each_reason_is_told(listed: Promotion, facts: Facts, reason: Shortfall, unknown: tuple[str, ...]) -> None:
    trace = traced([listed], {"A": 2}, facts)
    (said,) = trace.not_applied
    assert (said.promotion, said.reason, said.facts) == ("P", reason, unknown)
    assert said.words.zh
    assert said.words.en
    assert trace.order.discount_total == 0


def test_the_facts_that_a_condition_may_ask_for_are_those_that_are_known() -> None:
    everything = Facts(audience=frozenset({Audience.NEW}), tier="gold", segments=frozenset({"parents"}), points=5)
    assert named(everything).keys() == CONDITION_FACTS
    for name in CONDITION_FACTS:
        condition = "points > 0" if name == "points" else f"size({name}) > 0"
        asked = promotion("P", OFF, condition=condition, facts=(name,))
        assert priced(rules_of({"A": 1_000}, [asked]), {"A": 1}, everything).discount_total > 0


def test_what_excludes_each_other_says_that_something_better_was_chosen() -> None:
    trace = traced([promotion("P", OFF, group="g"), promotion("Q", percent_off(5_000), group="g")], {"A": 1})
    assert [(each.promotion, each.reason) for each in trace.not_applied] == [("P", Shortfall.BETTER)]


def test_a_threshold_says_how_much_more_for_how_much_off() -> None:
    trace = traced([promotion("P", amount_off(16_200, 5_000))], {"A": 3})
    assert trace.not_applied == (
        NotApplied(
            "P",
            trace.not_applied[0].label,
            Shortfall.THRESHOLD,
            trace.hints[0].words.__class__("再买 ¥12.00可享 优惠 P", "CN¥12.00 more for Promotion P"),
            Measure.AMOUNT,
            1_200,
        ),
    )
    assert (trace.hints[0].missing, trace.hints[0].off) == (1_200, 5_000)
    assert trace.hints[0].words.en == "CN¥12.00 more for CN¥50.00 off"
    assert trace.hints[0].words.zh == "再买 ¥12.00可减 ¥50.00"


def test_hints_come_least_missing_first_and_end_where_nothing_more_can_be_had() -> None:
    listed = [
        promotion("TIERS", AmountOff(steps=(Step(4_000, 100), Step(9_000, 900)))),
        promotion("THREE", NForM(take=3, pay=2)),
        promotion("FREE", FreeShipping(reach=5_500)),
        platform("EVERY", AmountOff(steps=(Step(5_000, 500),), every=True, cap=500)),
    ]
    rules = rules_of({"A": 5_000}, listed, shipping=Shipping(fee=800, free_from=None))
    hints = advise(rules, cart_of({"A": 1}), FACTS)
    assert [(each.promotion, each.missing, each.off) for each in hints] == [
        ("FREE", 1_000, 0),  # TIERS gave way, so that EVERY is reached
        ("TIERS", 4_000, 900),
        ("THREE", 2, 0),
    ]
    assert [each.promotion for each in advise(rules, cart_of({"A": 2}), FACTS)] == ["THREE"]


def test_every_step_is_told_with_its_figures() -> None:
    trace = traced([promotion("P", AmountOff(steps=(Step(5_000, 500),), every=True))], {"A": 2, "B": 1})
    assert [words.en for words in trace.steps] == [
        "Goods at list price CN¥130.00",
        "Promotion P -CN¥10.00 (on 2 products) ×2",
        "Shipping CN¥0.00",
    ]
    assert trace.steps[1].zh == "优惠 P -¥10.00（2 种商品） ×2"


def test_a_gift_that_is_near_is_called_by_its_name() -> None:
    [hint] = traced([promotion("P", Gift(sku="B", reach=6_200))], {"A": 1}).hints
    assert (hint.words.zh, hint.words.en) == ("再买 ¥12.00可得赠品 商品 B", "CN¥12.00 more for the gift Goods B")
