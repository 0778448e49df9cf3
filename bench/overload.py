"""What overload does to a shop, with and without its gate and its edge: `python -m bench.overload [--picture FILE]`.

A visit of somebody signed in searches, each time for other words, and, when the page came, orders. First the load that
the shop carries is measured: visits one after another on a few connections. Then visitors arrive at an even rate,
whether or not the shop keeps up, at multiples of that load, and give up after five seconds. (A goods page is kept and
costs so little that one core cannot make ten times the load.) Each curve has its own measure of what is carried, taken
just before, and is held against the best of its own minutes: shared machines change their speed from one to the next.

The shop with its databases has one half of the machine's cores, its visitors the other, so that making a load is not
taken from what carries it. The edge, nginx as deploy/ has it, stands on the visitors' half, as it does on a machine of
its own, and lets in a tenth more pages than the shop was found to carry.
"""

import argparse
import asyncio
import os
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.client import NextRequest, request
from bench.edge import edge
from bench.orders import SKUS, data_folder, orders, prepare
from bench.picture import overload_picture
from tidegate.app.compose import opened
from tidegate.app.supervisor import festival
from tidegate.base.config import Config

MULTIPLES = (0.5, 1.0, 2.0, 5.0, 10.0)
PATIENCE_SECONDS = 5.0
SECONDS = 13.0
SETTLE_SECONDS = 3.0
CARRIERS = (12, 24, 48)
"""What the shop carries is the best of these: few visitors at once leave it idle, many are already too much."""
_TOGETHER = 50
EDGE_SHARE = 1.1
"""The edge lets in a tenth more than was found: it takes the flood off, what is too much by little the gate refuses."""
CONNECTIONS = 2_000
"""Opened before each run: visitors who come while all are in use wait, as they would for an edge that takes no more."""
PORT = 18480
_REFUSALS = frozenset({429, 503})


class Front(StrEnum):
    """What stands between the visitors and the shop."""

    EDGE = "gate and edge"
    GATE = "gate"
    NOTHING = "nothing"


class Outcome(msgspec.Struct, frozen=True):
    """One run: arrivals and completed purchases a second, and how long answered requests took, in ms.

    `carries`: what the shop was found to carry at the beginning of this curve, purchases a second.
    """

    front: Front
    multiple: float
    carries: float
    arrivals: float
    purchases: float
    refused: float
    p99_ms: float


class Connection(asyncio.Protocol):
    """One connection, one request at a time: streams would cost the visitors more than the shop."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports keep asyncio's contract without being its subclasses.
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        """Send a request; return its status when the whole answer is here."""
        assert self._transport is not None
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            self._end(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio calls it so
        self._end(0)

    @property
    def open(self) -> bool:
        """Whether the shop has not closed it."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """Leave."""
        assert self._transport is not None
        self._transport.close()

    def _end(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


class Visitors:
    """Connections that are kept for the next visitor, and what was answered on them."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._idle: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()
        self.count_from, self.count_until = 0.0, inf
        self.purchases = self.refused = 0
        self.latencies: list[float] = []

    async def come(self, connections: int) -> None:
        """Open so many connections, a few at a time."""
        for opened_before in range(0, connections, _TOGETHER):
            together = min(_TOGETHER, connections - opened_before)
            for connection in await asyncio.gather(*[self._connect() for _ in range(together)]):
                self._idle.put_nowait(connection)

    async def visit(self, page: bytes, order: bytes) -> None:
        """Search, then order; nothing more after a refusal or five seconds."""
        connection: Connection | None = None
        taken = False
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                connection = await self._idle.get()
                taken = True
                if connection is None or not connection.open:  # the shop ended it, or a visitor who gave up did
                    connection = await self._connect()
                if await self._ask(connection, page) == 200 and await self._ask(connection, order) == 201:
                    self.purchases += self._counts()
        except (TimeoutError, OSError, RuntimeError):  # RuntimeError: uvloop's word for a transport that just closed
            if connection is not None:
                connection.close()
            connection = None
        finally:
            if taken:
                self._idle.put_nowait(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while not self._idle.empty():
            connection = self._idle.get_nowait()
            if connection is not None:
                connection.close()

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            Connection, self._host, self._port, ssl=self._tls
        )
        return connection

    def _counts(self) -> bool:
        return self.count_from <= time.perf_counter() < self.count_until

    async def _ask(self, connection: Connection, request: bytes) -> int:
        asked_at = time.perf_counter()
        status = await connection.ask(request)
        if not status:
            raise OSError("the connection ended before the answer")
        if self._counts() and status in _REFUSALS:
            self.refused += 1
        elif time.perf_counter() >= self.count_from and status not in _REFUSALS:
            self.latencies.append(time.perf_counter() - asked_at)
        return status


async def carried(visitors: Visitors, pages: list[bytes], order: NextRequest, carriers: int) -> float:
    """Return the purchases a second that the shop carries: visits one after another, on so many connections."""
    await visitors.come(carriers)
    ends_at = time.perf_counter() + SECONDS

    async def carrier(number: int) -> None:
        turn = number
        while time.perf_counter() < ends_at:
            await visitors.visit(pages[turn % len(pages)], order())
            turn += carriers

    visitors.count_from = time.perf_counter() + SETTLE_SECONDS
    await asyncio.gather(*[carrier(number) for number in range(carriers)])
    return visitors.purchases / (SECONDS - SETTLE_SECONDS)


async def arriving(visitors: Visitors, pages: list[bytes], order: NextRequest, rate: float) -> None:
    """Let visitors arrive at an even rate, whatever becomes of those before."""
    await visitors.come(CONNECTIONS)
    began = time.perf_counter()
    visitors.count_from, visitors.count_until = began + SETTLE_SECONDS, began + SECONDS
    here: set[asyncio.Task[None]] = set()
    for number in range(int(rate * SECONDS)):
        early = began + number / rate - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        visit = asyncio.create_task(visitors.visit(pages[number % len(pages)], order()))
        here.add(visit)
        visit.add_done_callback(here.discard)
    await asyncio.gather(*here)


async def curve(front: Front) -> list[Outcome]:
    """Measure on a fresh installation what the shop carries, then all multiples of it."""
    folder = data_folder()
    config = Config.from_env(
        {
            "TIDEGATE_DATA_DIR": str(folder),
            "TIDEGATE_PORT": str(PORT),
            "TIDEGATE_WAIT_TARGET_MS": "0" if front is Front.NOTHING else "20",
            "TIDEGATE_TRUSTED_PROXIES": "127.0.0.1",
        }
    )
    outcomes = []
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[: len(cores) // 2] or cores)
    try:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            os.sched_setaffinity(0, cores[len(cores) // 2 :])
            shoppers = await prepare(app)
            await asyncio.sleep(2)
            order = orders(shoppers, SKUS[:1])
            pages = [
                request("GET", f"/search?q={SKUS[0]}+{number}", {"Authorization": each["Authorization"]})
                for number, (each, _) in enumerate(shoppers)
            ]
            carries = 0.0
            for carriers in CARRIERS:
                visitors = Visitors(config.host, config.port)
                carries = max(carries, await carried(visitors, pages, order, carriers))
                visitors.close()
            with _address(front, config, folder / "edge", carries) as (port, tls):
                for multiple in MULTIPLES:
                    await asyncio.sleep(PATIENCE_SECONDS)
                    visitors = Visitors(config.host, port, tls)
                    await arriving(visitors, pages, order, carries * multiple)
                    visitors.close()
                    outcomes.append(_outcome(visitors, multiple, carries, front))
    finally:
        os.sched_setaffinity(0, cores)
        shutil.rmtree(folder, ignore_errors=True)
    return outcomes


@contextmanager
def _address(front: Front, config: Config, folder: Path, carries: float) -> Iterator[tuple[int, ssl.SSLContext | None]]:
    """Where the visitors go: to the shop, or to its edge."""
    if front is not Front.EDGE:
        yield config.port, None
        return
    port = config.port + 5
    with edge(f"{config.host}:{config.port}", port, folder, round(EDGE_SHARE * carries)) as tls:
        yield port, tls


def _outcome(visitors: Visitors, multiple: float, carries: float, front: Front) -> Outcome:
    counted = SECONDS - SETTLE_SECONDS
    ordered = sorted(visitors.latencies) or [0.0]
    return Outcome(
        front=front,
        multiple=multiple,
        carries=carries,
        arrivals=carries * multiple,
        purchases=visitors.purchases / counted,
        refused=visitors.refused / counted,
        p99_ms=1000 * ordered[int(0.99 * (len(ordered) - 1))],
    )


async def main() -> None:
    """Measure with the gate and without, print the table, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, help="draw the curve into this SVG file")
    picture = parser.parse_args().picture
    outcomes = [each for front in (Front.GATE, Front.EDGE, Front.NOTHING) for each in await curve(front)]
    table = Table(title="Overload, one web worker")
    for column in (
        "before the shop",
        "carries/s",
        "load",
        "arrivals/s",
        "purchases/s",
        "of best",
        "refused/s",
        "p99 ms",
    ):
        table.add_column(column, justify="right")
    for each in outcomes:
        best = max(each.carries, *[other.purchases for other in outcomes if other.front is each.front])
        row = (each.arrivals, each.purchases, each.refused, each.p99_ms)
        arrivals, purchases, refused, p99 = [f"{number:,.0f}" for number in row]
        share = f"{each.purchases / best:.2f}"
        load = f"{each.multiple:g} x"
        table.add_row(each.front, f"{each.carries:,.0f}", load, arrivals, purchases, share, refused, p99)
    Console(width=120).print(table)
    if picture is not None:
        picture.write_text(overload_picture(outcomes), encoding="utf-8")


if __name__ == "__main__":
    uvloop.run(main())
