"""Prize draws for staff: how far each is, its hash, root and seed, and what waits of its prizes."""

import msgspec
from litestar import Response, get

from tidegate.app.console.frame import Desk, PageRequest
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.draws.api import Draws
from tidegate.sale.draws.contracts import DrawView, Tally
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires


class Shown(msgspec.Struct, frozen=True):
    """A draw with how many won each of its prizes, by place, and how those stand."""

    view: DrawView
    won: dict[int, int]
    tally: Tally | None


@get("/console/draws", include_in_schema=False, dependencies={"staff": requires(Permission.CAMPAIGN_VIEW)})
async def draws_page(
    request: PageRequest, desk: Desk, staff: Staff, db: Database, draws: Draws, campaign: Campaign
) -> Response[bytes]:
    """Show every draw of the current campaign, and what waits of the prizes of all that were drawn."""
    current = campaign.current()
    async with db.read() as tx:
        views = await draws.views(tx, current.campaign_id) if current else []
        tallies = await draws.prizes.tallies(tx)
    by_draw = {each.draw_id: each for each in tallies}
    return await desk.show(
        request,
        staff,
        "draws",
        "draws.html",
        draws=[Shown(view, _won(view), by_draw.get(view.draw_id)) for view in views],
        tallies=tallies,
        currency=current.definition.currency if current else "CNY",
    )


def _won(view: DrawView) -> dict[int, int]:
    counts: dict[int, int] = {}
    for winner in view.winners:
        counts[winner.prize] = counts.get(winner.prize, 0) + 1
    return counts
