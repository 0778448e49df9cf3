"""What goes back of an order, decided without a database."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import coupon, definition, offer, version
from tests.offer.promotions import priced, promotion, rules_of
from tidegate.offer.campaign.contracts import Gift, GiftPolicy, Shipping
from tidegate.offer.pricing.api import Lowered, compile_rules, price_order
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder
from tidegate.sale.ordering.contracts import Order, OrderState, Refund, RefundLine
from tidegate.sale.ordering.errors import RefundChanged, RefundTooLarge
from tidegate.sale.ordering.refunding import (
    all_is_back,
    everything_left,
    kept_of,
    plan_return,
    remaining,
    require_shown,
    units_back,
)

RULES = compile_rules(
    version(
        definition(
            [offer("A", 3_333), offer("B", 1_001)],
            coupons=[coupon("OFF", threshold=1_000, off=199)],
            shipping=Shipping(fee=600, free_from=None),
        )
    )
)
NOW = datetime(2026, 11, 11, tzinfo=UTC)
ADDRESS = UUID(int=7)
quantities = st.dictionaries(st.sampled_from(["A", "B"]), st.integers(1, 20), min_size=1)


def bought(units: dict[str, int]) -> Order:
    cart = Cart(tuple(CartLine(sku, count) for sku, count in units.items()), "OFF")
    return order_of(price_order(RULES, cart, Facts(buyer=ADDRESS)))


def order_of(found: PricedOrder) -> Order:
    return Order(
        order_id=UUID(int=1),
        buyer_id=UUID(int=2),
        campaign_id="double-11",
        address_id=ADDRESS,
        state=OrderState.PAID,
        total=found.total,
        currency="CNY",
        refunded=0,
        coupon="OFF",
        priced=found,
        placed_at=NOW,
        expires_at=NOW,
        paid_at=NOW,
        ended_at=None,
    )


def refund(*lines: RefundLine, amount: int = 0, lowered: tuple[Lowered, ...] = ()) -> Refund:
    return Refund(
        refund_id=UUID(int=3),
        order_id=UUID(int=1),
        lines=lines,
        amount=amount,
        reason="",
        requested_at=NOW,
        confirmed_at=None,
        lowered=lowered,
    )


@given(quantities, st.randoms(use_true_random=False))
def test_all_units_given_back_in_any_portions_bring_exactly_the_total(units: dict[str, int], chance: Random) -> None:
    order = bought(units)
    refunds: list[Refund] = []
    while left := remaining(order, units_back(refunds)):
        line = chance.choice(left)
        portion = RefundLine(line.sku, chance.randint(1, line.quantity))
        plan = plan_return(kept_of(order, refunds), [portion], GiftPolicy.KEEP)
        refunds.append(refund(portion, amount=plan.amount))
    assert sum(each.amount for each in refunds) == order.total


def test_more_than_was_bought_cannot_go_back() -> None:
    order = bought({"A": 2})
    with pytest.raises(RefundTooLarge) as refused:
        plan_return(kept_of(order, [refund(RefundLine("A", 1))]), [RefundLine("A", 2)], GiftPolicy.KEEP)
    assert refused.value.fields == {"sku": "A", "left": 1}
    for lines in ([RefundLine("B", 1)], [RefundLine("A", 1), RefundLine("A", 2)]):
        with pytest.raises(RefundTooLarge):
            plan_return(kept_of(order, []), lines, GiftPolicy.KEEP)


def test_gifts_are_no_units_that_remain_and_go_with_what_is_cancelled() -> None:
    gift = promotion("G", Gift(sku="B", reach=1, quantity=2))
    order = order_of(priced(rules_of({"A": 3_333, "B": 1_001}, [gift]), {"A": 1}))
    assert remaining(order, {}) == (RefundLine("A", 1),)
    assert everything_left(order, {}) == (RefundLine("A", 1), RefundLine("B", 2))
    assert all_is_back(order, {"A": 1})
    assert everything_left(order, {"A": 1, "B": 1}) == (RefundLine("B", 1),)


def test_units_that_became_cheaper_bring_what_is_left_of_their_shares() -> None:
    order = bought({"A": 3})
    earlier = refund(amount=600, lowered=(Lowered("A", 0, 3, 600),))
    plans = [plan_return(kept_of(order, given), [RefundLine("A", 3)], GiftPolicy.KEEP) for given in ([], [earlier])]
    assert [plan.amount for plan in plans] == [order.total, order.total - 600]


def test_another_refund_than_the_one_shown_is_refused() -> None:
    plan = plan_return(kept_of(bought({"A": 1}), []), [RefundLine("A", 1)], GiftPolicy.KEEP)
    require_shown(plan, None)
    require_shown(plan, plan.amount)
    with pytest.raises(RefundChanged) as refused:
        require_shown(plan, plan.amount - 1)
    assert refused.value.fields == {"amount": plan.amount, "expected_amount": plan.amount - 1}
