"""What proves the draw of a line: the draw for everybody, recomputed in the reader's browser, and one's own receipt.

Both are there after the sale, too, and of campaigns that are over: a receipt as long as the browser keeps its place.
"""

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import Parameter

from tidegate.app.pages.rendering import Html
from tidegate.app.storefront.visit import Visit
from tidegate.base.db import Database, Tx
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.contracts import PLACE_COOKIE, PublishedDraw
from tidegate.gate.queue.errors import NoWaitingRoom, PlaceRefused
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId

PLACE_BYTES = 112
"""What one line of the sealed list costs to fetch."""

KnownId = Annotated[CampaignId, Parameter(pattern="^[a-z][a-z0-9-]{0,39}$", max_length=40)]


@get("/line/draws/{campaign_id:str}", include_in_schema=False)
async def draw_of_a_line(
    visit: Visit, queue: Queue, campaign: Campaign, db: Database, campaign_id: KnownId
) -> Response[bytes]:
    """The draw of a campaign's line, with what recomputes it."""

    async def make() -> Html:
        async with db.read() as tx:
            draw = await _draw(tx, visit, queue, campaign_id)
            versions = await campaign.versions(tx, campaign_id, 1)
        title = versions[0].title if versions else None
        return visit.render(
            "draw", draw=draw, title=title, campaign_id=campaign_id, place_bytes=PLACE_BYTES, zone=visit.zone.key
        )

    return await visit.public(make)


async def _draw(tx: Tx, visit: Visit, queue: Queue, campaign_id: CampaignId) -> PublishedDraw | None:
    """Return the draw; None while the current campaign's line is still to open. Raises NoWaitingRoom."""
    try:
        return await queue.draw(tx, campaign_id)
    except NoWaitingRoom:
        version = visit.version
        if version is None or version.campaign_id != campaign_id or version.definition.waiting_room is None:
            raise
        return None


@get("/line/receipt", include_in_schema=False)
async def receipt(visit: Visit, queue: Queue, db: Database) -> Response[bytes]:
    """Why the reader's place stands, or stood, where it does. Raises NotSignedIn."""
    account = visit.account
    try:
        async with db.read() as tx:
            found = await queue.receipt_for(tx, visit.cookie(PLACE_COOKIE), account)
    except PlaceRefused:
        return visit.personal("line-receipt", receipt=None, status=404)
    return visit.personal("line-receipt", receipt=found, facts=msgspec.json.encode(found).decode())


routes = [draw_of_a_line, receipt]
