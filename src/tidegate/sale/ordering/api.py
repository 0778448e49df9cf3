"""What can be done with orders. Placing goes through the hot lane; everything else is an ordinary transaction."""

import logging
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tidegate.base.batch import Overloaded
from tidegate.base.clock import Clock
from tidegate.base.db import Database, DatabaseUnavailable, Tx
from tidegate.base.errors import Refusal
from tidegate.base.http import KEY_PATTERN
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.gate.limits.contracts import Asker
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.coupons.contracts import Why
from tidegate.offer.pricing.api import Lowered, Pricing, RefundPlan
from tidegate.offer.pricing.contracts import Cart, CartLine, RuleSet
from tidegate.sale.ordering import checks, store, store_figures
from tidegate.sale.ordering.contracts import (
    Asked,
    Kept,
    Order,
    OrderFilter,
    OrderPage,
    OrderState,
    PaidOrder,
    PastOrder,
    Placed,
    PlaceOrder,
    Refund,
    RefundLine,
    RefundReason,
    ReservedOrder,
    Terms,
)
from tidegate.sale.ordering.errors import (
    KeyMalformed,
    KeyReused,
    OrderDenied,
    OrderEnded,
    OrderUnknown,
    PaymentUnderWay,
    RefundReasonMissing,
    SaleNotOpen,
)
from tidegate.sale.ordering.lane import HotLane
from tidegate.sale.ordering.refunding import left_of, next_refund_key, units_back
from tidegate.sale.ordering.reserved import request_hash_of, told_of
from tidegate.sale.ordering.returns import Asking, Returns
from tidegate.sale.ordering.rules import GIVEN_UP, may_move, request_hash, units_of
from tidegate.sale.ordering.sharing import beyond_instrument
from tidegate.sale.ordering.shown import Price, ShownPrices
from tidegate.sale.ordering.store_figures import OrderKey, OrderSums, SoldSpan
from tidegate.sale.ordering.telling import cancelled_of, expired_of, paid_of
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import PaymentCaptured, PaymentRefunded
from tidegate.sale.points.api import Points
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import Claim, Fingerprint, Units

__all__ = ["Ordering", "left_of", "next_refund_key", "units_back"]

log = logging.getLogger(__name__)

_key = re.compile(KEY_PATTERN, re.ASCII)
REASON_LENGTH_MIN = 3
_DUE_MAX = 500
_BUSY_DELAY = timedelta(seconds=3)


class Ordering:
    """Orders from placing to refund."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        outbox: Outbox,
        campaign: Campaign,
        pricing: Pricing,
        coupons: Coupons,
        points: Points,
        stock: Stock,
        payment: Payment,
        lane: HotLane,
        ids: Ids,
        *,
        hold_seconds: int | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._outbox = outbox
        self._campaign = campaign
        self._pricing = pricing
        self._coupons = coupons
        self._points = points
        self._stock = stock
        self._payment = payment
        self._lane = lane
        self._shown = ShownPrices(db, pricing)
        self._returns = Returns(clock, ids, outbox, campaign, coupons, stock, payment)
        self._hold_seconds = hold_seconds
        self._reservations: checks.Reservations | None = None

    def follow(self, reservations: checks.Reservations) -> None:
        """Say who else uses the counters of limits, so that the check of them counts both."""
        self._reservations = reservations

    async def place(
        self,
        buyer_id: UUID,
        key: str,
        command: PlaceOrder,
        asker: Asker | None = None,
        *,
        session_id: UUID | None = None,
        price: Price | None = None,
    ) -> Placed:
        """Take an order, durably, or refuse it and change nothing.

        Limits by device count over the device of `session_id`; an order without a session counts in none.
        Without `price` the order is priced as any other; with it by that function of pricing's.

        An order once placed is the answer to its buyer's `key` for ever; with another command the key is refused.
        With an `asker` it is counted against the rate limits, together with its batch; without, the door has done so.
        Raises KeyMalformed, KeyReused, SaleNotOpen, PriceChanged, SlotEnded, AddressUnknown, OrderDenied, the limits'
        RateLimitReached and RateLimitUnknown, stock's SoldOut, points' PointsShort,
        pricing's and coupons' refusals, Overloaded and DatabaseUnavailable.
        """
        if not _key.match(key):
            raise KeyMalformed(
                "The header Idempotency-Key must be 8 to 64 letters, digits, hyphens or underscores, "
                "new for each order and the same when an order is sent again. Nothing was ordered."
            )
        try:
            asked = await self._asked(buyer_id, key, command, asker, session_id, price)
        except (Overloaded, DatabaseUnavailable):
            raise
        except Refusal:
            await self._lane.count(asker)
            earlier = await self._earlier(buyer_id, key, command)
            if earlier is None:
                raise
            return earlier
        try:
            return await self._lane.submit(asked)
        except OrderDenied:
            earlier = await self._earlier(buyer_id, key, command)
            if earlier is None:
                raise
            return earlier

    async def _asked(
        self,
        buyer_id: UUID,
        key: str,
        command: PlaceOrder,
        asker: Asker | None,
        session_id: UUID | None,
        price: Price | None,
    ) -> Asked:
        """Price the command by the rules of this moment. Who the buyer is, is read only where its goods ask for it."""
        rules = self._pricing.rules
        now = self._clock.now()
        _require_open(rules, now)
        cart = Cart(tuple(CartLine(line.sku, line.quantity) for line in command.lines), command.coupon)
        own_coupon = self._coupons.code_shown(command.coupon)
        points = command.points or 0
        facts = await self._pricing.facts_of(cart, buyer_id, now, points=points)
        priced = await self._shown.price(command, cart, facts, price)
        return Asked(
            buyer_id=buyer_id,
            key=key,
            request_hash=request_hash(command),
            address_id=command.address_id,
            terms=Terms(rules.campaign_id, rules.currency, self._payment_seconds()),
            cart=cart,
            priced=priced,
            own_coupon=own_coupon,
            asker=asker,
            session_id=session_id,
            scoped=self._pricing.scoped_uses(priced),
        )

    def _payment_seconds(self) -> int:
        if self._hold_seconds is not None:
            return self._hold_seconds
        current = self._campaign.current()
        return 60 * current.definition.payment_minutes if current else 900

    async def _earlier(self, buyer_id: UUID, key: str, command: PlaceOrder) -> Placed | None:
        """Return the order that this key belongs to already, whatever the rules of this moment say."""
        async with self._db.transaction() as tx:
            found = (await store.earlier(tx, [(buyer_id, key)])).get((buyer_id, key))
            if found is None:
                return None
            if found.request_hash != request_hash(command):
                raise KeyReused(
                    "This idempotency key belongs to an order that was asked for with another body. "
                    "Nothing was ordered. Send the first body again, or use a new key.",
                    order_id=found.order_id,
                )
            return (await store.placed(tx, [found.order_id]))[found.order_id]

    async def order(self, tx: Tx, order_id: UUID, buyer_id: UUID | None = None) -> Order:
        """Return an order; with `buyer_id`, only if it is that buyer's. Raises OrderUnknown."""
        found = await store.order(tx, order_id)
        if found is None or (buyer_id is not None and found.buyer_id != buyer_id):
            raise OrderUnknown("There is no such order among yours.", order_id=order_id)
        return found

    async def orders_of(self, tx: Tx, buyer_id: UUID, limit: int = 20, offset: int = 0) -> list[Order]:
        """Return a buyer's orders, newest first."""
        return await store.orders_of(tx, buyer_id, limit, offset)

    async def find(self, tx: Tx, asked: OrderFilter) -> OrderPage:
        """Return a page of orders for staff."""
        return await store.find(tx, asked)

    async def sampled(self, tx: Tx, latest: int, at_random: int, also: Sequence[UUID] = ()) -> list[Order]:
        """Return so many of the latest orders, about so many others at random, and these; each once."""
        return await store.sampled(tx, latest, at_random, also)

    async def refunds_of(self, tx: Tx, order_id: UUID) -> list[Refund]:
        """Return an order's refunds, oldest first."""
        return await store.refunds_of(tx, order_id)

    async def cancel(self, tx: Tx, order_id: UUID, buyer_id: UUID, reason: str = "") -> Order:
        """Give an order up: unpaid, its units are free at once; paid, all that is left of it is refunded.

        Giving up a cancelled order again changes nothing. Raises OrderUnknown, PaymentUnderWay, OrderEnded.
        """
        order = await self._locked(tx, order_id, buyer_id)
        if order.state is OrderState.PLACED:
            await self._cancel_unpaid(tx, order)
        elif order.state is OrderState.PAID:
            await self._returns.cancel(tx, order, Asking(reason=reason))
        elif order.state is OrderState.EXPIRED:
            raise OrderEnded("The order had expired already; nothing is held or charged.", order_id=order_id)
        return await self.order(tx, order_id)

    async def refund(
        self,
        tx: Tx,
        order_id: UUID,
        buyer_id: UUID | None,
        lines: Sequence[RefundLine],
        reason: str,
        *,
        by: str = "",
        expected: int | None = None,
        key: str | None = None,
    ) -> Refund:
        """Give back units of a paid order: their shares, fixed at purchase, go back through the channel.

        Without a buyer staff act, named in `by`, and with a reason. `expected` is the amount that was shown before:
        another one is refused. Asked for again under the same `key` it is the same refund. Raises OrderUnknown,
        OrderEnded when it is not paid or all is back already, RefundTooLarge, RefundChanged, RefundReasonMissing,
        KeyReused.
        """
        if buyer_id is None and len(reason.strip()) < REASON_LENGTH_MIN:
            raise RefundReasonMissing(
                f"Write why this goes back, in {REASON_LENGTH_MIN} letters or more. Nothing was refunded."
            )
        order = await self._locked(tx, order_id, buyer_id)
        if key is not None and (before := await self._returns.asked_before(tx, order, key, lines)) is not None:
            return before
        _require_paid(order)
        asking = Asking(reason=reason.strip(), by=by, expected=expected, key=key)
        return await self._returns.give_back(tx, order, lines, asking)

    async def plan_refund(
        self, tx: Tx, order_id: UUID, buyer_id: UUID | None, lines: Sequence[RefundLine]
    ) -> RefundPlan:
        """Return what `refund` would give back now; nothing is changed.

        Raises OrderUnknown, OrderEnded, RefundTooLarge.
        """
        order = await self.order(tx, order_id, buyer_id)
        _require_paid(order)
        return await self._returns.plan(tx, await self._returns.kept(tx, order), lines)

    async def kept(self, tx: Tx, order_id: UUID, buyer_id: UUID | None = None, *, lock: bool = True) -> Kept:
        """Return what a paid order's buyer still has, the order locked. Raises OrderUnknown, OrderEnded."""
        if lock:
            return await self._returns.kept(tx, await self._paid(tx, order_id, buyer_id))
        order = await self.order(tx, order_id, buyer_id)
        _require_paid(order)
        return await self._returns.kept(tx, order)

    async def paid_orders(self, tx: Tx, days: int, after: UUID | None, limit: int) -> list[PaidOrder]:
        """Return paid orders of the last `days`, by their ids, from the one behind `after` on."""
        return await store_figures.paid_orders(tx, self._clock.now() - timedelta(days=days), after, limit)

    async def past_orders(self, tx: Tx, limit: int) -> list[PastOrder]:
        """Return what was bought in the latest paid orders of all campaigns, the newest first."""
        return await store_figures.past_orders(tx, limit)

    async def protected_fingerprint(self, tx: Tx) -> Fingerprint:
        """Return the fingerprint of (refund, amount) over what went back for units that stay sold."""
        return await store_figures.refunds_fingerprint(tx, RefundReason.PROTECTION)

    async def lower(self, tx: Tx, kept: Kept, given: Sequence[Lowered], reason: str, *, by: str = "") -> Refund:
        """Give money alone back for units that stay sold, of an order that `kept` has locked; at least 1 minor unit."""
        return await self._returns.lower(tx, kept.order, given, Asking(reason=reason, by=by))

    async def fall_short(
        self,
        tx: Tx,
        order_id: UUID,
        buyer_id: UUID | None,
        lines: Sequence[RefundLine],
        reason: str,
        *,
        by: str,
        key: str,
    ) -> Refund:
        """Refund units that the shop cannot deliver; with the last that was bought all that is left, gifts too.

        Once under each `key`. Raises OrderUnknown, OrderEnded when it is not paid, RefundTooLarge.
        """
        order = await self._paid(tx, order_id, buyer_id)
        return await self._returns.fall_short(tx, order, lines, Asking(reason=reason, by=by, key=key))

    async def lock_orders(self, tx: Tx, order_ids: Iterable[UUID]) -> list[Order]:
        """Lock these orders in the order of their ids and return them."""
        return await store.lock_orders(tx, order_ids)

    async def cannot_fall_short(self, tx: Tx, order_ids: Sequence[UUID]) -> set[UUID]:
        """Return those of these orders that `fall_short` is not for: once reservations with a deposit, or not paid."""
        return await store_figures.cannot_fall_short(tx, order_ids)

    async def short_fingerprint(self, tx: Tx) -> Fingerprint:
        """Return the fingerprint of (refund, amount) over what went back for units that the shop could not deliver."""
        return await store_figures.refunds_fingerprint(tx, RefundReason.SHORTFALL)

    async def _paid(self, tx: Tx, order_id: UUID, buyer_id: UUID | None) -> Order:
        order = await self._locked(tx, order_id, buyer_id)
        _require_paid(order)
        return order

    async def _locked(self, tx: Tx, order_id: UUID, buyer_id: UUID | None) -> Order:
        locked = await store.lock_orders(tx, [order_id])
        if not locked or buyer_id not in {None, locked[0].buyer_id}:
            raise OrderUnknown("There is no such order among yours.", order_id=order_id)
        return locked[0]

    async def _cancel_unpaid(self, tx: Tx, order: Order) -> None:
        if order.order_id not in await self._payment.close_intents(tx, [order.order_id]):
            raise PaymentUnderWay(
                "A payment of this order is under way. Nothing was cancelled. "
                "Wait for its outcome: once it is paid, the order can be cancelled for a refund.",
                order_id=order.order_id,
            )
        await self._end_unpaid(tx, [order], OrderState.CANCELLED)
        await self._outbox.append(tx, cancelled_of(order, self._clock.now()))

    async def call_off(
        self, tx: Tx, order_ids: Iterable[UUID], reason: str, *, given_up: Collection[UUID] = ()
    ) -> None:
        """Give up orders on the shop's own account: unpaid ones end, paid ones are refunded in full, and what all of
        them used of counters is given back. One transaction; done again, it changes nothing.

        An order whose payment is under way stays placed: call it off again once its outcome is known. Of `given_up`,
        paid orders of which everything is refunded, counters alone are given back, in the same lock.
        """
        wanted = set(order_ids)
        if not wanted and not given_up:
            return
        both = await store.lock_orders(tx, sorted({*wanted, *given_up}))
        locked = [order for order in both if order.order_id in wanted]
        unpaid = [order for order in locked if order.state is OrderState.PLACED]
        closed = await self._payment.close_intents(tx, [order.order_id for order in unpaid]) if unpaid else set()
        unpaid = [order for order in unpaid if order.order_id in closed]
        paid = [order for order in locked if order.state is OrderState.PAID]
        back = [order for order in both if order.order_id in given_up and order.state in GIVEN_UP]
        done = {order.order_id for order in (*paid, *back)}
        fresh = await store.mark_counters_back(tx, done) if done else set()
        await self._give_back_counters(tx, [*unpaid, *(each for each in both if each.order_id in fresh)])
        await self._free_units(tx, unpaid, OrderState.CANCELLED)
        for order in paid:
            await self._returns.cancel(tx, order, Asking(reason=reason))
        now = self._clock.now()
        await self._outbox.append(tx, *[cancelled_of(order, now) for order in unpaid])

    async def paid_between(
        self, tx: Tx, campaign_id: str, since: datetime, until: datetime, *, least: int = 0
    ) -> list[tuple[UUID, UUID]]:
        """Return order and buyer of a campaign's orders that were paid in the span, come to `least` or more (minor
        units) and are not being given back, in the order of their ids.
        """
        return await store_figures.paid_between(tx, campaign_id, since, until, least)

    async def states(self, tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, OrderState]:
        """Return where these orders stand."""
        return await store_figures.states(tx, order_ids)

    async def lock_states(self, tx: Tx, order_ids: Iterable[UUID]) -> dict[UUID, OrderState]:
        """Lock these orders in the order of their ids and return where they stand."""
        return {order.order_id: order.state for order in await store.lock_orders(tx, order_ids)}

    async def take_reserved(self, tx: Tx, reserved: ReservedOrder) -> None:
        """Make a paid order of a reservation: its units are sold, it is told as placed and paid; once, if repeated."""
        now = self._clock.now()
        if not await store.insert_reserved(tx, reserved, request_hash_of(reserved.order_id), now):
            return
        for sku, quantity in units_of(reserved.priced):
            await self._stock.sell_reserved(tx, reserved.campaign_id, Units(reserved.order_id, sku, quantity))
        await self._outbox.append(tx, *told_of(reserved, now))

    async def expire_due(self) -> int:
        """Expire orders whose time to pay is over; return how many. Repeated by the worker.

        One whose payment is under way is looked at again in a few seconds: an unknown outcome is never guessed.
        """
        async with self._db.transaction() as tx:
            now = self._clock.now()
            due = await store.lock_due(tx, now, _DUE_MAX)
            if not due:
                return 0
            closed = await self._payment.close_intents(tx, [order.order_id for order in due])
            expired = [order for order in due if order.order_id in closed]
            busy = [order.order_id for order in due if order.order_id not in closed]
            if busy:
                await store.delay(tx, busy, now + _BUSY_DELAY)
            await self._end_unpaid(tx, expired, OrderState.EXPIRED)
            await self._outbox.append(tx, *[expired_of(order, now) for order in expired])
            return len(expired)

    async def _end_unpaid(self, tx: Tx, orders: Sequence[Order], state: OrderState) -> None:
        """Give counters and units of unpaid orders back and set their state."""
        await self._give_back_counters(tx, orders)
        await self._free_units(tx, orders, state)

    async def _give_back_counters(self, tx: Tx, orders: Sequence[Order]) -> None:
        if not orders:
            return
        broken = await self._pricing.release_counters(tx, [use for order in orders for use in order.priced.counters])
        if broken:
            log.error("counters held less than was given back: %s", ", ".join(broken))

    async def _free_units(self, tx: Tx, orders: Sequence[Order], state: OrderState) -> None:
        if not orders:
            return
        why = Why.ORDER_EXPIRED if state is OrderState.EXPIRED else Why.ORDER_CANCELLED
        await self._coupons.give_back(tx, _with_coupons(orders), why)
        await self._points.release(tx, _with_points(orders))
        for campaign_id, claims in _claims(orders).items():
            await self._stock.release(tx, campaign_id, claims)
        await store.move(tx, [order.order_id for order in orders], state, self._clock.now())

    async def take_captures(self, tx: Tx, captures: list[PaymentCaptured]) -> None:
        """Mark orders as paid and their units as sold; what was marked before is left alone.

        An order beyond the limit of the account that it was paid from is given up again: its money goes back, its
        units are free, and what it used of other limits is given back.
        """
        payers = {capture.order_id: capture.payer for capture in captures}
        locked = await store.lock_orders(tx, sorted(payers))
        paid = [order for order in locked if may_move(order.state, OrderState.PAID)]
        if not paid:
            return
        now = self._clock.now()
        # In the hot lane's order: counters, codes, points, levels.
        beyond = await beyond_instrument(tx, self._pricing, paid, payers)
        if beyond:
            await store.mark_counters_back(tx, beyond)
        await self._coupons.use(tx, _with_coupons(paid))
        await self._points.spend(tx, _with_points(paid))
        for campaign_id, claims in _claims(paid).items():
            await self._stock.sell(tx, campaign_id, claims)
        await store.move(tx, [order.order_id for order in paid], OrderState.PAID, now)
        for order in paid:
            if order.order_id in beyond:
                await self._returns.cancel(tx, order, Asking(reason="limit of the payment account reached"))
        await self._outbox.append(
            tx,
            *[paid_of(order, now) for order in paid if order.order_id not in beyond],
        )

    async def take_refunds(self, tx: Tx, refunds: list[PaymentRefunded]) -> None:
        """Count confirmed refunds on their orders."""
        for event in refunds:
            await self._returns.confirm(tx, event)

    def subscribe(self, outbox: Outbox) -> None:
        """Subscribe to payment's events."""
        outbox.subscribe("ordering", {PaymentCaptured: self.take_captures, PaymentRefunded: self.take_refunds})

    async def sold_spans(
        self, tx: Tx, campaign_id: str, since: datetime, until: datetime, seconds: int
    ) -> list[SoldSpan]:
        """Return what was placed in each span of so many seconds, and what became of it; spans without orders miss."""
        return await store_figures.sold_spans(tx, campaign_id, since, until, seconds)

    async def placed_between(self, tx: Tx, campaign_id: str) -> tuple[datetime, datetime] | None:
        """Return when a campaign's first and last orders were placed; None without orders."""
        return await store_figures.placed_between(tx, campaign_id)

    async def has_paid(self, tx: Tx, buyer_id: UUID) -> bool:
        """Return whether this buyer ever paid for an order, refunded or not."""
        return await store_figures.has_paid(tx, buyer_id)

    async def buyers(self, tx: Tx, campaign_id: str, since: datetime, until: datetime) -> int:
        """Return how many different buyers paid for an order placed in the span."""
        return await store_figures.buyers(tx, campaign_id, since, until)

    async def orders_since(
        self, tx: Tx, campaign_id: str, since: Mapping[UUID, datetime]
    ) -> Mapping[UUID, tuple[int, int]]:
        """Return how many orders each buyer placed since his moment, and how many of them wait for their payment."""
        return await store_figures.orders_since(tx, campaign_id, since)

    async def paid_buyers(self, tx: Tx, buyer_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the buyers who ever paid for an order; one statement."""
        return await store_figures.paid_buyers(tx, buyer_ids)

    async def keys_of_buyers(self, tx: Tx, buyer_ids: Sequence[UUID]) -> list[OrderKey]:
        """Return all orders of these buyers with the idempotency keys under which they were asked for."""
        return await store_figures.keys_of_buyers(tx, buyer_ids)

    async def kept_units(self, tx: Tx, campaign_id: str, sku: str) -> dict[UUID, int]:
        """Return how many units of a product each buyer has in paid orders; one partly given back counts whole."""
        return await store_figures.kept_units(tx, campaign_id, sku)

    async def balances_fingerprint(self, tx: Tx) -> Fingerprint:
        """Return the fingerprint of (order, balance) over all paid orders that were reservations."""
        return await store.totals_fingerprint(tx, checks.PAID_STATES, reserved=True)

    async def sums(self, tx: Tx, order_ids: Sequence[UUID]) -> OrderSums:
        """Return what these orders amount to."""
        return await store_figures.sums(tx, order_ids)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of ordering against the database, on one snapshot."""
        books = self._pricing, self._stock, self._coupons, self._points, self._payment, self._reservations
        return await checks.check(tx, self._clock.now(), *books)


def _require_paid(order: Order) -> None:
    if order.state is not OrderState.PAID:
        raise OrderEnded(
            f"Only a paid order can give units back; this one is {order.state}. Nothing was refunded.",
            state=order.state,
        )


def _with_coupons(orders: Sequence[Order]) -> list[UUID]:
    """Return those that have a claimed coupon: for all others coupons are not asked at all."""
    return [order.order_id for order in orders if order.own_coupon is not None]


def _with_points(orders: Sequence[Order]) -> list[UUID]:
    """Return those that spend points, for the same reason."""
    return [order.order_id for order in orders if order.priced.points_used]


def _claims(orders: Sequence[Order]) -> dict[str, list[Claim]]:
    claims: dict[str, list[Claim]] = defaultdict(list)
    for order in orders:
        claims[order.campaign_id] += [Claim(order.order_id, sku) for sku, _ in units_of(order.priced)]
    return claims


def _require_open(rules: RuleSet, now: datetime) -> None:
    if not rules.opens_at <= now < rules.closes_at:
        when = f"It opens at {rules.opens_at:%Y-%m-%d %H:%M} UTC." if now < rules.opens_at else "It is over."
        raise SaleNotOpen(f"{when} Nothing was ordered.", opens_at=rules.opens_at, closes_at=rules.closes_at)
