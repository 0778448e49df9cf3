"""What the worker does for the edge: purges after publications, until the edge takes them."""

from tidegate.base.db import Database
from tidegate.base.jobs import Jobs
from tidegate.gate.edge.api import PURGE_TASK, TRIES_MAX, Edge


def schedule(jobs: Jobs, db: Database, edge: Edge) -> None:
    """Register the task that purges: 9 tries, 2, 4, 8 ... seconds apart."""

    async def purge(purge_id: int) -> None:
        await edge.purge_published(db, purge_id)

    jobs.task(PURGE_TASK, purge, attempts_max=TRIES_MAX - 1)
