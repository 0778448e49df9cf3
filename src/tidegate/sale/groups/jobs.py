"""What groups do by themselves: end when their time is over, and mend what a process that died left behind."""

from tidegate.base.jobs import Jobs
from tidegate.sale.groups.api import Groups

END_SECONDS = 1.0
TIDY_SECONDS = 10.0


def schedule(jobs: Jobs, groups: Groups) -> None:
    """Register the repeated steps. What is due stands in the rows, so nothing is lost with a process."""
    jobs.every(END_SECONDS, "groups.end", groups.end_due)
    jobs.every(TIDY_SECONDS, "groups.tidy", groups.tidy)
