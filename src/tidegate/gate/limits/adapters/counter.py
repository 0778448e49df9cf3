"""The count itself: one script in Valkey, called once a batch."""

import asyncio
import logging
from collections.abc import Sequence
from importlib.resources import files

import msgspec

from tidegate.base.cache import Cache, CacheDown

log = logging.getLogger(__name__)

_SCRIPT = files("tidegate.gate.limits.adapters").joinpath("count.lua").read_text(encoding="utf-8")
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 1.0


class Cell(msgspec.Struct, frozen=True):
    """One limit of one ask: where its number is kept, microseconds from one act to the next, how many at once."""

    key: str
    interval: int
    burst: int


class Counter:
    """Counts asks in Valkey by its own clock."""

    def __init__(self, cache: Cache) -> None:
        # Sent by its digest; the client loads it again where Valkey has forgotten it, as it does after a restart.
        self._count = cache.client.register_script(_SCRIPT)
        self._down_until = 0.0

    async def count(self, asks: Sequence[Sequence[Cell]]) -> list[tuple[int, int]] | None:
        """Return for each ask the place (from 1) of the cell that refuses, 0 for none, and the microseconds to wait.

        None while Valkey is down: what stands then is stated by each limit. It is then left alone for a second, so that
        a Valkey that hangs costs a quarter of a second once a second, not each ask.
        """
        now = asyncio.get_running_loop().time()
        if now < self._down_until:
            return None
        places = {key: place for place, key in enumerate(dict.fromkeys(cell.key for ask in asks for cell in ask), 1)}
        arguments: list[int] = []
        for ask in asks:
            arguments.append(len(ask))
            for cell in ask:
                arguments += (places[cell.key], cell.interval, cell.burst)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                found = await self._count(keys=list(places), args=arguments)
        except CacheDown as fault:
            log.warning("limits cannot be counted now, and stand as each states for that case: %r", fault)
            self._down_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
            return None
        return list(zip(found[::2], found[1::2], strict=True))
