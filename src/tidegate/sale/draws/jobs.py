"""What draws do by themselves: open, seal and draw when it is time."""

from tidegate.base.jobs import Jobs
from tidegate.sale.draws.api import Draws

STEP_SECONDS = 1.0


def schedule(jobs: Jobs, draws: Draws) -> None:
    """Register the repeated step."""
    jobs.every(STEP_SECONDS, "draws.step", draws.step)
