"""Identifiers: UUIDv7 (RFC 9562), ordered by time, so that index pages fill one after the other."""

import os
from collections.abc import Callable
from struct import iter_unpack
from uuid import UUID

from tidegate.base.clock import Clock, SystemClock

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_COUNTER_MAX = (1 << 12) - 1


class Ids:
    """Makes identifiers from a clock and a source of randomness, both injected."""

    def __init__(self, clock: Clock | None = None, randomness: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock or SystemClock()
        self._randomness = randomness
        self._last_ms = 0
        self._counter = 0

    def new(self) -> UUID:
        """Return a UUIDv7; ids of one process ascend even within a millisecond (RFC 9562, method 1)."""
        now_ms = int(self._clock.now().timestamp() * 1000)
        if now_ms > self._last_ms:
            self._last_ms, self._counter = now_ms, 0
        else:
            self._step()
        return self._made(int.from_bytes(self._randomness(8), "big"))

    def many(self, count: int) -> list[UUID]:
        """Return `count` ids that ascend, for a batch: the clock and the randomness are asked once."""
        if count == 0:
            return []
        made = [self.new()]
        for (tail,) in iter_unpack(">Q", self._randomness(8 * (count - 1))):
            self._step()
            made.append(self._made(tail))
        return made

    def _step(self) -> None:
        if self._counter < _COUNTER_MAX:
            self._counter += 1
        else:
            self._last_ms, self._counter = self._last_ms + 1, 0

    def _made(self, randomness: int) -> UUID:
        return UUID(int=self._last_ms << 80 | _VERSION | self._counter << 64 | _VARIANT | randomness >> 2)
