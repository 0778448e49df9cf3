"""Prize draws for staff: how far each is, its hash, root and seed, and the winners with their orders."""

import msgspec
from litestar import Response, get

from tidegate.app.console.frame import Desk, PageRequest
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.draws.api import Draws
from tidegate.sale.draws.contracts import DrawView, Winner
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires


class Shown(msgspec.Struct, frozen=True):
    """A draw with its winners."""

    view: DrawView
    winners: list[Winner]


@get("/console/draws", include_in_schema=False, dependencies={"staff": requires(Permission.CAMPAIGN_VIEW)})
async def draws_page(
    request: PageRequest, desk: Desk, staff: Staff, db: Database, draws: Draws, campaign: Campaign
) -> Response[bytes]:
    """Show every draw of the current campaign."""
    current = campaign.current()
    async with db.read() as tx:
        views = await draws.views(tx, current.campaign_id) if current else []
        shown = [Shown(view, await draws.winners(tx, view.draw_id)) for view in views]
    currency = current.definition.currency if current else "CNY"
    return await desk.show(request, staff, "draws", "draws.html", draws=shown, currency=currency)
