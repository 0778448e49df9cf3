"""A hint promises nothing that its reader cannot have any more: counters, budgets and limits are held against it."""

from collections.abc import Mapping, Sequence
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import limit, version
from tests.offer.promotions import BUYER, FACTS, amount_off, cart_of, entry, festival, promotion
from tidegate.offer.campaign.contracts import Gift, Limit, Measure, Promotion, PromotionLimits
from tidegate.offer.pricing.contracts import Facts, RuleSet, Shortfall, Trace
from tidegate.offer.pricing.owning import own_caps
from tidegate.offer.pricing.rules import compile_rules, explain

PRICES = {"A": 5_000, "B": 3_000}
NEAR = amount_off(16_200, 5_000)
OWN = BUYER.hex


def rules_of(
    listed: Sequence[Promotion], per_buyer: Mapping[str, int] | None = None, limits: Sequence[Limit] = ()
) -> RuleSet:
    """A at 50.00 and B at 30.00, with limits of one buyer."""
    plain = festival(PRICES, listed)
    caps = per_buyer or {}
    offers = tuple(msgspec.structs.replace(each, per_buyer=caps.get(each.sku, 0)) for each in plain.offers)
    return compile_rules(version(msgspec.structs.replace(plain, offers=offers, limits=tuple(limits))))


def told(trace: Trace) -> tuple[list[str], list[Shortfall]]:
    return [each.promotion for each in trace.hints], [each.reason for each in trace.not_applied]


@pytest.mark.parametrize(
    ("limits", "left", "reason"),
    [
        (PromotionLimits(per_account=1), {f"double-11/promotion:P:{OWN}": 0}, Shortfall.EXHAUSTED),
        (PromotionLimits(per_period=1, period_days=1), {f"double-11/period:P:0:{OWN}": 0}, Shortfall.EXHAUSTED),
        (PromotionLimits(budget=9_000), {"double-11/budget:P": 4_999}, Shortfall.EXHAUSTED),
    ],
)
def test_what_is_used_up_is_no_hint(limits: PromotionLimits, left: dict[str, int], reason: Shortfall) -> None:
    rules = rules_of([promotion("P", NEAR, limits=limits)])
    cart = cart_of({"A": 3})
    assert told(explain(rules, cart, FACTS)) == (["P"], [Shortfall.THRESHOLD])
    assert told(explain(rules, cart, msgspec.structs.replace(FACTS, left=left))) == ([], [reason])
    others = {key.replace(OWN, "0" * 32): count for key, count in left.items() if OWN in key}
    assert told(explain(rules, cart, msgspec.structs.replace(FACTS, left=others))) == (["P"], [Shortfall.THRESHOLD])


def test_what_the_limits_of_the_goods_keep_out_of_reach_is_no_hint_for_anybody() -> None:
    only_a = promotion("P", NEAR, skus=["A"])
    for facts in (FACTS, Facts(now=FACTS.now)):
        limited = rules_of([only_a], {"A": 3})
        trace = explain(limited, cart_of({"A": 3}), facts)
        assert told(trace) == ([], [Shortfall.LIMITED])
        assert trace.not_applied[0].words.en == "Its threshold cannot be reached: no more of its goods may be bought"
        assert trace.not_applied[0].words.zh == "已达限购数量，无法再凑到门槛"
        assert told(explain(rules_of([only_a], {"A": 4}), cart_of({"A": 3}), facts))[0] == ["P"]
    with_b = rules_of([promotion("P", NEAR)], {"A": 3})
    assert told(explain(with_b, cart_of({"A": 3}), FACTS))[0] == ["P"]


@pytest.mark.parametrize(("floor", "off"), [(0, 5_000), (3_333, 5_000), (3_334, 0), (5_000, 0)])
def test_an_amount_that_does_not_fit_above_the_floor_is_not_named(floor: int, off: int) -> None:
    entries = [entry("A", 5_000, floor=floor), entry("B", 3_000)]
    rules = compile_rules(version(festival(PRICES, [promotion("P", NEAR)], entries=entries)))
    [hint] = explain(rules, cart_of({"A": 3}), FACTS).hints
    assert (hint.off, hint.words.en) == (off, f"CN¥12.00 more for {'CN¥50.00 off' if off else 'Promotion P'}")


def test_what_a_buyer_had_before_counts_for_him_alone() -> None:
    rules = rules_of([promotion("P", NEAR)], {"A": 3}, [limit("all", per_buyer=5)])
    cart = cart_of({"A": 3})
    assert told(explain(rules, cart, FACTS))[0] == ["P"]
    had_two = msgspec.structs.replace(FACTS, left={f"double-11/limit:all:{OWN}": 3})
    assert told(explain(rules, cart, had_two)) == ([], [Shortfall.LIMITED])


def test_a_gift_that_takes_too_many_pieces_is_no_hint() -> None:
    gift = promotion("P", Gift(sku="B", reach=5, measure=Measure.PIECES), skus=["A"])
    assert told(explain(rules_of([gift], {"A": 4}), cart_of({"A": 1}), FACTS))[0] == []
    assert told(explain(rules_of([gift], {"A": 5}), cart_of({"A": 1}), FACTS))[0] == ["P"]


def test_the_counters_that_are_read_for_a_buyer_are_those_of_the_cart() -> None:
    limits = PromotionLimits(per_account=2, total=9, budget=1_000)
    rules = rules_of([promotion("P", NEAR, skus=["A"], limits=limits)], {"A": 3, "B": 4}, [limit("all", per_buyer=5)])
    assert own_caps(rules, cart_of({"A": 1}), FACTS) == {
        f"double-11/offer:A:{OWN}": 3,
        f"double-11/limit:all:{OWN}": 5,
        f"double-11/promotion:P:{OWN}": 2,
    }
    assert own_caps(rules, cart_of({"A": 1}), Facts(now=FACTS.now)) == {}


units = st.integers(1, 4)


@given(cap_a=units, cap_b=units, of_all=st.integers(2, 8), used=st.integers(0, 3), reach=st.integers(3, 9))
def test_a_hint_of_pieces_is_given_exactly_where_some_cart_reaches_it(
    cap_a: int, cap_b: int, of_all: int, used: int, reach: int
) -> None:
    gift = promotion("P", Gift(sku="A", reach=reach, measure=Measure.PIECES))
    rules = rules_of([gift], {"A": cap_a, "B": cap_b}, [limit("all", per_buyer=of_all)])
    left = max(of_all - used, 0)
    facts = msgspec.structs.replace(FACTS, left={f"double-11/limit:all:{OWN}": left})
    hinted = bool(explain(rules, cart_of({"A": 1, "B": 1}), facts).hints)
    carts = product(range(1, cap_a + 1), range(1, cap_b + 1))
    assert hinted == any(a + b >= reach and a + b <= left for a, b in carts)
