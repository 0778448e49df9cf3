"""What the worker does for rehearsals: it puts back the campaign that a killed replay left interrupted."""

from tidegate.base.db import Database
from tidegate.base.jobs import Jobs
from tidegate.offer.campaign.api import Campaign
from tidegate.watch.rehearsal.interruption import Publish, put_back

_LOOK_SECONDS = 5.0


def schedule(jobs: Jobs, db: Database, campaign: Campaign, publish: Publish) -> None:
    """Register what the worker repeats; while no replay's campaign is current it costs nothing."""

    async def look() -> None:
        await put_back(db, campaign, publish)

    jobs.every(_LOOK_SECONDS, "rehearsal.put_back", look)
