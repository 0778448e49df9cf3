"""Delivers callbacks: signed anew each time, repeated with growing pauses until the merchant answers 2xx."""

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

import aiohttp

from tidegate.app.sandbox_channel.contracts import Letter
from tidegate.app.sandbox_channel.signing import sign

log = logging.getLogger(__name__)

_UNDER_WAY_MAX = 64
_ANSWER_SECONDS_MAX = 5
_PAUSE_MS_MAX = 15_000

Delivered = Callable[[int], Awaitable[object]]
Postponed = Callable[[int, int, int], Awaitable[object]]


def now_ms() -> int:
    """Return the channel's time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class PostOffice:
    """Holds the callbacks that are on their way, earliest due first."""

    def __init__(self, name: str, secret: bytes, delivered: Delivered, postponed: Postponed) -> None:
        self._name = name
        self._secret = secret
        self._delivered = delivered
        self._postponed = postponed
        self._due: list[tuple[int, int, Letter]] = []
        self._wake = asyncio.Event()
        self._places = asyncio.Semaphore(_UNDER_WAY_MAX)
        self._under_way: set[asyncio.Task[None]] = set()

    def take(self, letters: Iterable[Letter]) -> None:
        """Take callbacks that the books hold already."""
        for letter in letters:
            heapq.heappush(self._due, (letter.due_ms, letter.letter_id, letter))
        self._wake.set()

    async def run(self) -> None:
        """Deliver for ever."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS_MAX)
        connector = aiohttp.TCPConnector(limit=_UNDER_WAY_MAX)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            while True:
                letter = await self._next()
                await self._places.acquire()
                task = asyncio.get_running_loop().create_task(self._deliver(session, letter))
                self._under_way.add(task)
                task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._places.release()

    async def _next(self) -> Letter:
        while True:
            wait_ms = self._due[0][0] - now_ms() if self._due else 60_000
            if wait_ms <= 0:
                return heapq.heappop(self._due)[2]
            self._wake.clear()
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _deliver(self, session: aiohttp.ClientSession, letter: Letter) -> None:
        """Deliver one, or keep it for later; also one that was taken while the books were too busy to say so."""
        tries = letter.tries + 1
        due_ms = now_ms() + min(_PAUSE_MS_MAX, 100 * 2 ** min(tries, 10))
        try:
            if await self._taken(session, letter):
                await self._delivered(letter.letter_id)
                return
            await self._postponed(letter.letter_id, due_ms, tries)
        except Exception:
            log.exception("callback %s could not be noted and is sent again", letter.letter_id)
        self.take([Letter(letter_id=letter.letter_id, url=letter.url, body=letter.body, due_ms=due_ms, tries=tries)])

    async def _taken(self, session: aiohttp.ClientSession, letter: Letter) -> bool:
        """Return whether the merchant answered 2xx."""
        signature = sign(self._secret, f"callback {self._name}", letter.body, now_seconds=now_ms() // 1000)
        headers = {"Content-Type": "application/json", "Channel-Signature": signature}
        try:
            async with session.post(letter.url, data=letter.body, headers=headers) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            log.debug("callback %s waits: %s", letter.letter_id, fault)
            return False
