"""The count itself: one script in Valkey, called once a batch."""

import asyncio
import logging
from collections.abc import Sequence
from importlib.resources import files

import msgspec

from tidegate.base.cache import Cache, CacheDown

log = logging.getLogger(__name__)

_SCRIPT = files("tidegate.gate.limits.adapters").joinpath("count.lua").read_text(encoding="utf-8")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[int]).decode
_PATIENCE_SECONDS = 0.5
_PAUSE_SECONDS = 1.0


Pace = tuple[int, int, int]
"""Microseconds from one act to the next, how many at once, how many microseconds ahead the number can be."""

Cell = tuple[bytes, Pace]
"""One limit of one ask: where its number is kept, and the pace. A plain tuple: each order makes a few."""


class Counter:
    """Counts asks in Valkey by its own clock."""

    def __init__(self, cache: Cache) -> None:
        # Sent by its digest; the client loads it again where Valkey has forgotten it, as it does after a restart.
        self._count = cache.client.register_script(_SCRIPT)
        self._down_until = 0.0

    async def count(self, asks: Sequence[Sequence[Cell]]) -> list[tuple[int, int]] | None:
        """Return for each ask the place (from 1) of the cell that refuses, 0 for none, and the microseconds to wait.

        None while Valkey is down: what stands then is stated by each limit. It is then left alone for a second, so that
        a Valkey that hangs costs half a second once in a second and a half, not each ask.
        """
        now = asyncio.get_running_loop().time()
        if now < self._down_until:
            return None
        keys, paces, places = _packed(asks)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                packed = await self._count(keys=keys, args=[_encode(paces), _encode(places)])
        except CacheDown as fault:
            log.warning("limits cannot be counted now, and stand as each states for that case: %r", fault)
            self._down_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
            return None
        found = _decode(packed)
        return list(zip(found[::2], found[1::2], strict=True))


def _packed(asks: Sequence[Sequence[Cell]]) -> tuple[list[bytes], list[int], list[int]]:
    """Return each key once, each pace once, and of each ask its number of limits, and their keys and paces by place."""
    keys: dict[bytes, int] = {}
    paces: dict[Pace, int] = {}
    places = []
    for ask in asks:
        places.append(len(ask))
        for key, pace in ask:
            places.append(keys.setdefault(key, len(keys) + 1))
            places.append(paces.setdefault(pace, len(paces) + 1))
    return list(keys), [number for pace in paces for number in pace], places
