"""Brings what was stated to its orders: unpaid ones are given up, paid ones refunded or put off, by the published rule.

Each call is one transaction over a bounded number of orders and reads what is short from stock's own rows: a process
that dies at any moment leaves nothing behind that the next call does not take up.
"""

from collections.abc import Sequence
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.ids import Ids
from tidegate.base.outbox import Outbox
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import Order, OrderState, RefundLine
from tidegate.sale.shortfall import rules, store
from tidegate.sale.shortfall.contracts import Act, Line, Outcome, Remedy, UnitsFellShort
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import HoldState, Promise, Units

QUEUE_MAX = 5_000
"""Promises that are looked at in one go; what is short beyond them has its turn in the next."""
_UNPAID_AT_ONCE, _PAID_AT_ONCE = 200, 50


class QueueMoved(Exception):
    """Whose turn it is changed while the orders were being locked: to be tried again."""


class Settlement:
    """Settles what is short of one SKU, a transaction at a time."""

    def __init__(self, clock: Clock, ids: Ids, outbox: Outbox, stock: Stock, ordering: Ordering) -> None:
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._stock = stock
        self._ordering = ordering

    async def queue(self, tx: Tx, campaign_id: str, sku: str) -> tuple[list[Promise], set[UUID]]:
        """Return who is promised units, in the order of the rule, and the orders that staff decide about."""
        queue = await self._stock.promises(tx, campaign_id, sku, QUEUE_MAX)
        sold = [each.order_id for each in queue if each.state is HoldState.SOLD]
        return queue, await self._ordering.cannot_fall_short(tx, sold)

    async def release_unpaid(self, tx: Tx, act: Act) -> int:
        """Give the newest unpaid orders up that hold what is short; return how many. Those being paid stay."""
        short = await self._short(tx, act)
        queue = await self._stock.promises(tx, act.campaign_id, act.sku, QUEUE_MAX) if short else []
        wanted = rules.newest_unpaid(queue, short)[:_UNPAID_AT_ONCE]
        unpaid = [each for each in await self._ordering.lock_orders(tx, wanted) if each.state is OrderState.PLACED]
        if not unpaid:
            return 0
        ids = [order.order_id for order in unpaid]
        await self._ordering.call_off(tx, ids, act.reason)
        states = await self._ordering.states(tx, ids)
        ended = [order for order in unpaid if states[order.order_id] is OrderState.CANCELLED]
        await self._tell(tx, act, [self._line(act, order, _units_of(order, act.sku)) for order in ended])
        return len(ended)

    async def take_from_paid(self, tx: Tx, act: Act) -> int:
        """Refund or put off what is short of the latest paid orders; return how many orders that were.

        Orders are locked before the level, as everywhere; under its lock the choice is made again. Raises QueueMoved.
        """
        short = await self._short(tx, act)
        if not short:
            return 0
        queue, left_out = await self.queue(tx, act.campaign_id, act.sku)
        likely = rules.latest_paid(queue, act.sku, short, left_out)[:_PAID_AT_ONCE]
        orders = {
            each.order_id: each for each in await self._ordering.lock_orders(tx, [each.order_id for each in likely])
        }
        if not orders:
            return 0
        await self._stock.lock(
            tx, act.campaign_id, {line.sku for each in orders.values() for line in each.priced.lines}
        )
        queue, left_out = await self.queue(tx, act.campaign_id, act.sku)
        chosen = rules.latest_paid(queue, act.sku, await self._short(tx, act), left_out)[:_PAID_AT_ONCE]
        if any(each.order_id not in orders for each in chosen):
            raise QueueMoved
        if act.remedy is Remedy.LATER:
            await self._stock.put_off(tx, act.campaign_id, chosen)
        await self._tell(tx, act, [await self._decided(tx, act, orders[each.order_id], each) for each in chosen])
        return len(chosen)

    async def _short(self, tx: Tx, act: Act) -> int:
        levels = await self._stock.levels(tx, act.campaign_id, [act.sku])
        return levels[act.sku].short

    async def _decided(self, tx: Tx, act: Act, order: Order, units: Units) -> Line:
        line_id = self._ids.new()
        if act.remedy is Remedy.LATER:
            return self._line(act, order, units.quantity, Outcome.LATER, line_id)
        refund = await self._ordering.fall_short(
            tx,
            order.order_id,
            None,
            [RefundLine(units.sku, units.quantity)],
            act.reason,
            by=act.stated_by,
            key=refund_key(line_id),
        )
        return self._line(
            act, order, units.quantity, Outcome.REFUNDED, line_id, refund_id=refund.refund_id, amount=refund.amount
        )

    def _line(
        self,
        act: Act,
        order: Order,
        units: int,
        outcome: Outcome = Outcome.RELEASED,
        line_id: UUID | None = None,
        *,
        refund_id: UUID | None = None,
        amount: int = 0,
    ) -> Line:
        return Line(
            line_id=line_id or self._ids.new(),
            act_id=act.act_id,
            order_id=order.order_id,
            buyer_id=order.buyer_id,
            sku=act.sku,
            units=units,
            outcome=outcome,
            deliver_by=act.deliver_by if outcome is Outcome.LATER else None,
            reason=act.reason,
            amount=amount,
            refund_id=refund_id,
            decided_at=self._clock.now(),
            declined_at=None,
        )

    async def _tell(self, tx: Tx, act: Act, lines: Sequence[Line]) -> None:
        await store.insert_lines(tx, lines)
        await self._outbox.append(tx, *[_event(act, line) for line in lines])


def refund_key(line_id: UUID) -> str:
    """Return the key under which a line's refund is asked for."""
    return f"shortfall-{line_id}"


def _units_of(order: Order, sku: str) -> int:
    return sum(line.quantity for line in order.priced.lines if line.sku == sku)


def _event(act: Act, line: Line) -> UnitsFellShort:
    return UnitsFellShort(
        line_id=line.line_id,
        order_id=line.order_id,
        buyer_id=line.buyer_id,
        campaign_id=act.campaign_id,
        sku=line.sku,
        units=line.units,
        outcome=line.outcome,
        deliver_by=line.deliver_by,
        amount=line.amount,
        reason=line.reason,
        told_at=line.decided_at,
    )
