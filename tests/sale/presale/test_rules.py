"""Decisions of presale without a database: what an order costs, when a balance is due, how refunds are split."""

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import START
from tests.sale.presale.presales_made import SKU, presale
from tidegate.sale.ordering.contracts import Order, OrderState
from tidegate.sale.ordering.rules import refund_parts
from tidegate.sale.presale import rules
from tidegate.sale.presale.contracts import Reservation, ReservationState
from tidegate.sale.presale.errors import BalanceNotDue, PresaleLimitReached, PresaleNotOpen, ReservationEnded

SECOND = timedelta(seconds=1)


def reservation(
    state: ReservationState = ReservationState.DEPOSITED,
    *,
    price: int = 100_000,
    deposit: int = 10_000,
    counts_for: int = 20_000,
    quantity: int = 2,
) -> Reservation:
    made = presale()
    return Reservation(
        reservation_id=uuid4(),
        buyer_id=uuid4(),
        campaign_id="double-11",
        campaign_version=1,
        sku=SKU,
        quantity=quantity,
        state=state,
        currency="CNY",
        list_price=price + 1,
        price=price,
        deposit=deposit,
        counts_for=counts_for,
        deposit_id=uuid4(),
        deposit_due_at=START + timedelta(minutes=15),
        balance_from_at=made.balance_from_at,
        balance_until_at=made.balance_until_at,
        ships_by_at=made.ships_by_at,
        reserved_at=START,
        deposited_at=START,
        balance_asked_at=None,
        completed_at=None,
        ended_at=None,
    )


@given(st.integers(2, 10**9), st.integers(1, 99), st.data())
def test_an_order_costs_deposit_and_balance_and_every_unit_the_same(
    price: int, quantity: int, data: st.DataObject
) -> None:
    counts_for = data.draw(st.integers(1, price - 1))
    deposit = data.draw(st.integers(1, counts_for))
    made = reservation(price=price, deposit=deposit, counts_for=counts_for, quantity=quantity)
    priced = rules.priced(made)
    [line] = priced.lines
    assert priced.total == made.deposit_total + made.balance_total == sum(step.amount for step in priced.steps)
    assert priced.total == priced.goods_total - priced.discount_total + priced.shipping
    assert line.payable == line.unit_price * quantity - line.discount == sum(s.units * s.paid for s in line.shares)
    assert [line.paid_for(unit, 1) for unit in range(quantity)] == [priced.total // quantity] * quantity
    assert presale(price=price, deposit=deposit, counts_for=counts_for).in_all * quantity == priced.total


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.lists(st.integers(1, 10**6), max_size=20))
def test_refunds_take_from_each_payment_no_more_than_it_took(balance: int, deposit: int, asked: list[int]) -> None:
    made = reservation()
    order = msgspec.structs.replace(_order(made), total=balance + deposit, deposit=deposit)
    taken: dict[UUID, int] = {}
    back = 0
    for each in asked:
        amount = min(each, order.total - back)
        if not amount:
            break
        parts = refund_parts(order, back, amount)
        assert sum(part for _, part in parts) == amount
        for payment_id, part in parts:
            taken[payment_id] = taken.get(payment_id, 0) + part
        back += amount
    assert taken.get(order.order_id, 0) == min(back, balance)
    assert taken.get(made.deposit_id, 0) == max(back - balance, 0) <= deposit


def test_an_order_without_a_deposit_is_refunded_from_its_own_payment() -> None:
    made = reservation()
    order = msgspec.structs.replace(_order(made), deposit=0, deposit_id=None)
    assert refund_parts(order, 0, order.total) == ((order.order_id, order.total),)


def _order(made: Reservation) -> Order:
    priced = rules.priced(made)
    return Order(
        order_id=made.reservation_id,
        buyer_id=made.buyer_id,
        campaign_id=made.campaign_id,
        address_id=uuid4(),
        state=OrderState.PAID,
        total=priced.total,
        currency="CNY",
        refunded=0,
        coupon=None,
        priced=priced,
        placed_at=START,
        expires_at=START,
        paid_at=START,
        ended_at=None,
        deposit=made.deposit_total,
        deposit_id=made.deposit_id,
    )


def test_windows_hold_from_their_first_moment_and_before_their_last() -> None:
    made = presale()
    assert isinstance(rules.window_refusal(made, made.deposit_from_at - SECOND), PresaleNotOpen)
    assert rules.window_refusal(made, made.deposit_from_at) is None
    assert rules.window_refusal(made, made.deposit_until_at - SECOND) is None
    assert isinstance(rules.window_refusal(made, made.deposit_until_at), PresaleNotOpen)
    found = reservation()
    assert isinstance(rules.balance_refusal(found, found.balance_from_at - SECOND), BalanceNotDue)
    assert rules.balance_refusal(found, found.balance_from_at) is None
    assert rules.balance_refusal(found, found.balance_until_at - SECOND) is None
    assert isinstance(rules.balance_refusal(found, found.balance_until_at), ReservationEnded)


@pytest.mark.parametrize("state", [each for each in ReservationState if each is not ReservationState.DEPOSITED])
def test_only_a_deposited_reservation_owes_a_balance(state: ReservationState) -> None:
    found = reservation(state)
    refusal = rules.balance_refusal(found, found.balance_from_at)
    match state:
        case ReservationState.COMPLETED:
            assert refusal is None
        case ReservationState.RESERVED:
            assert isinstance(refusal, BalanceNotDue)
        case _:
            assert isinstance(refusal, ReservationEnded)


def test_a_limit_of_none_lets_everything_through() -> None:
    assert rules.limit_refusal(presale(per_buyer=0), 9, 90) is None
    assert rules.limit_refusal(presale(per_buyer=2), 1, 1) is None
    assert isinstance(rules.limit_refusal(presale(per_buyer=2), 1, 2), PresaleLimitReached)


def test_an_end_is_an_end() -> None:
    moves = {(a, b) for a in ReservationState for b in ReservationState if rules.may_move(a, b)}
    ends = {each for each in ReservationState if not any(a is each for a, _ in moves)}
    assert ends == {
        ReservationState.EXPIRED,
        ReservationState.CANCELLED,
        ReservationState.FORFEITED,
        ReservationState.COMPENSATED,
    }
    assert all(a is not b for a, b in moves)
