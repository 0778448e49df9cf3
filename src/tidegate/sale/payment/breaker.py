"""A circuit breaker per channel: pure, with time as an argument, in seconds since 1970.

closed      calls pass; when too large a share of them failed within the window, it opens
open        no buyer's call; every few seconds a question that moves no money asks whether the channel is back
half-open   one buyer's call at a time; enough good ones close it, a bad one opens it again
"""

from collections import deque
from enum import StrEnum

import msgspec


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When a channel is left, and how it is tried again."""

    window_seconds: int = 10
    calls_min: int = 5
    failure_share_max: float = 0.5
    failures_in_row_max: int = 5
    open_seconds: float = 1.0
    """An open breaker asks again after this long."""
    open_seconds_max: float = 20.0
    """Where nobody asks, it lets a call through after this long."""
    probes_good_min: int = 3
    probe_seconds_max: float = 5.0


class Tally(msgspec.Struct):
    """Calls and failures of one second."""

    second: int
    calls: int = 0
    failures: int = 0


class Breaker:
    """The breaker of one channel in one process, fed with its own calls and with what others counted."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._own: deque[Tally] = deque()
        self._shared: tuple[int, int] = (0, 0)
        self._in_row = 0
        self._state = BreakerState.CLOSED
        self._opened_at = 0.0
        self._asked_at = 0.0
        self._probe_at: float | None = None
        self._good_probes = 0
        self.cleared_at = 0.0
        """Counts from before this moment no longer say anything."""

    def state(self, now: float) -> BreakerState:
        """Return whether calls pass."""
        if self._state is BreakerState.OPEN and now - self._opened_at >= self.limits.open_seconds_max:
            self._half_open()
        return self._state

    def wants_question(self, now: float) -> bool:
        """Return whether the channel should be asked now whether it is back."""
        return self.state(now) is BreakerState.OPEN and now - self._asked_at >= self.limits.open_seconds

    def answered(self, *, good: bool, now: float) -> None:
        """Take the answer to such a question."""
        self._asked_at = now
        if good and self.state(now) is BreakerState.OPEN:
            self._half_open()

    def allows(self, now: float) -> bool:
        """Return whether one call may be made now; when half open, asking takes the only probe's place."""
        match self.state(now):
            case BreakerState.CLOSED:
                return True
            case BreakerState.OPEN:
                return False
            case BreakerState.HALF_OPEN:
                if self._probe_at is not None and now - self._probe_at < self.limits.probe_seconds_max:
                    return False
                self._probe_at = now
                return True

    def record(self, *, good: bool, now: float) -> None:
        """Count a call's outcome; a refusal by the channel is a good call."""
        self._count(good=good, now=now)
        match self.state(now):
            case BreakerState.CLOSED:
                self._judge(now)
            case BreakerState.HALF_OPEN:
                self._judge_probe(good=good, now=now)
            case BreakerState.OPEN:
                pass

    def share(self, calls: int, failures: int, now: float) -> None:
        """Take what all processes together counted within the window."""
        self._shared = (calls, failures)
        if self.state(now) is BreakerState.CLOSED:
            self._judge(now)

    def forget_before(self, moment: float) -> None:
        """Another process found the channel well again: older counts no longer say anything."""
        if moment > self.cleared_at:
            self._clear(moment)

    def window(self, now: float) -> tuple[int, int]:
        """Return calls and failures within the window: the shared count where it knows more."""
        self._drop(now)
        own = (sum(each.calls for each in self._own), sum(each.failures for each in self._own))
        return max(own, self._shared)

    def _count(self, *, good: bool, now: float) -> None:
        second = int(now)
        if not self._own or self._own[-1].second != second:
            self._own.append(Tally(second))
        self._own[-1].calls += 1
        self._own[-1].failures += not good
        self._in_row = 0 if good else self._in_row + 1

    def _judge(self, now: float) -> None:
        calls, failures = self.window(now)
        failing = calls >= self.limits.calls_min and failures >= calls * self.limits.failure_share_max
        if failing or self._in_row >= self.limits.failures_in_row_max:
            self._open(now)

    def _judge_probe(self, *, good: bool, now: float) -> None:
        self._probe_at = None
        if not good:
            self._open(now)
            return
        self._good_probes += 1
        if self._good_probes >= self.limits.probes_good_min:
            self._clear(now)

    def _open(self, now: float) -> None:
        self._state, self._opened_at, self._asked_at = BreakerState.OPEN, now, now

    def _half_open(self) -> None:
        self._state, self._good_probes, self._probe_at = BreakerState.HALF_OPEN, 0, None

    def _clear(self, moment: float) -> None:
        self._state, self._in_row, self.cleared_at = BreakerState.CLOSED, 0, moment
        self._own.clear()
        self._shared = (0, 0)

    def _drop(self, now: float) -> None:
        while self._own and self._own[0].second < now - self.limits.window_seconds:
            self._own.popleft()
