"""What the worker does for bots: each night it deletes what is older than thirty days."""

from tidegate.base.db import Database
from tidegate.base.jobs import Jobs
from tidegate.gate.bots.api import Bots

TIDY_TASK = "bots.tidy"


def schedule(jobs: Jobs, db: Database, bots: Bots) -> None:
    """Register the nightly deletion."""

    async def tidy() -> None:
        async with db.transaction() as tx:
            await bots.tidy(tx)

    jobs.nightly(TIDY_TASK, tidy)
