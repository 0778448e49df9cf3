"""What each web process counts, summed in Valkey by the second, and read by the worker."""

from collections.abc import Mapping
from typing import Any

from tidegate.base.cache import Cache, CacheDown
from tidegate.gate.defence.contracts import Counts

_LIFE_SECONDS = 90
_FIELDS = Counts.__struct_fields__


class CountBoard:
    """One small hash a second, gone after a minute and a half."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def add(self, second: int, counts: Counts) -> None:
        """Add one process's counts to a second (Unix time)."""
        name = _name(second)
        try:
            # Valkey down: the counts of this second are lost, so that nothing starts and nothing is called calm.
            async with self._cache.client.pipeline(transaction=False) as pipe:
                for field in _FIELDS:
                    if value := getattr(counts, field):
                        pipe.hincrby(name, field, value)
                pipe.expire(name, _LIFE_SECONDS)
                await pipe.execute()
        except CacheDown:
            return

    async def read(self, first: int, last: int) -> list[Counts]:
        """Return the counts of each second from `first` to `last`, both included, all of one answer."""
        seconds = range(first, last + 1)
        try:
            # Valkey down: no second has a report, so every defence stays as it is until it expires.
            async with self._cache.client.pipeline(transaction=False) as pipe:
                for second in seconds:
                    pipe.hgetall(_name(second))
                found = await pipe.execute()
        except CacheDown:
            return [Counts() for _ in seconds]
        return [_counts(each) for each in found]


def _name(second: int) -> str:
    return f"{{defence}}:counts:{second}"


def _counts(found: Mapping[bytes, Any]) -> Counts:
    return Counts(**{field: int(found.get(field.encode(), 0)) for field in _FIELDS})
