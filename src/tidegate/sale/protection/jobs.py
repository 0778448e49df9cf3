"""What price protection does by itself: once a night it gives back every difference that is due."""

from tidegate.base.jobs import Jobs
from tidegate.sale.protection.api import Protection


def schedule(jobs: Jobs, protection: Protection) -> None:
    """Register the night's work."""
    jobs.nightly("protection.sweep", protection.sweep)
