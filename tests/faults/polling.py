"""A crowd that polls by the hundred thousand, in a test: the line as everybody sees it, and now and then a place.

Many polls are sent at once on a connection, as a proxy before many browsers does: what is to be loaded is the shop, not
this client, which has the same processors.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle
from urllib.parse import urlsplit

_CONNECTIONS = 6
_TOGETHER = 40
"""Polls at once on a connection; the last of them is a shopper's own."""
_AGAIN_SECONDS = 0.05
_CALM_SECONDS = 0.2
_LINE = b"GET /api/v1/queue HTTP/1.1\r\nHost: shop\r\n\r\n"


class Polls:
    """Polls without a pause until it is over; what a flood or a restart answers is borne."""

    def __init__(self, url: str, owners: Sequence[dict[str, str]]) -> None:
        """Take the headers by which each shopper's own place is asked after."""
        self._address = urlsplit(url)
        self._own: Iterator[bytes] = cycle([_own(headers) for headers in owners])
        self._statuses: Counter[int] = Counter()
        self.over = False
        self.calm = False
        """Enough were sent: the crowd stays, and polls as people do, so that other tests have the processors."""

    @property
    def answered(self) -> int:
        """Polls that were answered, and not put off."""
        return self._statuses[200]

    @property
    def odd(self) -> set[int]:
        """Answers that neither a poll, nor a used place, a limit or a flood explains."""
        return set(self._statuses) - {200, 409, 429, 503}

    async def run(self) -> None:
        """Poll until it is over."""
        await asyncio.gather(*[self._poll() for _ in range(_CONNECTIONS)])

    async def until(self, count: int, seconds: float) -> None:
        """Wait until so many polls were answered."""
        async with asyncio.timeout(seconds):
            while self.answered < count:
                await asyncio.sleep(0.02)

    async def _poll(self) -> None:
        """Poll on one connection after the other, as a browser does whose connection was lost."""
        while not self.over:
            try:
                reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
            except OSError:
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            try:
                while not self.over:
                    await asyncio.sleep(_CALM_SECONDS if self.calm else 0)
                    writer.write(_LINE * (_TOGETHER - 1) + next(self._own))
                    for _ in range(_TOGETHER):
                        self._statuses[await _status(reader)] += 1
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(_AGAIN_SECONDS)
            finally:
                writer.close()


def _own(headers: dict[str, str]) -> bytes:
    lines = [
        "GET /api/v1/places/current HTTP/1.1",
        "Host: shop",
        *[f"{name}: {text}" for name, text in headers.items()],
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def _status(reader: asyncio.StreamReader) -> int:
    """Read one whole answer; return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r")[0]))
    return int(head[9:12])
