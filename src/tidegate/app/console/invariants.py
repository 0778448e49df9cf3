"""The invariants for staff: what must always hold, whether it does, and when it was looked at last."""

from litestar import Response, get, post

from tidegate.app.console.frame import Desk, PageRequest
from tidegate.app.pages.answer import see_other
from tidegate.base.db import Database
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires
from tidegate.watch.monitor.api import Monitor


@get("/console/invariants", include_in_schema=False, dependencies={"staff": requires(Permission.MONITOR_VIEW)})
async def invariants(request: PageRequest, desk: Desk, staff: Staff, db: Database, monitor: Monitor) -> Response[bytes]:
    """Show the newest examination and the ones before it."""
    async with db.read() as tx:
        examinations = await monitor.examinations(tx, 60)
    newest = examinations[0] if examinations else None
    health = await monitor.health(db)
    return await desk.show(
        request, staff, "invariants", "invariants.html", newest=newest, examinations=examinations, health=health
    )


@post(
    "/console/invariants",
    include_in_schema=False,
    status_code=303,
    dependencies={"staff": requires(Permission.DOCTOR_RUN)},
    request_max_body_size=1_024,
)
async def examine(staff: Staff, db: Database, monitor: Monitor) -> Response[bytes]:
    """Examine now, keep what was found, and show it."""
    del staff
    examination = await monitor.examine(db)
    async with db.transaction() as tx:
        await monitor.keep_examination(tx, examination)
    return see_other("/console/invariants")
