"""What becomes of a group, pure: where its seats stand by the orders behind them, whether it is filled or failed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from tidegate.sale.groups.contracts import Group, GroupState, Seat, SeatState
from tidegate.sale.ordering.contracts import OrderState

GRACE = timedelta(seconds=5)
"""A payment that was captured within the time may be told of so much later."""

_ENDED_UNPAID = frozenset({OrderState.CANCELLED, OrderState.EXPIRED})
_GIVEN_BACK = frozenset({OrderState.REFUNDING, OrderState.REFUNDED})
HELD = (SeatState.TAKEN, SeatState.PAID, SeatState.CONFIRMED)
"""The states in which a seat takes one of its group's places."""


class Verdict(StrEnum):
    """What a group's seats make of it."""

    WAIT = "wait"
    FILL = "fill"
    FAIL = "fail"


def seat_key(seat_id: UUID) -> str:
    """Return the idempotency key of a seat's order: one order a seat, however often it is asked for."""
    return f"seat-{seat_id.hex}"


def seat_of_key(key: str) -> UUID | None:
    """Return the seat that an order with this idempotency key is for, or None for any other order."""
    if not key.startswith("seat-"):
        return None
    try:
        return UUID(key.removeprefix("seat-"))
    except ValueError:
        return None


def fills_by(opened_at: datetime, fill_seconds: int, closes_at: datetime) -> datetime:
    """Return when a group's time is over: no later than the sale, after which nobody could join."""
    return min(opened_at + timedelta(seconds=fill_seconds), closes_at)


def seat_state(seat: Seat, order: OrderState | None, group: GroupState) -> SeatState:
    """Return where a seat stands, by its order and its group; what has ended does not change any more."""
    if seat.state in {SeatState.CONFIRMED, SeatState.REFUNDED, SeatState.LEFT} or order is None:
        return seat.state
    if order in _ENDED_UNPAID:
        return SeatState.LEFT
    if order in _GIVEN_BACK:
        # Given back by its buyer while the group was forming; by the shop once it had failed.
        return SeatState.REFUNDED if group is GroupState.FAILED else SeatState.LEFT
    return SeatState.PAID if order is OrderState.PAID else SeatState.TAKEN


def followed(seats: Sequence[Seat], orders: Mapping[UUID, OrderState], group: GroupState) -> list[Seat]:
    """Return the seats as their orders have it."""
    return [
        msgspec.structs.replace(
            seat, state=seat_state(seat, orders.get(seat.order_id) if seat.order_id else None, group)
        )
        for seat in seats
    ]


def verdict(group: Group, seats: Sequence[Seat], now: datetime) -> Verdict:
    """Decide on a forming group by its followed seats: all paid fills it, even late; a time that is over fails it."""
    if sum(seat.state is SeatState.PAID for seat in seats) == group.size:
        return Verdict.FILL
    return Verdict.FAIL if now >= group.fills_by + GRACE else Verdict.WAIT


def counts(seats: Sequence[Seat]) -> tuple[int, int]:
    """Return how many of a group's places are taken, and how many of them are paid."""
    taken = sum(seat.state in HELD for seat in seats)
    return taken, sum(seat.state in HELD[1:] for seat in seats)


def newly_ended(before: Sequence[Seat], after: Sequence[Seat]) -> list[UUID]:
    """Return the orders of seats that ended between two looks, paid or not."""
    ended = {SeatState.LEFT, SeatState.REFUNDED}
    return [
        new.order_id
        for old, new in zip(before, after, strict=True)
        if new.order_id and new.state in ended and old.state not in ended
    ]
