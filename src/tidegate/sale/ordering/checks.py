"""The invariants of ordering: its orders held against stock, coupons and payment, on one snapshot."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import astuple

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.coupons.contracts import CouponState
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.ordering import store, store_figures
from tidegate.sale.ordering.contracts import OrderState
from tidegate.sale.payment.api import Payment
from tidegate.sale.points.api import Points
from tidegate.sale.points.contracts import EntryKind
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import HoldState


class Reservations(Protocol):
    """Who else uses the counters that orders use."""

    async def counters_used(self, tx: Tx) -> Mapping[str, int]:
        """Return how much of each counter is used by reservations that are no orders yet, by key."""
        ...


PAID_STATES = (OrderState.PAID, OrderState.REFUNDING, OrderState.REFUNDED)
_OVERDUE_GRACE = timedelta(seconds=60)


async def check(
    tx: Tx,
    now: datetime,
    pricing: Pricing,
    stock: Stock,
    coupons: Coupons,
    points: Points,
    payment: Payment,
    reservations: Reservations | None,
) -> list[Check]:
    """Return what holds and what does not, with figures."""
    examined, misadded = await store.misadded(tx)
    overdue = await store.overdue(tx, now - _OVERDUE_GRACE)
    return [
        Check(
            name="ordering: lines and shipping add up to the total of each order",
            holds=not misadded,
            examined=examined,
            detail=", ".join(map(str, misadded)),
        ),
        await _holds(tx, stock, "placed", (OrderState.PLACED,), HoldState.HELD),
        await _holds(tx, stock, "paid", PAID_STATES, HoldState.SOLD),
        Check(
            name="ordering: unpaid orders end within a minute of their time",
            holds=overdue == 0,
            examined=examined,
            detail=f"{overdue} orders wait" if overdue else "",
        ),
        await _captures(tx, payment),
        await _refunds(tx, payment),
        await _counters(tx, pricing, reservations),
        await _coupons(tx, coupons, "placed", (OrderState.PLACED,), CouponState.FROZEN),
        await _coupons(tx, coupons, "paid", PAID_STATES, CouponState.USED),
        await _points(tx, points, "placed", (OrderState.PLACED,), EntryKind.HELD),
        await _points(tx, points, "paid", PAID_STATES, EntryKind.SPENT),
    ]


async def _holds(tx: Tx, stock: Stock, word: str, states: Sequence[OrderState], hold: HoldState) -> Check:
    lines = await store.lines_fingerprint(tx, states)
    holds = await stock.fingerprint(tx, hold)
    return Check(
        name=f"ordering: {word} orders have exactly their units {hold}",
        holds=lines == holds,
        examined=lines.count,
        detail="" if lines == holds else f"orders say {lines}, stock says {holds}",
    )


async def _counters(tx: Tx, pricing: Pricing, reservations: Reservations | None) -> Check:
    """What orders and reservations use of limits, budgets, slots and codes, and have not given back, is what their
    counters hold.
    """
    reserved = await reservations.counters_used(tx) if reservations else {}
    ours = await store_figures.counters_used(tx, (OrderState.PLACED, *PAID_STATES), reserved)
    theirs = await pricing.in_use(tx)
    return Check(
        name="ordering: counters of limits, budgets, slots and codes hold exactly what orders and reservations use",
        holds=ours == theirs,
        examined=ours.counters,
        detail="" if ours == theirs else f"they say {ours}, pricing says {theirs}",
    )


async def _coupons(tx: Tx, coupons: Coupons, word: str, states: Sequence[OrderState], state: CouponState) -> Check:
    """The claimed coupons of orders in these states are in that state; those of other orders are not."""
    shown = await store.coupons_fingerprint(tx, states)
    held = await coupons.in_orders(tx, state)
    return Check(
        name=f"ordering: {word} orders have exactly their claimed coupons {state}",
        holds=shown == held,
        examined=shown[0],
        detail="" if shown == held else f"orders say {shown}, coupons say {held}",
    )


async def _points(tx: Tx, points: Points, word: str, states: Sequence[OrderState], kind: EntryKind) -> Check:
    """The points that orders in these states were priced with are held or spent, and no others."""
    priced = await store.points_fingerprint(tx, states)
    moved = await points.in_orders(tx, kind)
    return Check(
        name=f"ordering: {word} orders have exactly their points {kind}",
        holds=priced == moved,
        examined=priced.orders,
        detail="" if priced == moved else f"orders say {priced}, points say {moved}",
    )


async def _refunds(tx: Tx, payment: Payment) -> Check:
    """Orders count what was confirmed and have no more promised than was paid; payment has the same refunds."""
    examined, broken = await store_figures.misrefunded(tx)
    ours, theirs = await store_figures.refunds_fingerprint(tx), await payment.asked_fingerprint(tx)
    detail = ", ".join(map(str, broken)) or ("" if ours == theirs else f"orders say {ours}, payment says {theirs}")
    return Check(
        name="ordering: what orders count as refunded is what was confirmed, and payment has the same refunds",
        holds=not detail,
        examined=examined,
        detail=detail,
    )


async def _captures(tx: Tx, payment: Payment) -> Check:
    """Paid orders and captured payments are the same set; captures on their way to a placed order are left out.

    Which these are, is asked for only while there are any: that takes the ids of all orders that are not paid.
    """
    paid = await store.totals_fingerprint(tx, PAID_STATES)
    captured = await payment.captured_fingerprint(tx)
    if astuple(paid) != astuple(captured):
        captured = await payment.captured_fingerprint(tx, leaving_out=await store.placed_ids(tx))
    holds = astuple(paid) == astuple(captured)
    return Check(
        name="ordering: each paid order has one captured payment of its total",
        holds=holds,
        examined=paid.count,
        detail="" if holds else f"orders say {paid}, payment says {captured}",
    )
