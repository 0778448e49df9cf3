"""A bulkhead: so many requests are worked on at once, the others wait for a moment, the higher class first.

What one process works on at once shares its processor: a hundred pages begun together are all a hundred pages late, and
so is the order that comes in between. Where no queue has stood, the first to come is the first to go on; where one
stands, the newest is, because who came before has nearly lost patience, and nobody waits for long (Maurer, Fail at
Scale, ACM Queue 2015: adaptive LIFO with a controlled delay).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter

from tidegate.base.batch import Overloaded
from tidegate.base.load import LoadControl

_AT_ONCE = 4
_PATIENCE_SECONDS = 1.0
_HURRY_SECONDS = 0.05
_LOOK_SECONDS = 0.02
_STANDING_LOOKS = 5
"""A queue that was there at so many looks in a row stands: not so many seconds, for one long turn is one look."""
_BUSY_SHARE = 0.5

_Place = tuple["asyncio.Future[None]", float]


class Bulkhead:
    """Lets in so many at once, of `classes` classes of which number 0 goes first.

    While some wait it looks, fifty times a second, whether the thread of the event loop was busy. Where it was not,
    what is worked on waits for something else, and as many again are let in. Where it was, who waited too long is
    refused.
    """

    def __init__(
        self,
        load: LoadControl,
        classes: int,
        at_once: int = _AT_ONCE,
        clock: Callable[[], float] = perf_counter,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._load = load
        self._clock = clock
        self._at_once = at_once
        self._look_seconds = look_seconds
        self._inside = 0
        self._lines: list[deque[_Place]] = [deque() for _ in range(classes)]
        self._looks = 0
        self._look: asyncio.TimerHandle | None = None
        self._looked_at = self._worked_before = 0.0

    @property
    def inside(self) -> int:
        """How many are worked on now."""
        return self._inside

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(map(len, self._lines))

    async def enter(self, number: int) -> None:
        """Wait until one of class `number` is let in; then `leave` must follow. Raises Overloaded."""
        if self._inside < self._at_once and not any(self._lines):
            self._inside += 1
            return
        place = asyncio.get_running_loop().create_future()
        now = self._clock()
        self._lines[number].append((place, now))
        if self._look is None:
            self._look_later(now)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:  # let in at the same moment
                self.leave()
            raise

    def leave(self) -> None:
        """End what `enter` began; whose turn it is goes on."""
        self._inside -= 1
        self._go_on(self._clock(), self._at_once)

    def _go_on(self, now: float, at_once: int) -> None:
        """Let in as many as there is room for."""
        newest_first = self._looks >= _STANDING_LOOKS
        for line in self._lines:
            while line and self._inside < at_once:
                place, since = line.pop() if newest_first else line.popleft()
                if not place.done():
                    self._load.waited("bulkhead", now - since)
                    self._inside += 1
                    place.set_result(None)
        if not any(self._lines):
            self._looks = 0

    def _look_later(self, now: float) -> None:
        self._looked_at, self._worked_before = now, self._load.worked()
        self._look = asyncio.get_running_loop().call_later(self._look_seconds, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        self.look()
        if any(self._lines):
            self._look_later(self._clock())

    def look(self) -> None:
        """Let in more, or give up on who waited too long; while some wait it does so by itself."""
        now = self._clock()
        if self._load.worked() - self._worked_before < _BUSY_SHARE * (now - self._looked_at):
            self._looks = 0
            self._go_on(now, self._inside + self._at_once)
        else:
            self._looks += 1
            self._give_up(now)
            self._go_on(now, self._at_once)

    def _give_up(self, now: float) -> None:
        """Refuse who waited too long: where a queue stands, that is soon."""
        before = now - (_HURRY_SECONDS if self._looks >= _STANDING_LOOKS else _PATIENCE_SECONDS)
        for line in self._lines:
            while line and line[0][1] < before:
                place, since = line.popleft()
                if not place.done():
                    self._load.waited("bulkhead", now - since)
                    place.set_exception(
                        Overloaded("This waited too long. Nothing was done; please try again in a few seconds.")
                    )
