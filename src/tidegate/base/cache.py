"""Valkey: what may be lost. It may cost speed or a place in a queue, never an order, a payment or a unit of stock."""

from typing import Any

from valkey.asyncio import Valkey
from valkey.asyncio.connection import AbstractConnection
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.connection import LibvalkeyRespSerializer
from valkey.exceptions import ValkeyError

CacheDown = (ValkeyError, OSError, TimeoutError)
"""What a call raises when Valkey is gone, slow or restarting: each caller states what it answers then."""


class _Packing(AbstractConnection):
    """A connection whose commands are packed in C, as the client's blocking connections do: a quarter of the time."""

    _packer = LibvalkeyRespSerializer()  # type: ignore[no-untyped-call, unused-ignore]

    def pack_command(self, *args: Any) -> list[bytes]:
        return self._packer.pack(*args)


class Cache:
    """A pool of connections to one Valkey server; every call is bounded in time."""

    def __init__(self, url: str, *, timeout_seconds: float = 1.0, connections_max: int = 64) -> None:
        self.client: Valkey = Valkey.from_url(  # type: ignore[no-untyped-call, unused-ignore]
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            max_connections=connections_max,
            retry=Retry(NoBackoff(), 1),  # type: ignore[no-untyped-call, unused-ignore]
        )
        pool = self.client.connection_pool
        pool.connection_class = type("Packing", (_Packing, pool.connection_class), {})

    async def alive(self) -> bool:
        """Return whether Valkey answers now."""
        try:
            return bool(await self.client.ping())
        except CacheDown:
            return False

    async def close(self) -> None:
        """Close all connections."""
        await self.client.aclose()
