"""Brings a locked group to where its orders have it: fills it, fails it, or leaves it forming; in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tidegate.base.db import Tx
from tidegate.base.outbox import Outbox
from tidegate.sale.groups import rules, store
from tidegate.sale.groups.contracts import Group, GroupFailed, GroupFilled, GroupState, Seat, SeatState
from tidegate.sale.groups.rules import Verdict
from tidegate.sale.ordering.api import Ordering

NOT_FILLED = "the group was not filled in time"


class Settlement:
    """Decides on groups by their orders as they stand, locked; done again it changes nothing."""

    def __init__(self, outbox: Outbox, ordering: Ordering) -> None:
        self._outbox = outbox
        self._ordering = ordering

    async def settle(self, tx: Tx, group: Group, now: datetime) -> Group:
        """Return a locked group as it stands after its orders were looked at."""
        if group.state is GroupState.FILLED:
            return group
        before = await store.seats(tx, group.group_id)
        seats = await self._followed(tx, before, group.state)
        is_failing = group.state is GroupState.FORMING and rules.verdict(group, seats, now) is Verdict.FAIL
        # Who gave a paid place back before the group had filled has not used anything of a limit.
        calls_off = _orders_of(seats) if is_failing or group.state is GroupState.FAILED else ()
        await self._ordering.call_off(tx, calls_off, NOT_FILLED, given_up=rules.newly_ended(before, seats))
        if group.state is GroupState.FAILED:
            return await self._give_back(tx, group, before, seats, now)
        if is_failing:
            failed = msgspec.structs.replace(group, state=GroupState.FAILED, ended_at=now)
            return await self._give_back(tx, failed, before, seats, now)
        if rules.verdict(group, seats, now) is Verdict.FILL:
            return await self._fill(tx, group, before, seats, now)
        return await self._write(tx, group, before, seats, now)

    async def _followed(self, tx: Tx, seats: Sequence[Seat], state: GroupState) -> list[Seat]:
        orders = await self._ordering.lock_states(tx, _orders_of(seats))
        return rules.followed(seats, orders, state)

    async def _fill(self, tx: Tx, group: Group, before: Sequence[Seat], seats: Sequence[Seat], now: datetime) -> Group:
        confirmed = [
            msgspec.structs.replace(seat, state=SeatState.CONFIRMED) if seat.state is SeatState.PAID else seat
            for seat in seats
        ]
        filled = msgspec.structs.replace(group, state=GroupState.FILLED, ended_at=now)
        await self._outbox.append(
            tx,
            GroupFilled(
                group_id=group.group_id,
                campaign_id=group.campaign_id,
                sku=group.sku,
                order_ids=_orders_in(confirmed, SeatState.CONFIRMED),
                filled_at=now,
            ),
        )
        return await self._write(tx, filled, before, confirmed, now)

    async def _give_back(
        self, tx: Tx, group: Group, before: Sequence[Seat], seats: Sequence[Seat], now: datetime
    ) -> Group:
        """End the seats of a failed group, whose orders are called off; one whose payment is under way later."""
        after = await self._followed(tx, seats, GroupState.FAILED)
        refunded = set(_orders_in(after, SeatState.REFUNDED)) - set(_orders_in(before, SeatState.REFUNDED))
        if refunded or group.ended_at == now:
            await self._outbox.append(
                tx,
                GroupFailed(
                    group_id=group.group_id,
                    campaign_id=group.campaign_id,
                    sku=group.sku,
                    order_ids=tuple(sorted(refunded)),
                    failed_at=now,
                ),
            )
        return await self._write(tx, group, before, after, now)

    async def _write(self, tx: Tx, group: Group, before: Sequence[Seat], after: Sequence[Seat], now: datetime) -> Group:
        taken, paid = rules.counts(after)
        written = msgspec.structs.replace(group, taken=taken, paid=paid)
        await store.write(tx, written, [seat for seat in after if seat not in before], now)
        return written


def _orders_of(seats: Sequence[Seat]) -> list[UUID]:
    """Return the orders of the seats that have not ended; those that have are left alone for ever."""
    return [seat.order_id for seat in seats if seat.order_id and seat.state in {SeatState.TAKEN, SeatState.PAID}]


def _orders_in(seats: Sequence[Seat], state: SeatState) -> tuple[UUID, ...]:
    return tuple(seat.order_id for seat in seats if seat.order_id and seat.state is state)
