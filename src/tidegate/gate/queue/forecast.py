"""What one place can be told, pure: how many stand before it, how long that takes, whether anything will be left.

The same three computations run in the browser, on the snapshot and the place alone.
"""

import math

from tidegate.gate.queue.contracts import Wait
from tidegate.gate.queue.draw import RANKS
from tidegate.gate.queue.rows import LaneRow

# The tenth and the ninetieth percentile of the normal distribution.
_Z = 1.2815515655446004
_SECONDS_MAX = 86_400


def ahead_of(lane: LaneRow, *, rank: int | None, number: int) -> int | None:
    """Return about how many of the lane stand before a place; None while the draw is not revealed.

    Ranks are even over their range, so count times distance is the expectation; a late place's number is exact.
    """
    if number:
        return max(0, lane.drawn_waiting + number - lane.late_called - 1)
    if rank is None:
        return None
    return max(0, lane.drawn * (rank - lane.threshold) // RANKS)


def wait_for(ahead: int, *, calls: int, seconds: float, until_open: float = 0.0) -> Wait:
    """Return the interval that holds the wait for `ahead` + 1 more calls in eight of ten cases.

    `calls` were seen in the last `seconds`. Calls as a Poisson process with the rate that those leave likely (Gamma):
    the wait is a ratio of two Gamma variables, whose logarithm is near to normal, with digamma and trigamma as moments
    (Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions, volume 2, chapter 27). Without a call nobody
    can say when, only when not.
    """
    if calls <= 0:
        return Wait(early_seconds=_whole(until_open), late_seconds=None)
    needed = ahead + 1
    centre = _digamma(needed) - _digamma(calls)
    spread = _Z * math.sqrt(_trigamma(needed) + _trigamma(calls))
    early, late = (until_open + seconds * math.exp(centre + side * spread) for side in (-1, 1))
    return Wait(early_seconds=_whole(early), late_seconds=_whole(late) if late <= _SECONDS_MAX else None)


def chance_of_goods(ahead: int, *, inside: int, sellable: int, held: int, conversion: float) -> int:
    """Return in percent the chance that something is left at the call.

    Each of those before buys with the measured probability, so that purchases are binomial; its normal approximation
    with continuity correction. Units of open holds come back in as many cases as shoppers do not buy.
    """
    units = sellable + held * (1 - conversion)
    buyers = ahead + inside
    if units < 1:
        return 0
    if buyers < units:
        return 100
    mean, variance = buyers * conversion, buyers * conversion * (1 - conversion)
    if variance == 0:
        return 100 if mean < units else 0
    reach = (math.ceil(units) - 0.5 - mean) / math.sqrt(variance)
    return round(50 * (1 + math.erf(reach / math.sqrt(2))))


def _whole(seconds: float) -> int:
    return min(_SECONDS_MAX, max(0, math.ceil(seconds)))


def _digamma(x: float) -> float:
    """Return the digamma function for x >= 1 (Abramowitz and Stegun 6.3.5, 6.3.18)."""
    lower = 0.0
    while x < 6:
        lower += 1 / x
        x += 1
    square = 1 / (x * x)
    return math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252)) - lower


def _trigamma(x: float) -> float:
    """Return the trigamma function for x >= 1 (Abramowitz and Stegun 6.4.6, 6.4.12)."""
    lower = 0.0
    while x < 6:
        lower += 1 / (x * x)
        x += 1
    square = 1 / (x * x)
    return lower + 1 / x + square / 2 + square / x * (1 / 6 - square * (1 / 30 - square / 42))
