"""What shortfall repeats in the worker process."""

from tidegate.base.jobs import Jobs
from tidegate.sale.shortfall.api import Shortfalls

_DUE_SECONDS = 1.0


def schedule(jobs: Jobs, shortfalls: Shortfalls) -> None:
    """Let the worker settle what is short; it stands in stock's rows, so that nothing is forgotten."""
    jobs.every(_DUE_SECONDS, "shortfall.settle", shortfalls.settle_due)
