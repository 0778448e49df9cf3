"""Asks every edge as a browser does, so that it keeps what it is asked for before the crowd comes."""

import asyncio
from collections.abc import Sequence
from time import monotonic

import httpx

from tidegate.gate.edge.adapters.addressing import Address
from tidegate.gate.edge.contracts import Ask, Pace, Warmed
from tidegate.gate.edge.ports import Heard
from tidegate.gate.edge.rules import kept_by

_TIMEOUT_SECONDS = 30.0
_ENCODINGS = "gzip, deflate, br"
"""What browsers send over https, as far as it tells copies of a page apart."""


class HttpWarmer:
    """Speaks to the edges at `addresses`."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return len(self._addresses)

    async def warm(self, asks: Sequence[Ask], pace: Pace, heard: Heard) -> None:
        """Ask each edge for each of these once; where one says that it is too much, wait as it says and ask again."""
        todo = iter([(address, ask) for ask in asks for address in self._addresses])
        beat = _Beat(1 / pace.a_second)
        limits = httpx.Limits(max_connections=pace.at_once)
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False, limits=limits) as client:

            async def work() -> None:
                for address, ask in todo:
                    await beat()
                    heard(await _asked(client, address, ask))

            async with asyncio.TaskGroup() as group:
                for _ in range(pace.at_once):
                    group.create_task(work())


class _Beat:
    """Lets one through every so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next_at = monotonic()

    async def __call__(self) -> None:
        now = monotonic()
        turn_at = max(self._next_at, now)
        self._next_at = turn_at + self._seconds
        await asyncio.sleep(turn_at - now)


async def _asked(client: httpx.AsyncClient, address: Address, ask: Ask) -> Warmed:
    headers = {"Accept-Encoding": _ENCODINGS} | ({"Accept-Language": ask.language} if ask.language else {})
    try:
        answer = await address.ask(client, "GET", ask.path, headers)
    except httpx.HTTPError as fault:
        return Warmed(ask=ask, edge=address.url, kept=None, fault=f"no answer ({type(fault).__name__})")
    if not answer.is_success:
        return Warmed(ask=ask, edge=address.url, kept=None, fault=f"HTTP {answer.status_code}")
    size = int(answer.headers.get("content-length", len(answer.content)))
    return Warmed(ask=ask, edge=address.url, kept=kept_by(answer.headers), bytes_read=size)
