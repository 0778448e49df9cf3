"""What the waiting room carries: `python -m bench.waiting`.

Polls, places and signs of life over HTTP with one web worker, each against pgbench's yardstick in the same run; then a
million places, and what they and their sealing take of memory, disk and time; then a million polls while web, Valkey
and worker are killed in turn, which fails (exit code 1) where a place is lost or somebody is let in twice.
"""

import argparse
import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from bench import restarts
from bench.client import NextRequest, Tally, in_turn, load, request
from bench.orders import data_folder, yardstick
from bench.sealing import sealed
from bench.waiting_room import SNAPSHOT, line_open, shoppers, signs, with_waiting_room
from tidegate.app.compose import App, opened
from tidegate.app.publication import PublicationDesk
from tidegate.app.supervisor import Supervisor, festival
from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.gate.queue.contracts import AskPlace
from tidegate.offer.campaign.contracts import CampaignDefinition

CONNECTIONS = 64
PLACING_CONNECTIONS = 256
SECONDS = 8.0
SHOPPERS = 60_000
WAITERS = 1_000_000
PORT = 18490
POLLS = 1_000_000
_TOGETHER = 500
_STARTS_AFTER = timedelta(minutes=30)


def _each_once(sessions: list[str]) -> NextRequest:
    """Each shopper takes a place; who has one asks again, which costs as much."""
    said = {"Content-Type": "application/json"}
    return in_turn(
        [request("POST", "/api/v1/places", {**said, "Authorization": f"Bearer {token}"}, b"{}") for token in sessions]
    )


class Bench:
    """One run on one installation."""

    def __init__(self, supervisor: Supervisor, app: App) -> None:
        self._supervisor = supervisor
        self._app = app
        self._table = Table(title="The waiting room over HTTP, one web worker", title_justify="left")
        for heading in (
            "what",
            "connections",
            "per second",
            "yardstick",
            "ratio",
            "p50 ms",
            "p99 ms",
            "failed",
            "lost",
        ):
            self._table.add_column(heading, justify="left" if heading == "what" else "right")

    async def http(self) -> Table:
        """Measure polls, places and signs of life."""
        sessions = await shoppers(self._app, SHOPPERS)
        await self._row("polls of the snapshot", in_turn([SNAPSHOT]), CONNECTIONS)
        await self._row("places taken", _each_once([token for token, _, _ in sessions]), PLACING_CONNECTIONS)
        places = [
            (token, (await self._app.queue.take_place(AskPlace(account_id=account, device=device))).token)
            for token, account, device in sessions[:2_000]
        ]
        await self._row("signs of life", signs(places), CONNECTIONS)
        return self._table

    async def _row(self, name: str, following: NextRequest, connections: int) -> None:
        url = self._supervisor.config.public_url
        before, held = await self._yardstick(), await self._count()
        tally: Tally = await load(url, following, connections=connections, seconds=SECONDS)
        base = (before + await self._yardstick()) / 2
        rate = tally.rate()
        fresh = await self._count() - held
        self._table.add_row(
            name + (f" ({fresh:,} new)" if fresh else ""),
            f"{connections}",
            f"{rate:,.0f}",
            f"{base:,.0f}",
            f"{rate / base:.2f}",
            f"{tally.quantile_ms(0.5):.1f}",
            f"{tally.quantile_ms(0.99):.1f}",
            f"{tally.count(4) + tally.count(5):,}",
            f"{tally.lost}",
        )

    async def _yardstick(self) -> float:
        postgres = next(server for server in self._supervisor.servers if isinstance(server, EmbeddedPostgres))
        return await asyncio.to_thread(yardstick, postgres, seconds=3)

    async def _count(self) -> int:
        async with self._app.db.read() as tx:
            row = await (await tx.execute("select count(*) from queue.place")).fetchone()
        return int(row[0]) if row else 0

    async def crowd(self, waiters: int) -> Table:
        """Fill the line up to so many waiters, with signs of life, and seal it; return what that takes."""
        queue, client = self._app.queue, self._app.cache.client
        memory = int((await client.info("memory"))["used_memory"])
        held, own = await self._count(), psutil.Process().memory_info().rss
        began = time.perf_counter()
        for start in range(held, waiters, _TOGETHER):
            asks = [AskPlace(account_id=uuid4(), device=uuid4()) for _ in range(min(_TOGETHER, waiters - start))]
            places = await asyncio.gather(*[queue.take_place(ask) for ask in asks])
            for ask, place in zip(asks[:50], places[:50], strict=True):
                queue.beat(queue.check_place(place.token, ask.account_id, ask.device))
            await queue.write_signs()
        seconds = time.perf_counter() - began
        grown = int((await client.info("memory"))["used_memory"]) - memory
        grew = psutil.Process().memory_info().rss - own
        sealing = await sealed(self._supervisor.config, queue.room().rules.seals_at)
        table = Table(title=f"{waiters:,} waiters", title_justify="left")
        table.add_column("what")
        table.add_column("figure", justify="right")
        for name, figure in (
            ("places a second, in batches without HTTP", f"{(waiters - held) / seconds:,.0f}"),
            ("bytes of Valkey's memory a waiter", f"{grown / (waiters - held):.2f}"),
            ("bytes of this process's memory a waiter, which gave the places", f"{grew / (waiters - held):.1f}"),
            ("bytes on PostgreSQL's disk a waiter, indexes included", f"{await self._disk() / waiters:.0f}"),
            ("seconds from the sealing to the published root", f"{sealing.seconds:.1f}"),
            ("bytes that a worker grows by while it seals, a waiter", f"{sealing.grown_bytes / waiters:.1f}"),
        ):
            table.add_row(name, figure)
        return table

    async def _disk(self) -> int:
        async with self._app.db.read() as tx:
            row = await (await tx.execute("select pg_total_relation_size('queue.place')")).fetchone()
        return int(row[0]) if row else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--waiters", type=int, default=WAITERS, help="how many places the line is filled up to; 0: none"
    )
    parser.add_argument("--polls", type=int, default=POLLS, help="how many polls come in during restarts; 0: none")
    parser.add_argument("--only-restarts", action="store_true", help="only the polls during restarts")
    return parser.parse_args()


async def main(asked: argparse.Namespace) -> None:
    """Measure and print."""
    console = Console(width=150)
    if not asked.only_restarts:
        async with _installation(with_waiting_room(_STARTS_AFTER)) as (supervisor, app):
            bench = Bench(supervisor, app)
            console.print(await bench.http())
            if asked.waiters:
                console.print(await bench.crowd(asked.waiters))
    if asked.polls:
        opening = with_waiting_room(restarts.OPENS_AFTER, **restarts.ROOM)
        async with _installation(opening) as (supervisor, app):
            faults = await restarts.through(supervisor, app, asked.polls, console)
        if faults:
            console.print(f"Not as it must be: {'; '.join(faults)}.", style="bold")
            raise SystemExit(1)


@asynccontextmanager
async def _installation(campaign: CampaignDefinition) -> AsyncIterator[tuple[Supervisor, App]]:
    """Give a fresh installation with this campaign, its line open."""
    folder = data_folder()
    config = Config.from_env({"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_PORT": str(PORT)})
    try:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            await PublicationDesk(app).publish(campaign, "bench")
            await line_open(app)
            await asyncio.sleep(3)
            yield supervisor, app
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    uvloop.run(main(_arguments()))
