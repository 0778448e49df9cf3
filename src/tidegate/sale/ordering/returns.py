"""What goes back of paid orders, on orders that are locked: units by the plan, or money alone for units that stay sold.

Nothing here opens a transaction or sends money: payment promises each amount in the same transaction, its worker sends
it, and `confirm` counts it when the channel has confirmed it.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.ids import Ids
from tidegate.base.outbox import Event, Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId, GiftPolicy
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.pricing.api import Lowered, RefundPlan
from tidegate.sale.ordering import store
from tidegate.sale.ordering.contracts import (
    Kept,
    Order,
    OrderRefunded,
    OrderState,
    Refund,
    RefundLine,
    RefundReason,
    UnitsReturned,
)
from tidegate.sale.ordering.errors import KeyReused
from tidegate.sale.ordering.refunding import after, all_is_back, everything_left, kept_of, plan_return, require_shown
from tidegate.sale.ordering.rules import refund_parts
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import PaymentRefunded, RefundCause
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import Units


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for money back, why, which amount was shown before (None: none was), and under which key."""

    reason: str
    cause: RefundReason = RefundReason.RETURNED
    by: str = ""
    expected: int | None = None
    key: str | None = None


class Returns:
    """Gives back what paid orders are owed. The caller has locked the order and knows that it is paid."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        outbox: Outbox,
        campaign: Campaign,
        coupons: Coupons,
        stock: Stock,
        payment: Payment,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._campaign = campaign
        self._coupons = coupons
        self._stock = stock
        self._payment = payment

    async def kept(self, tx: Tx, order: Order) -> Kept:
        """Return what the buyer still has of an order."""
        return kept_of(order, await store.refunds_of(tx, order.order_id))

    async def plan(self, tx: Tx, kept: Kept, lines: Sequence[RefundLine]) -> RefundPlan:
        """Return what these units would bring back; nothing is changed. Raises RefundTooLarge."""
        return plan_return(kept, lines, await self._policy(tx, kept.order))

    async def _policy(self, tx: Tx, order: Order) -> GiftPolicy:
        """Return what the version that priced the order says of gifts."""
        if not order.priced.gifts:
            return GiftPolicy.KEEP
        version = await self._campaign.version(tx, CampaignId(order.campaign_id), order.priced.rules_version)
        return version.definition.returns.gifts

    async def cancel(self, tx: Tx, order: Order, asking: Asking) -> Refund:
        """Give up all that is left, with the gifts, which have not left the house."""
        kept = await self.kept(tx, order)
        asking = msgspec.structs.replace(asking, cause=RefundReason.CANCELLED)
        return await self._give_back(tx, kept, everything_left(order, kept.back), asking)

    async def fall_short(self, tx: Tx, order: Order, lines: Sequence[RefundLine], asking: Asking) -> Refund:
        """Refund units that cannot be delivered; once nothing bought is left, the gifts stay with the shop, too."""
        kept = await self.kept(tx, order)
        if all_is_back(order, after(kept, lines)):
            lines = everything_left(order, kept.back)
        return await self._give_back(tx, kept, lines, msgspec.structs.replace(asking, cause=RefundReason.SHORTFALL))

    async def asked_before(self, tx: Tx, order: Order, key: str, lines: Sequence[RefundLine]) -> Refund | None:
        """Return what was given back of an order under this key, or None. Raises KeyReused for other units."""
        refund = await store.refund_of_key(tx, order.order_id, key)
        if refund is not None and set(refund.lines) != set(lines):
            raise KeyReused(
                "This idempotency key belongs to a refund of other units. Nothing was refunded. "
                "Look at the order again, and use a new key.",
                order_id=order.order_id,
            )
        return refund

    async def give_back(self, tx: Tx, order: Order, lines: Sequence[RefundLine], asking: Asking) -> Refund:
        """Take units back for what the plan says. Raises RefundTooLarge, RefundChanged."""
        return await self._give_back(tx, await self.kept(tx, order), lines, asking)

    async def _give_back(self, tx: Tx, kept: Kept, lines: Sequence[RefundLine], asking: Asking) -> Refund:
        plan, order = await self.plan(tx, kept, lines), kept.order
        require_shown(plan, asking.expected)
        first, *further = await self._promise(tx, kept, plan.amount, asking)
        first = msgspec.structs.replace(
            first,
            lines=tuple(lines),
            points=plan.points,
            shipping=plan.shipping,
            withheld=plan.withheld,
            gifts=plan.gifts,
        )
        await store.insert_refund(tx, first, asking.key)
        for refund in further:
            await store.insert_refund(tx, refund)
        units = [Units(order.order_id, line.sku, line.quantity) for line in lines]
        await self._stock.take_back(tx, order.campaign_id, units)
        events: list[Event] = [_returned(order, first, plan.amount)]
        if all_is_back(order, after(kept, lines)) and await self._end(
            tx, order, [*kept.refunds, first, *further], first.requested_at
        ):
            events.append(_refunded(order, plan.amount, first.requested_at, complete=True))
        await self._outbox.append(tx, *events)
        return first

    async def lower(self, tx: Tx, order: Order, given: Sequence[Lowered], asking: Asking) -> Refund:
        """Give money alone back, at least 1 minor unit: the units stay sold, and bring so much less when they come."""
        asking = msgspec.structs.replace(asking, cause=RefundReason.PROTECTION)
        kept = await self.kept(tx, order)
        first, *further = await self._promise(tx, kept, sum(each.amount for each in given), asking)
        first = msgspec.structs.replace(first, lowered=tuple(given))
        for refund in (first, *further):
            await store.insert_refund(tx, refund)
        return first

    async def _promise(self, tx: Tx, kept: Kept, amount: int, asking: Asking) -> list[Refund]:
        """Let payment promise the money back from the payments that it came through, one refund for each of them.

        Where there is none to send, one refund is complete at once. Only the first names what came back, so that no
        unit counts twice.
        """
        now = self._clock.now()
        order = kept.order
        promised = []
        for payment_id, part in refund_parts(order, sum(refund.amount for refund in kept.refunds), amount):
            sent = part > 0
            refund_id = await self._payment.refund(tx, payment_id, part, asking.reason) if sent else self._ids.new()
            promised.append(
                Refund(
                    refund_id=refund_id,
                    order_id=order.order_id,
                    lines=(),
                    amount=part,
                    reason=asking.reason,
                    requested_at=now,
                    confirmed_at=None if sent else now,
                    cause=asking.cause,
                    asked_by=asking.by,
                )
            )
        return promised

    async def _end(self, tx: Tx, order: Order, refunds: Sequence[Refund], at: datetime) -> bool:
        """Set the state of an order of which everything is back; return whether its money is, too."""
        complete = all(refund.confirmed_at is not None for refund in refunds)
        if complete:
            await self._return_coupon(tx, order)
        await store.move(tx, [order.order_id], OrderState.REFUNDED if complete else OrderState.REFUNDING, at)
        return complete

    async def confirm(self, tx: Tx, event: PaymentRefunded) -> None:
        """Count a confirmed refund on its order; money that came for nothing and went back is not the order's."""
        owners = await store.orders_of_refunds(tx, [event.refund_id]) if event.cause is RefundCause.ASKED else {}
        if event.refund_id not in owners:
            return
        [order] = await store.lock_orders(tx, [owners[event.refund_id]])
        if not await store.confirm_refund(tx, event.refund_id, event.refunded_at):
            return
        complete = order.state is OrderState.REFUNDING and await self._end(
            tx, order, await store.refunds_of(tx, order.order_id), event.refunded_at
        )
        await self._outbox.append(tx, _refunded(order, event.amount, event.refunded_at, complete=complete))

    async def _return_coupon(self, tx: Tx, order: Order) -> None:
        """Give the claimed coupon of an order that was refunded in full back, where its campaign says so."""
        if order.own_coupon and await self._coupons.give_back_refunded(tx, order.order_id, order.own_coupon):
            await store.part_with_coupon(tx, order.order_id)


def _refunded(order: Order, amount: int, at: datetime, *, complete: bool) -> OrderRefunded:
    return OrderRefunded(
        order_id=order.order_id, campaign_id=order.campaign_id, amount=amount, complete=complete, refunded_at=at
    )


def _returned(order: Order, refund: Refund, amount: int) -> UnitsReturned:
    return UnitsReturned(
        order_id=order.order_id,
        buyer_id=order.buyer_id,
        campaign_id=order.campaign_id,
        refund_id=refund.refund_id,
        lines=tuple((line.sku, line.quantity) for line in refund.lines),
        amount=amount,
        points=refund.points,
        returned_at=refund.requested_at,
    )
