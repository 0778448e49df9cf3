"""JSON doors of the monitor, for staff: the live page in one answer, trade by the minute, the doctor's findings."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.errors import NotPermitted, StaffNotSignedIn
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.contracts import Announcement, Examination, LiveSnapshot, TradeMinute
from tidegate.watch.monitor.errors import NotWithinReach

Seconds = Annotated[
    int | None,
    QueryParameter(ge=0, le=4102444800, description="Only points after this moment (Unix seconds); without it all."),
]
Moment = Annotated[int, QueryParameter(ge=0, le=4102444800, description="Unix seconds.")]


@get(
    "/api/v1/monitor/live",
    summary="The present figures",
    description="Everything that the live page shows, measured each second. Poll it with `since` of the last point.",
    tags=["monitor"],
    security=[{"staff": []}],
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def live(monitor: Monitor, db: Database, staff: Staff, since: Seconds = None) -> LiveSnapshot:
    """Return the live page's figures."""
    staff.require(Permission.MONITOR_VIEW)
    async with db.read() as tx:
        return await monitor.live(tx, None if since is None else datetime.fromtimestamp(since, UTC))


@get(
    "/api/v1/monitor/trade",
    summary="Trade by the minute",
    description="Orders and value, placed, paid and ended, of each minute from `since` to `until`; at most 14 days.",
    tags=["monitor"],
    security=[{"staff": []}],
    responses=refuses(StaffNotSignedIn, NotPermitted, NotWithinReach),
)
async def trade(monitor: Monitor, db: Database, staff: Staff, since: Moment, until: Moment) -> list[TradeMinute]:
    """Return the trade of each minute."""
    staff.require(Permission.MONITOR_VIEW)
    async with db.read() as tx:
        return await monitor.figures_between(tx, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC))


@get(
    "/api/v1/monitor/announcements",
    summary="The feed",
    description="What changed and what to do, newest first. Page with `before`, the id of the last line read.",
    tags=["monitor"],
    security=[{"staff": []}],
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def announcements(
    monitor: Monitor,
    db: Database,
    staff: Staff,
    before: Annotated[int | None, QueryParameter(ge=1, le=2**62, description="Only lines older than this one.")] = None,
) -> list[Announcement]:
    """Return lines of the feed."""
    staff.require(Permission.MONITOR_VIEW)
    async with db.read() as tx:
        return await monitor.feed(tx, before=before)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The newest examination, or none before the first."""

    examination: Examination | None


@get(
    "/api/v1/monitor/doctor",
    summary="The invariants",
    description="What the last examination of every invariant found. The worker examines each minute.",
    tags=["monitor"],
    security=[{"staff": []}],
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def examination(monitor: Monitor, db: Database, staff: Staff) -> Verdict:
    """Return the newest examination."""
    staff.require(Permission.MONITOR_VIEW)
    async with db.read() as tx:
        return Verdict(examination=await monitor.newest_examination(tx))


routes = [live, trade, announcements, examination]
