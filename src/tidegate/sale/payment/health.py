"""Channel health shared by all processes: each adds what it counted to Valkey and reads what all counted together."""

import time
from collections.abc import Callable, Sequence
from random import Random

from tidegate.base.cache import Cache, CacheDown
from tidegate.base.config import ChannelSetting
from tidegate.base.errors import Refusal
from tidegate.sale.payment.breaker import Breaker, BreakerState, Limits
from tidegate.sale.payment.errors import ChannelUnknown, NoChannelAvailable
from tidegate.sale.payment.rules import choose

_KEY = "payment:{health}"


class ChannelHealth:
    """Chooses channels by weight among those that work."""

    def __init__(
        self,
        cache: Cache,
        settings: Sequence[ChannelSetting],
        *,
        randomness: Random,
        limits: Limits | None = None,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._weights = {each.name: each.weight for each in settings}
        self._breakers = {each.name: Breaker(limits) for each in settings}
        self._fresh: dict[tuple[str, int], list[int]] = {}
        self._told_cleared: dict[str, float] = {}
        self._randomness = randomness
        self._seconds = seconds

    def pick(self, wanted: str | None, tried: Sequence[str]) -> str | None:
        """Return the channel for the next call, or None where every one was tried already.

        Raises ChannelUnknown, or NoChannelAvailable when those left are all failing.
        """
        if wanted is not None:
            return self._pick_wanted(wanted, tried)
        left = [(name, weight) for name, weight in self._weights.items() if name not in tried and weight > 0]
        if not left:
            return None
        now = self._seconds()
        recovering = [each for each in left if self._breakers[each[0]].state(now) is BreakerState.HALF_OPEN]
        for name, _ in recovering:
            if self._breakers[name].allows(now):
                return name
        sound = [each for each in left if self._breakers[each[0]].state(now) is BreakerState.CLOSED]
        if not sound:
            raise _none_available()
        return choose(sound, self._randomness.random())

    def record(self, channel: str, *, good: bool) -> None:
        """Count the outcome of a call."""
        now = self._seconds()
        self._breakers[channel].record(good=good, now=now)
        counted = self._fresh.setdefault((channel, int(now)), [0, 0])
        counted[0] += 1
        counted[1] += not good

    def look(self, channel: str) -> tuple[str, int, int]:
        """Return the breaker's state, and calls and failures within the window."""
        now = self._seconds()
        breaker = self._breakers[channel]
        return breaker.state(now), *breaker.window(now)

    def weight(self, channel: str) -> int:
        """Return the channel's share of the traffic."""
        return self._weights[channel]

    def silent(self) -> list[str]:
        """Return the channels that should be asked now whether they are back."""
        now = self._seconds()
        return [name for name, breaker in self._breakers.items() if breaker.wants_question(now)]

    def answered(self, channel: str, *, good: bool) -> None:
        """Take the answer of a channel that was silent."""
        self._breakers[channel].answered(good=good, now=self._seconds())

    async def refresh(self) -> bool:
        """Exchange counts with the other processes; return whether Valkey answered."""
        fresh, self._fresh = self._fresh, {}
        try:
            # Valkey down: False; each process goes on with what it counted itself.
            await self._tell(fresh)
            await self._ask()
        except CacheDown:
            return False
        return True

    def _pick_wanted(self, wanted: str, tried: Sequence[str]) -> str | None:
        if wanted not in self._breakers:
            raise ChannelUnknown(f"There is no payment channel {wanted!r}. Nothing was charged; choose another one.")
        if wanted in tried:
            return None
        if not self._breakers[wanted].allows(self._seconds()):
            raise _none_available()
        return wanted

    async def _tell(self, fresh: dict[tuple[str, int], list[int]]) -> None:
        pipe = self._cache.client.pipeline(transaction=False)
        for (channel, second), (calls, failures) in fresh.items():
            key = f"{_KEY}:{channel}:{second}"
            pipe.hincrby(key, "calls", calls)
            pipe.hincrby(key, "failures", failures)
            pipe.expire(key, 60)
        for channel, breaker in self._breakers.items():
            if breaker.cleared_at > self._told_cleared.get(channel, 0.0):
                pipe.set(f"{_KEY}:{channel}:cleared", breaker.cleared_at, ex=60)
                self._told_cleared[channel] = breaker.cleared_at
        if len(pipe):
            await pipe.execute()

    async def _ask(self) -> None:
        now = self._seconds()
        for channel, breaker in self._breakers.items():
            pipe = self._cache.client.pipeline(transaction=False)
            pipe.get(f"{_KEY}:{channel}:cleared")
            seconds = range(int(now) - breaker.limits.window_seconds + 1, int(now) + 1)
            for second in seconds:
                pipe.hmget(f"{_KEY}:{channel}:{second}", ["calls", "failures"])
            cleared, *counts = await pipe.execute()
            breaker.forget_before(float(cleared or 0))
            known = [each for second, each in zip(seconds, counts, strict=True) if second > breaker.cleared_at]
            breaker.share(sum(int(calls or 0) for calls, _ in known), sum(int(bad or 0) for _, bad in known), now)


def _none_available() -> Refusal:
    return NoChannelAvailable(
        "No payment channel works at this moment. Nothing was charged and your order is kept. "
        "Try again in a few seconds.",
        retry_after=3,
    )
