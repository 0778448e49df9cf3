"""What Valkey remembers: spent answers, touched honeypots, accounts of a device, challenges a second.

All of it may be lost. Each call states what it answers while Valkey is down.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tidegate.base.cache import Cache, CacheDown
from tidegate.gate.bots.contracts import Evidence
from tidegate.gate.bots.work import Proof

HONEYPOT_MEMORY = timedelta(hours=24)
LOAD_WINDOW_SECONDS = 10


class Seen(NamedTuple):
    """What is remembered when a visit begins; zeros while Valkey is down."""

    honeypots: frozenset[bytes]
    device_accounts: int
    challenges_per_second: float


class Marks:
    """The short memory of bots, shared by all processes."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def spend(self, proof: Proof, session_id: UUID, now: datetime) -> bool:
        """Return whether the answer was unspent; it is spent now.

        While Valkey is down: true. The answer stays bound to its session, and an account has one place in the queue.
        """
        seconds = max(1, int((proof.expires_at - now).total_seconds()) + 1)
        try:
            taken = await self._cache.client.set(
                f"bots:spent:{proof.challenge_id}", session_id.hex, nx=True, ex=seconds
            )
        except CacheDown:
            return True
        return bool(taken)

    async def touch(self, session_id: UUID, honeypot: Evidence) -> None:
        """Remember for a day that a session touched a honeypot. While Valkey is down: forgotten."""
        key = f"bots:honey:{session_id.hex}"
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                pipeline.sadd(key, honeypot.value)
                pipeline.expire(key, HONEYPOT_MEMORY)
                await pipeline.execute()
        except CacheDown:
            return

    async def visit(self, session_id: UUID, account_id: UUID, device: str, now: datetime) -> Seen:
        """Count a visit, and return what is remembered about it. While Valkey is down: nothing, and calm."""
        load_key = f"bots:load:{int(now.timestamp()) // LOAD_WINDOW_SECONDS}"
        device_key = f"bots:device:{device}:{now:%Y%m%d}"
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                pipeline.incr(load_key)
                pipeline.expire(load_key, 2 * LOAD_WINDOW_SECONDS)
                pipeline.smembers(f"bots:honey:{session_id.hex}")
                if device:
                    pipeline.pfadd(device_key, account_id.bytes)
                    pipeline.expire(device_key, 86_400)
                    pipeline.pfcount(device_key)
                answers = await pipeline.execute()
        except CacheDown:
            return Seen(frozenset(), 0, 0.0)
        return Seen(frozenset(answers[2]), answers[5] if device else 0, answers[0] / LOAD_WINDOW_SECONDS)
