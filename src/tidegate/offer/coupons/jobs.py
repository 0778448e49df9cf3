"""What coupons do by themselves: end what has lost its validity."""

from tidegate.base.jobs import Jobs
from tidegate.offer.coupons.api import Coupons

EXPIRE_SECONDS = 1.0


def schedule(jobs: Jobs, coupons: Coupons) -> None:
    """Register the repeated step."""
    jobs.every(EXPIRE_SECONDS, "coupons.expire", coupons.expire_due)
