"""The invariants of presale, held against its own books, stock's, payment's and ordering's."""

from datetime import datetime, timedelta

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import Purpose
from tidegate.sale.presale import store
from tidegate.sale.presale.contracts import ReservationState
from tidegate.sale.presale.rules import HOLDING
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import Fingerprint, HoldState

_GRACE = timedelta(seconds=60)
_DEPOSITED = (
    ReservationState.DEPOSITED,
    ReservationState.COMPLETED,
    ReservationState.FORFEITED,
    ReservationState.COMPENSATED,
)


async def check(tx: Tx, now: datetime, stock: Stock, payment: Payment, ordering: Ordering) -> list[Check]:
    """Compare what reservations say with the books of the modules below, on one snapshot."""
    deposits_coming, balances_coming = await store.waiting(tx)
    balances = await store.balances_fingerprint(tx)
    overdue = await store.overdue(tx, now - _GRACE)
    return [
        _same(
            "presale: reservations have exactly their units held",
            await store.units_fingerprint(tx, HOLDING),
            await stock.fingerprint(tx, HoldState.HELD, reserved=True),
        ),
        _same(
            "presale: each captured deposit belongs to one reservation",
            await store.deposits_fingerprint(tx, _DEPOSITED),
            await payment.captured_fingerprint(tx, Purpose.DEPOSIT, leaving_out=deposits_coming),
        ),
        _same(
            "presale: each completed reservation has one captured balance",
            balances,
            await payment.captured_fingerprint(tx, Purpose.BALANCE, leaving_out=balances_coming),
        ),
        _same(
            "presale: completed reservations are orders, and only those",
            balances,
            await ordering.balances_fingerprint(tx),
        ),
        _same(
            "presale: forfeited deposits are booked as such, once each",
            await store.deposits_fingerprint(tx, (ReservationState.FORFEITED,)),
            await payment.settled_fingerprint(tx, forfeited=True),
        ),
        Check(
            name="presale: unpaid reservations end within a minute of their time",
            holds=overdue == 0,
            examined=balances.count,
            detail=f"{overdue} reservations wait" if overdue else "",
        ),
    ]


def _same(name: str, ours: Fingerprint, theirs: Fingerprint) -> Check:
    same = ours == theirs
    return Check(name=name, holds=same, examined=ours.count, detail="" if same else f"{ours} here, {theirs} there")
