"""Follows the orders of groups: each that moves brings its group along, and groups end when their time is over."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.groups import rules, store
from tidegate.sale.groups.contracts import GroupState, Seat
from tidegate.sale.groups.settling import Settlement
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import OrderCancelled, OrderExpired, OrderPaid, OrderRefunded, UnitsReturned

SEAT_GIVEN_UP = "its place in the group was given up meanwhile"
_DUE_MAX = 50
_BINDING = timedelta(seconds=60)
"""A seat that has no order after so long belongs to a process that died, or to nobody."""


class Following:
    """Moves groups and seats to where their orders stand."""

    def __init__(
        self, db: Database, clock: Clock, campaign: Campaign, ordering: Ordering, settlement: Settlement
    ) -> None:
        self._db = db
        self._clock = clock
        self._campaign = campaign
        self._ordering = ordering
        self._settlement = settlement

    def subscribe(self, outbox: Outbox) -> None:
        """Hear what becomes of orders."""
        outbox.subscribe(
            "groups",
            {
                OrderPaid: self.take_paid,
                OrderExpired: self.take_moved,
                OrderCancelled: self.take_moved,
                UnitsReturned: self.take_moved,
                OrderRefunded: self.take_moved,
            },
        )

    async def take_paid(self, tx: Tx, paid: list[OrderPaid]) -> None:
        """Look at the groups of paid orders; one at a group price without a seat is bound to its own, or refunded."""
        groups = await store.groups_of_orders(tx, [order.order_id for order in paid])
        for order in await self._without_seat(tx, [order for order in paid if order.order_id not in groups]):
            group_id = await self._bind_late(tx, order.order_id, order.buyer_id)
            if group_id is not None:
                groups[order.order_id] = group_id
        await self._settle(tx, groups.values())

    async def take_moved(
        self, tx: Tx, moved: Sequence[OrderExpired | OrderCancelled | UnitsReturned | OrderRefunded]
    ) -> None:
        """Look at the groups of orders that ended unpaid or gave money back."""
        groups = await store.groups_of_orders(tx, [order.order_id for order in moved])
        await self._settle(tx, groups.values())

    async def _settle(self, tx: Tx, group_ids: Iterable[UUID]) -> None:
        for group_id in sorted(set(group_ids)):
            group = await store.lock_group(tx, group_id)
            if group is not None:
                await self._settlement.settle(tx, group, self._clock.now())

    async def _without_seat(self, tx: Tx, paid: Sequence[OrderPaid]) -> list[OrderPaid]:
        """Return those of the orders that are for goods which are sold to groups only; mostly none."""
        current = self._campaign.current()
        now_sold = {each.sku for each in current.definition.group_buys} if current else set()
        sold = now_sold | await store.sells(tx, sorted({sku for order in paid for sku, _ in order.lines}))
        return [order for order in paid if any(sku in sold for sku, _ in order.lines)]

    async def placed_in_groups(self, tx: Tx, paid: Sequence[OrderPaid]) -> set[UUID]:
        """Return those of the paid orders that are for a seat: bound to it, or not yet, or called off without it."""
        bound = set(await store.groups_of_orders(tx, [order.order_id for order in paid]))
        rest = await self._without_seat(tx, [order for order in paid if order.order_id not in bound])
        if rest:
            keys = await self._ordering.keys_of_buyers(tx, sorted({order.buyer_id for order in rest}))
            for_seats = {each.order_id for each in keys if rules.seat_of_key(each.idempotency_key) is not None}
            bound |= for_seats & {order.order_id for order in rest}
        return bound

    async def _bind_late(self, tx: Tx, order_id: UUID, buyer_id: UUID) -> UUID | None:
        """Bind an order whose process died before it could; return its group, or call it off without a seat."""
        keys = await self._ordering.keys_of_buyers(tx, [buyer_id])
        seat_id = next((rules.seat_of_key(each.idempotency_key) for each in keys if each.order_id == order_id), None)
        seat = await store.seat_by_id(tx, seat_id) if seat_id is not None else None
        if seat is None:
            await self._ordering.call_off(tx, [order_id], SEAT_GIVEN_UP)
            return None
        return seat.group_id if await self.bind(tx, seat, order_id) else None

    async def end_due(self) -> int:
        """End groups whose time is over; return how many. Each is one transaction: all its orders or none."""
        ended = 0
        while ended < _DUE_MAX:
            async with self._db.transaction() as tx:
                now = self._clock.now()
                due = await store.lock_due(tx, now - rules.GRACE, 1)
                for group in due:
                    await self._settlement.settle(tx, group, now)
            if not due:
                break
            ended += len(due)
        return ended

    async def tidy(self) -> int:
        """Bind or give up seats whose order was never bound, and refund what was paid late into failed groups."""
        async with self._db.transaction() as tx:
            forgotten = await store.unbound(tx, self._clock.now() - _BINDING, _DUE_MAX)
            unsettled = await store.unsettled(tx, _DUE_MAX)
        for seat in forgotten:
            await self._remember(seat)
        for group_id in unsettled:
            async with self._db.transaction() as tx:
                await self._settle(tx, [group_id])
        return len(forgotten) + len(unsettled)

    async def _remember(self, seat: Seat) -> None:
        key = rules.seat_key(seat.seat_id)
        async with self._db.transaction() as tx:
            orders = await self._ordering.keys_of_buyers(tx, [seat.buyer_id])
            order_id = next((each.order_id for each in orders if each.idempotency_key == key), None)
            if order_id is not None:
                await self.bind(tx, seat, order_id)
                await self._settle(tx, [seat.group_id])
        if order_id is None:
            await self.drop(seat)

    async def bind(self, tx: Tx, seat: Seat, order_id: UUID) -> bool:
        """Bind an order to its seat; or call it off where the seat was given up, and return False."""
        group = await store.lock_group(tx, seat.group_id)
        if group is None or await store.bind(tx, seat.seat_id, order_id) is None:
            await self._ordering.call_off(tx, [order_id], SEAT_GIVEN_UP)
            return False
        if group.state is GroupState.FAILED:
            await self._settlement.settle(tx, group, self._clock.now())
        return True

    async def drop(self, seat: Seat) -> None:
        """Free a seat whose order was never placed; nothing where it has one. A group without any seat goes with it."""
        async with self._db.transaction() as tx:
            if await store.lock_group(tx, seat.group_id) is not None:
                await store.drop_seat(tx, seat.seat_id)
                await store.drop_empty(tx, seat.group_id)
