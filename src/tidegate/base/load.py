"""Overload control: what is refused, lowest class first, when work waits too long in a process's queues.

After WeChat's DAGOR (Zhou et al., SoCC 2018): the mean wait in a queue says whether a process is overloaded, whatever
the work is, and a level says who is let in. Levels go through the classes from the highest to the lowest, and within
a class through the cohorts that visitors fall into, so that one visitor is wholly in or wholly out.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from math import inf
from time import thread_time
from typing import cast

from tidegate.base.cache import Cache, CacheDown
from tidegate.base.metrics import load_level, queue_delay_seconds

CLASSES = 4
COHORTS = 128
WAIT_TARGET_SECONDS = 0.02
"""A mean wait beyond this is overload: DAGOR's figure, from five years in production."""

_WINDOW_SECONDS = 0.25
_WINDOW_REQUESTS = 2_000
# Where fewer ask in a window, the wait is of their making only if the event loop itself was busy for half of it: a few
# costly pages. Otherwise something else has the machine, and refusing them would free nothing.
_CUT_REQUESTS, _BUSY_SHARE = 50, 0.5
# DAGOR lets 5 % less in at each overloaded window and 1 % more at each calm one. The cut here grows with how far over
# the target the wait is, to a half at most, so that a flood of ten times the load is met within a few windows; it
# waits while the queue shrinks by itself, and it leaves most of what was served in the window: that is what the process
# carries, and to let much less in would only idle. At a calm window a tenth more is let in: what is a little too much,
# the bulkhead turns away, and a timid door costs more. It is counted on those who ask, too, so that the door is wide
# open again within a quarter of a minute of calm.
_CUT_LEAST, _CUT_MOST = 0.05, 0.5
_SERVED_LEFT = 0.9
# A queue that still empties can make the cut too deep: what the process lately carried says so, and each calm window
# goes half of the way back.
_WAY_BACK = 0.5
_RAISE_OF_LET_IN, _RAISE_OF_ASKED = 0.1, 0.02

_LOOP = "loop"
_JUDGED_SECONDS = 0.001

_PUBLISHED_KEY = "{load}:admitting"
_PUBLISHED_SECONDS = 3


def cut_of(over: float) -> float:
    """Return the share of what is let in that a window takes away whose wait was `over` times the target."""
    return min(_CUT_MOST, _CUT_LEAST * over) if over > 1 else 0.0


def level_after(
    level: float, asked: Sequence[int], over: float, over_before: float = 0.0, served: int = 0, carries: float = 0.0
) -> float:
    """Return the next level, from how many requests of each class a window brought, how long work waited in it, how
    many requests were served in it, and how many the process lately served in as long a time while it was overloaded.

    A level of n * COHORTS lets the first n classes in whole. The first class is never cut. Calm raises the level until
    everybody is let in again, also where nobody asks. Waits, of this window and the one before, are in targets.
    """
    let_in = sum(count * share_of(level, number) for number, count in enumerate(asked))
    cut = cut_of(over)
    if not cut:
        way_back = (carries * _SERVED_LEFT - let_in) * _WAY_BACK
        more = max(let_in * _RAISE_OF_LET_IN, sum(asked) * _RAISE_OF_ASKED, way_back, 1.0)
        return max(level, _level_for(asked, let_in + more))
    if over < over_before:
        return level
    kept = max(let_in * (1 - cut), served * _SERVED_LEFT)
    return max(min(level, _level_for(asked, kept)), float(COHORTS))


def share_of(level: float, number: int) -> float:
    """Return the share of a class's cohorts that a level lets in."""
    return min(max(level / COHORTS - number, 0.0), 1.0)


def _level_for(asked: Sequence[int], wanted: float) -> float:
    """Return the level that lets in `wanted` of these requests, or the highest where fewer ask."""
    for number, count in enumerate(asked):
        if count > wanted:
            return COHORTS * (number + wanted / count)
        wanted -= count
    return float(COHORTS * len(asked))


class LoadControl:
    """Watches the queues of one process and decides who is let in; asking costs well under a microsecond.

    `busy` tells for how many seconds the thread of the event loop has worked so far.
    """

    def __init__(self, target_seconds: float = WAIT_TARGET_SECONDS, busy: Callable[[], float] = thread_time) -> None:
        self._target = target_seconds
        self._busy = busy
        self._busy_before = 0.0
        self._began_at = 0.0
        self._due = inf
        self._judged_at, self._was_busy = 0.0, False
        self._open = float(CLASSES * COHORTS)
        self._level = self._open
        self._asked = [0] * CLASSES
        self._requests = 0
        self._served = 0
        self._waits: dict[str, tuple[float, int]] = {}
        self._over_before = 0.0
        self._carried = 0.0
        """Served a second in overloaded windows, the latest counting half."""
        self._closes_at = 0.0

    @property
    def controls(self) -> bool:
        """Whether any wait is too long: without a target nobody is ever refused."""
        return self._target < inf

    @property
    def level(self) -> float:
        """The level now, from COHORTS to CLASSES times that."""
        return self._level

    @property
    def admitting(self) -> float:
        """The share of the levels beneath which requests are let in: 1 when calm, towards 0 under overload."""
        return (self._level - COHORTS) / (self._open - COHORTS)

    def worked(self) -> float:
        """For how many seconds the thread of the event loop has worked so far."""
        return self._busy()

    def waited(self, queue: str, seconds: float, items: int = 1) -> None:
        """Note that `items` waited so many seconds in all in a queue of this process."""
        total, count = self._waits.get(queue, (0.0, 0))
        self._waits[queue] = (total + seconds, count + items)

    def asks(self, number: int, now: float) -> bool:
        """Count a request of class `number` (0 is the highest); return whether all of its class are let in now."""
        self._asked[number] += 1
        self._requests += 1
        if now > self._due:
            self._note_long_turn(now)
        if (self._requests >= _WINDOW_REQUESTS or now >= self._closes_at) and self._waits:
            self.close_window(now)
            self._due = max(self._due, now)  # so much of this turn of the loop is judged
        return self._level >= (number + 1) * COHORTS

    def _note_long_turn(self, now: float) -> None:
        """Note that a request has waited for as long as the loop's turn is late, where its own work makes it so.

        To ask how long the thread has worked is a call of the system: once a millisecond is often enough.
        """
        if now - self._judged_at >= _JUDGED_SECONDS:
            self._judged_at, self._was_busy = now, self._is_busy(now)
        if self._was_busy:
            self.waited(_LOOP, now - self._due)

    def served(self) -> None:
        """Count a request that was let in and has its answer, other than that too much was asked."""
        self._served += 1

    def lets_in(self, number: int, cohort: int) -> bool:
        """Return whether a cohort of class `number` is let in now."""
        return number * COHORTS + cohort < self._level

    def close_window(self, now: float) -> None:
        """Set the level by what the window has shown, and begin the next."""
        waits = {queue: total / count for queue, (total, count) in self._waits.items() if count}
        for queue, seconds in waits.items():
            queue_delay_seconds.labels(queue).set(seconds)
        over = max(waits.values(), default=0.0) / self._target
        if self._requests < _CUT_REQUESTS and not self._is_busy(now):
            over = min(over, 1.0)
        seconds = max(now - self._began_at, _WINDOW_SECONDS)
        if over > 1:
            self._carried = (self._carried + self._served / seconds) / 2 if self._carried else self._served / seconds
        carries = self._carried * seconds
        # Out of calm, one window over the target is no overload yet, but a burst, or a page made for the first time.
        if over <= 1 or self._over_before > 1 or self._level < self._open:
            self._level = level_after(self._level, self._asked, over, self._over_before, self._served, carries)
        self._over_before = over
        load_level.set(self._level)
        self._asked = [0] * len(self._asked)
        self._requests = self._served = 0
        self._waits.clear()
        self._began_at, self._busy_before = now, self._busy()
        self._closes_at = now + _WINDOW_SECONDS

    def _is_busy(self, now: float) -> bool:
        """Return whether the loop's own thread worked for more than half of the window: its waits are of its making."""
        return self._busy() - self._busy_before > _BUSY_SHARE * (now - self._began_at)

    def looks_again(self, due: float) -> None:
        """Note when the event loop will be through at the latest unless it is late, in seconds of perf_counter."""
        self._due = due

    def looked(self, now: float) -> None:
        """Note that the loop is through, and close a window that nobody's request has closed."""
        self.waited(_LOOP, max(now - self._due, 0.0))
        self._due = inf
        if now >= self._closes_at:
            self.close_window(now)


async def publish(cache: Cache, process: str, admitting: float) -> None:
    """Say for three seconds how much one process lets in. Without Valkey nobody learns it; what is refused stays so."""
    with suppress(*CacheDown):
        await cast(
            "Awaitable[bool]", cache.client.hsetex(_PUBLISHED_KEY, process, str(admitting), ex=_PUBLISHED_SECONDS)
        )


async def least_admitting(cache: Cache) -> float:
    """Return the least that any process lets in; 1 where none has said, or Valkey does not answer."""
    try:
        said = await cast("Awaitable[list[bytes]]", cache.client.hvals(_PUBLISHED_KEY))
    except CacheDown:
        return 1.0
    return min((float(each) for each in said), default=1.0)
