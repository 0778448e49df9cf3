"""The campaign that a replay interrupts: which it is, and that it is current again although the replay was killed."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import REPLAYS, CampaignDefinition, CampaignVersion
from tidegate.watch.rehearsal.errors import ReplayUnderWay

Publish = Callable[[CampaignDefinition, str], Awaitable[CampaignVersion]]
"""Makes a definition the current campaign, with its goods and stock, in a transaction of its own."""

BY = "tidegate rehearse replay"
_LOCK = 0x7265706C6179  # "replay": one at a time on one installation


@asynccontextmanager
async def replaying(db: Database) -> AsyncIterator[None]:
    """Be the only replay until the end, which for PostgreSQL is also the end of this process, however it comes.

    Raises ReplayUnderWay, DatabaseUnavailable.
    """
    async with db.connection() as connection:
        row = await (await connection.execute("select pg_try_advisory_lock(%s)", [_LOCK])).fetchone()
        if row != (True,):
            raise ReplayUnderWay(
                "Another replay is under way here; two would take each other's campaign away. Nothing was sent. "
                "Wait for its end, or stop it."
            )
        yield


async def interrupted(db: Database, campaign: Campaign) -> CampaignVersion | None:
    """Return what was published last by anybody but a replay; None without it."""
    async with db.newest() as tx:
        return await campaign.last_published(tx, besides=REPLAYS)


async def put_back(db: Database, campaign: Campaign, publish: Publish) -> bool:
    """Publish again what a replay interrupted, where that replay ended without doing so; whether there was need to."""
    current = campaign.current()
    if current is None or re.match(REPLAYS, current.campaign_id) is None:
        return False
    try:
        async with replaying(db):
            before = await interrupted(db, campaign)
            if before is None:
                return False
            await publish(before.definition, BY)
    except ReplayUnderWay:
        return False
    return True
