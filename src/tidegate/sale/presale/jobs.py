"""What presale repeats in the worker process."""

from tidegate.base.jobs import Jobs
from tidegate.sale.presale.api import Presales

_DUE_SECONDS = 1.0


def schedule(jobs: Jobs, presales: Presales) -> None:
    """Let the worker end what was not paid in time; what is due stands in the rows, so that nothing is forgotten."""
    jobs.every(_DUE_SECONDS, "presale.due", presales.end_due)
