"""Payments for staff: the channels and how they answer, the ledger, and what channels said that does not fit."""

from datetime import timedelta

from litestar import Response, get

from tidegate.app.console.frame import Desk, PageRequest
from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.sale.payment.api import Payment
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.contracts import ChannelMinute, Outcome

CHART_MINUTES = 60


@get("/console/payments", include_in_schema=False, dependencies={"staff": requires(Permission.PAYMENTS_VIEW)})
async def payments(
    *, request: PageRequest, desk: Desk, staff: Staff, db: Database, clock: Clock, payment: Payment, monitor: Monitor
) -> Response[bytes]:
    """Show the channels' health and success, the ledger, reconciliation and discrepancies."""
    now = clock.now()
    async with db.read() as tx:
        snapshot = await monitor.live(tx, points=False)
        channels = await payment.channels(tx)
        balances = await payment.balances(tx)
        reports = await payment.reports(tx)
        discrepancies = await payment.discrepancies(tx, now - timedelta(days=30))
        minutes = await monitor.channels_between(tx, now - timedelta(minutes=CHART_MINUTES), now)
    return await desk.show(
        request,
        staff,
        "payments",
        "payments.html",
        snapshot=snapshot,
        channels=channels,
        figures={each.channel: each for each in snapshot.channels},
        balances=balances,
        reports=reports,
        discrepancies=discrepancies,
        minutes=by_minute(minutes),
        debits=sum(each.debits for each in balances),
        credits=sum(each.credits for each in balances),
    )


def by_minute(minutes: list[ChannelMinute]) -> dict[str, list[dict[str, object]]]:
    """Return for each channel its minutes with attempts and success, as the chart reads them."""
    counted: dict[tuple[str, int], dict[Outcome, int]] = {}
    for each in minutes:
        counted.setdefault((each.channel, int(each.minute_at.timestamp())), {})[each.outcome] = each.attempts
    charted: dict[str, list[dict[str, object]]] = {}
    for (channel, at), outcomes in sorted(counted.items()):
        captured = outcomes.get(Outcome.CAPTURED, 0)
        decided = captured + outcomes.get(Outcome.FAILED, 0) + outcomes.get(Outcome.UNKNOWN, 0)
        success = captured / decided if decided else None
        charted.setdefault(channel, []).append({"at": at, "attempts": sum(outcomes.values()), "success": success})
    return charted
