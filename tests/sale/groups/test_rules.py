"""What becomes of seats and groups, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.sale.groups import rules
from tidegate.sale.groups.contracts import Group, GroupState, Seat, SeatState
from tidegate.sale.groups.rules import GRACE, Verdict
from tidegate.sale.ordering.contracts import OrderState

NOW = datetime(2026, 11, 11, tzinfo=UTC)
ENDED = (SeatState.CONFIRMED, SeatState.REFUNDED, SeatState.LEFT)


def group(size: int, *, state: GroupState = GroupState.FORMING) -> Group:
    return Group(
        group_id=uuid4(),
        campaign_id="double-11",
        sku="KTL-G",
        size=size,
        state=state,
        taken=0,
        paid=0,
        opened_at=NOW,
        fills_by=NOW + timedelta(hours=1),
        ended_at=None,
    )


def seat(state: SeatState = SeatState.TAKEN, order_id: UUID | None = None) -> Seat:
    return Seat(
        seat_id=uuid4(),
        group_id=uuid4(),
        buyer_id=uuid4(),
        key="group-key-1",
        quantity=1,
        order_id=order_id,
        state=state,
        taken_at=NOW,
    )


@given(st.lists(st.sampled_from(list(OrderState)), max_size=8), st.integers(2, 8))
def test_a_group_is_filled_when_as_many_orders_as_places_are_paid(states: list[OrderState], size: int) -> None:
    orders = {uuid4(): state for state in states}
    seats = rules.followed([seat(order_id=each) for each in orders], orders, GroupState.FORMING)
    paid = sum(state is OrderState.PAID for state in states)
    in_time = rules.verdict(group(size), seats, NOW)
    assert in_time is (Verdict.FILL if paid == size else Verdict.WAIT)
    taken, counted = rules.counts(seats)
    assert (taken, counted) == (paid + sum(state is OrderState.PLACED for state in states), paid)


@given(st.sampled_from(list(SeatState)), st.sampled_from(list(OrderState)), st.sampled_from(list(GroupState)))
def test_a_seat_that_ended_never_moves_and_looking_twice_changes_nothing(
    state: SeatState, order: OrderState, group_state: GroupState
) -> None:
    first = rules.seat_state(seat(state, uuid4()), order, group_state)
    if state in ENDED:
        assert first is state
    again = msgspec.structs.replace(seat(state, uuid4()), state=first)
    assert rules.seat_state(again, order, group_state) is first


@pytest.mark.parametrize(
    ("order", "group_state", "expected"),
    [
        (OrderState.PLACED, GroupState.FORMING, SeatState.TAKEN),
        (OrderState.PAID, GroupState.FORMING, SeatState.PAID),
        (OrderState.EXPIRED, GroupState.FORMING, SeatState.LEFT),
        (OrderState.CANCELLED, GroupState.FAILED, SeatState.LEFT),
        (OrderState.REFUNDING, GroupState.FORMING, SeatState.LEFT),
        (OrderState.REFUNDING, GroupState.FAILED, SeatState.REFUNDED),
        (OrderState.REFUNDED, GroupState.FAILED, SeatState.REFUNDED),
    ],
)
def test_a_seat_stands_where_its_order_and_group_have_it(
    order: OrderState, group_state: GroupState, expected: SeatState
) -> None:
    assert rules.seat_state(seat(order_id=uuid4()), order, group_state) is expected


def test_a_group_fails_only_after_a_payment_in_time_could_be_heard_of() -> None:
    forming = group(2)
    seats = [seat(SeatState.PAID, uuid4()), seat(SeatState.TAKEN, uuid4())]
    assert rules.verdict(forming, seats, forming.fills_by + GRACE - timedelta(microseconds=1)) is Verdict.WAIT
    assert rules.verdict(forming, seats, forming.fills_by + GRACE) is Verdict.FAIL
    both = [seat(SeatState.PAID, uuid4()), seat(SeatState.PAID, uuid4())]
    assert rules.verdict(forming, both, forming.fills_by + GRACE) is Verdict.FILL


def test_a_group_ends_with_the_sale_at_the_latest() -> None:
    assert rules.fills_by(NOW, 60, NOW + timedelta(hours=1)) == NOW + timedelta(seconds=60)
    assert rules.fills_by(NOW, 7_200, NOW + timedelta(hours=1)) == NOW + timedelta(hours=1)


def test_the_key_of_a_seats_order_names_the_seat() -> None:
    seat_id = uuid4()
    assert rules.seat_of_key(rules.seat_key(seat_id)) == seat_id
    assert rules.seat_of_key("seat-of-mine") is None
    assert rules.seat_of_key("another-key") is None
