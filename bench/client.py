"""A closed-loop HTTP load client: as many connections as asked for, one request at a time on each.

Written on asyncio's protocols because it shares the machine with what it measures: it must cost little itself.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import cast
from urllib.parse import urlsplit

NextRequest = Callable[[], bytes]


@dataclass
class Tally:
    """What came back: answers by status, their latencies in seconds by its class, and how long it took in all."""

    seconds: float = 0.0
    latencies: dict[int, list[float]] = field(default_factory=dict)
    lost: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    def count(self, status_class: int) -> int:
        """Answers of one class, such as 2 for 2xx."""
        return len(self.latencies.get(status_class, ()))

    def rate(self, status_class: int = 2) -> float:
        """Answers a second."""
        return self.count(status_class) / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float, status_class: int = 2) -> float:
        """The latency in ms that `share` of the answers stay within."""
        ordered = sorted(self.latencies.get(status_class, ()))
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


class _Connection(asyncio.Protocol):
    def __init__(self, tally: Tally, following: NextRequest, until: float, ended: asyncio.Event) -> None:
        self._tally = tally
        self._following = following
        self._until = until
        self._ended = ended
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports keep asyncio's contract without being its subclasses.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        if self._sent_at >= self._until:
            self._ended.set()
            self._transport.close()
            return
        self._received = b""
        self._transport.write(self._following())

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0 or len(self._received) - head_end - 4 < _content_length(self._received[:head_end]):
            return
        latency = time.perf_counter() - self._sent_at
        status = int(self._received[9:12])
        self._tally.statuses[status] += 1
        self._tally.latencies.setdefault(status // 100, []).append(latency)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._ended.is_set():
            self._tally.lost += 1
            self._ended.set()


def _content_length(head: bytes) -> int:
    place = head.find(b"content-length:")
    if place < 0:
        place = head.lower().find(b"content-length:")
    if place < 0:
        return 0
    end = head.find(b"\r", place)
    return int(head[place + 15 : end if end > 0 else len(head)])


async def load(url: str, following: NextRequest, *, connections: int, seconds: float) -> Tally:
    """Send requests for `seconds` on `connections` connections at once, each waiting for its answer."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    tally = Tally()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    ends = [asyncio.Event() for _ in range(connections)]
    made = [partial(_Connection, tally, following, began + seconds, end) for end in ends]
    await asyncio.gather(*[loop.create_connection(protocol, host, port) for protocol in made])
    await asyncio.wait_for(asyncio.gather(*[end.wait() for end in ends]), seconds + 30)
    tally.seconds = time.perf_counter() - began
    return tally


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def in_turn(requests: list[bytes]) -> NextRequest:
    """Return a source that gives these requests one after the other, again and again."""

    def turn() -> Iterator[bytes]:
        while True:
            yield from requests

    return turn().__next__
