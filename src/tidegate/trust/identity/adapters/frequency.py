"""How often something happened lately, counted in Valkey: the cheap first gate before PostgreSQL decides."""

from datetime import datetime

from tidegate.base.cache import Cache, CacheDown


class Frequency:
    """Counts events by key in fixed windows of time."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def count(self, key: str, *, window_seconds: int, now: datetime) -> int:
        """Count one event and return how many the window has seen, this one included; 0 when Valkey is down."""
        window = int(now.timestamp()) // window_seconds
        name = f"identity:frequency:{key}:{window}"
        try:
            # Valkey down: 0, so the gate stands open. The rows in PostgreSQL limit codes and tries without it.
            async with self._cache.client.pipeline(transaction=False) as pipe:
                pipe.incr(name)
                pipe.expire(name, window_seconds)
                counted, _ = await pipe.execute()
        except CacheDown:
            return 0
        return int(counted)
