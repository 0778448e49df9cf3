"""The console's door to the debrief: the printable page of the current campaign, or of another one."""

from typing import Annotated

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import Parameter

from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.payment.api import Payment
from tidegate.sale.stock.api import Stock
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires
from tidegate.watch.debrief.api import Debriefing, page
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.rehearsal.api import last_flood

PATH = "/console/debrief"
_HEADERS = {
    "Cache-Control": "private, no-store",
    # The page carries its own style and drawings along and loads nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
Language = Annotated[str | None, Parameter(pattern="^(zh|en)$", max_length=2, description="Without it, the browser's.")]
CampaignId = Annotated[str | None, Parameter(pattern="^[a-z][a-z0-9-]{0,39}$", max_length=40)]


def provide_debriefing(
    clock: Clock, campaign: Campaign, ordering: Ordering, payment: Payment, stock: Stock
) -> Debriefing:
    """Return the debriefing of this installation."""
    return Debriefing(clock, campaign, ordering, payment, stock)


@get(
    PATH,
    include_in_schema=False,
    dependencies={
        "staff": requires(Permission.MONITOR_VIEW),
        "debriefing": Provide(provide_debriefing, sync_to_thread=False),
    },
)
async def show_debrief(
    *,
    request: Request[object, object, State],
    staff: Staff,
    debriefing: Debriefing,
    monitor: Monitor,
    config: Config,
    db: Database,
    language: Language = None,
    campaign_id: CampaignId = None,
) -> Response[str]:
    """Return the debrief as a page. Figures only: no personal data is in it."""
    del staff  # asked for so that only staff come in
    async with db.snapshot() as tx:
        version = await debriefing.version(tx, campaign_id)
        newest = await monitor.newest_examination(tx)
        flood = last_flood(config.data_dir)
        made = await debriefing.debrief(tx, version, flood=flood, checks=newest.checks if newest else ())
    said = language or ("zh" if request.headers.get("accept-language", "zh").startswith("zh") else "en")
    query = f"&campaign_id={campaign_id}" if campaign_id else ""
    other = f"{PATH}?language={'en' if said == 'zh' else 'zh'}{query}"
    return Response(page(made, said, other=other), media_type="text/html; charset=utf-8", headers=_HEADERS)


routes = [show_debrief]
