"""Prize draws for shoppers: conditions and prizes, one's own entries and prizes, who won, and what proves it."""

import msgspec
from litestar import Response, get

from tidegate.app.storefront.visit import Visit
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Wording, draw_words
from tidegate.offer.campaign.contracts import Words
from tidegate.sale.draws.api import Draws
from tidegate.sale.draws.contracts import DrawView, OwnEntry


class Shown(msgspec.Struct, frozen=True):
    """A draw with its conditions in words and the reader's own entries."""

    view: DrawView
    words: tuple[Words, ...]
    mine: list[OwnEntry]


@get("/draws", include_in_schema=False)
async def all_draws(visit: Visit, draws: Draws, db: Database) -> Response[bytes]:
    """Every draw of the campaign, in the order of their closing."""
    version, account = visit.version, visit.session.account_id if visit.session else None
    shown = []
    async with db.read() as tx:
        won = await draws.prizes.won_by(tx, account) if account else []
    if version is not None:
        wording = Wording(version.definition, zone=visit.zone)
        async with db.read() as tx:
            for view in await draws.views(tx, version.campaign_id, account):
                mine = await draws.entries_of(tx, view.draw_id, account) if account else []
                shown.append(Shown(view, draw_words(view.terms, wording), mine))
    late = {each.draw_id for each in won if each.is_late(visit.now)}
    return visit.personal("draws", draws=shown, won=won, late=late, signed_in=account is not None)


routes = [all_draws]
