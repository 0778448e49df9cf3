"""Signs of life: leases of half a minute, one bit a place in Valkey. Losing them costs a forecast, never a place.

A place whose owner gave signs of life and then none for a whole lease is *away*: it is passed over when its turn
comes, and nobody waits for it. It stays called: its owner may come within the claim window as anyone may, and later
once by grace. Whoever never gave a sign is not away: a program may hold a place without asking after it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from tidegate.base.cache import Cache, CacheDown
from tidegate.base.clock import Clock

LEASE = timedelta(seconds=60)
"""A sign of life holds at least half as long and at most so long."""
_BEAT_SECONDS = 30
_SEEN_SECONDS = 86_400
_TOGETHER_MAX = 1_000


class Signs(msgspec.Struct, frozen=True):
    """What is known of signs of life: about how many are there (None = nobody knows), and the serials of who is not."""

    present: int | None
    away: frozenset[int] = frozenset()


class Watch:
    """Reads the signs for one controller. Nobody is away before Valkey has answered for a whole lease without a break:
    while it was silent, no sign could be noted.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._answers_since: datetime | None = None

    async def signs(self, line_id: int, now: datetime, *, each: bool) -> Signs:
        """Return the signs of this moment; of each place only where asked for."""
        there = await present(self._cache, line_id, now)
        if there is None:
            self._answers_since = None
            return Signs(None)
        self._answers_since = min(self._answers_since or now, now)
        if not each or now - self._answers_since < LEASE:
            return Signs(there)
        return Signs(there, await away(self._cache, line_id, now))


class Leases:
    """Signs of life as one process gathers them: written all together, by `write`.

    A process that is killed loses what it gathered since; whoever gave such a sign gives the next half a lease later.
    """

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._noted: dict[int, set[int]] = {}

    def note(self, line_id: int, serial: int) -> None:
        """Note a sign of life. No I/O."""
        self._noted.setdefault(line_id, set()).add(serial)

    async def write(self) -> None:
        """Write what was noted since, as of now. Without Valkey it is lost, and nothing fails."""
        noted, self._noted = self._noted, {}
        for line_id, serials in noted.items():
            listed = list(serials)
            for start in range(0, len(listed), _TOGETHER_MAX):
                await _write(self._cache, line_id, listed[start : start + _TOGETHER_MAX], self._clock.now())


async def _write(cache: Cache, line_id: int, serials: Sequence[int], now: datetime) -> None:
    bits = [part for serial in serials for part in ("SET", "u1", serial, 1)]
    try:
        async with cache.client.pipeline(transaction=False) as pipe:
            for key, seconds in ((_beats(line_id, now), 3 * _BEAT_SECONDS), (_seen(line_id), _SEEN_SECONDS)):
                # One command for all bits of a key: a command for each would cost the client ten times as much.
                pipe.execute_command("BITFIELD", key, *bits)
                pipe.expire(key, seconds)
            await pipe.execute()
    except CacheDown:
        return


async def present(cache: Cache, line_id: int, now: datetime) -> int | None:
    """Return about how many gave a sign of life in the last minute; None where Valkey does not answer."""
    try:
        async with cache.client.pipeline(transaction=False) as pipe:
            for key in _lease(line_id, now):
                pipe.bitcount(key)
            return int(max(await pipe.execute()))
    except CacheDown:
        return None


async def away(cache: Cache, line_id: int, now: datetime) -> frozenset[int]:
    """Return the serials of places whose lease was missed; nobody's where Valkey does not answer."""
    try:
        async with cache.client.pipeline(transaction=False) as pipe:
            for key in (_seen(line_id), *_lease(line_id, now)):
                pipe.get(key)
            seen, *alive = await pipe.execute()
    except CacheDown:
        return frozenset()
    return away_of(_bits(seen), [_bits(each) for each in alive])


def away_of(seen: bytes, alive: list[bytes]) -> frozenset[int]:
    """Return the bits of `seen` that stand in none of `alive`; the first bit is the highest of the first byte."""
    width = max(map(len, (seen, *alive)))
    missed = _number(seen, width)
    for each in alive:
        missed &= ~_number(each, width)
    bits = f"{missed:0{width * 8}b}" if missed else ""
    return frozenset(place for place, bit in enumerate(bits) if bit == "1")


def _number(bits: bytes, width: int) -> int:
    return int.from_bytes(bits.ljust(width, b"\x00"), "big")


def _bits(answer: object) -> bytes:
    return answer if isinstance(answer, bytes) else b""


def _lease(line_id: int, now: datetime) -> list[str]:
    return [_beats(line_id, now), _beats(line_id, now - timedelta(seconds=_BEAT_SECONDS))]


def _beats(line_id: int, now: datetime) -> str:
    return f"{{queue:{line_id}}}:beats:{int(now.timestamp()) // _BEAT_SECONDS}"


def _seen(line_id: int) -> str:
    return f"{{queue:{line_id}}}:seen"
