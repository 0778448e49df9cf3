"""What the waiting room carries: `python -m bench.waiting`.

Polls and places over HTTP with one web worker, each against pgbench's yardstick in the same run; then a million places,
and what they take of memory and disk; then a million polls while the web process and Valkey are killed in turn.
"""

import argparse
import asyncio
import os
import shutil
import signal
import time
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from bench.client import NextRequest, Tally, in_turn, load, request
from bench.orders import data_folder, definition, yardstick
from tidegate.app.compose import App, opened
from tidegate.app.publication import PublicationDesk
from tidegate.app.supervisor import Supervisor, festival
from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.gate.queue.contracts import PLACE_HEADER, AskPlace
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    GuardedGoods,
    QueueLane,
    WaitingRoom,
    Words,
)

CONNECTIONS = 64
PLACING_CONNECTIONS = 256
SECONDS = 8.0
SHOPPERS = 60_000
WAITERS = 1_000_000
PORT = 18490
POLLS = 1_000_000
_TOGETHER = 500
_RESTART_PLACES = 500
_KILL_SECONDS = 5.0
_STARTS_AFTER = timedelta(minutes=30)


def with_waiting_room() -> CampaignDefinition:
    """Return the benchmark's campaign, its sale half an hour away and its line open."""
    offered = definition(1_000_000)
    shift = timedelta(days=1) + _STARTS_AFTER  # the benchmark's sale opened a day ago
    moved = [
        msgspec.structs.replace(phase, starts_at=phase.starts_at + shift, ends_at=phase.ends_at + shift)
        for phase in offered.phases
    ]
    opens_at = moved[2].starts_at
    room = WaitingRoom(
        opens_at=opens_at - timedelta(days=1),
        seals_at=opens_at - timedelta(minutes=1),
        cap=5_000,
        per_minute=6_000,
        ramp_seconds=0,
        claim_seconds=60,
        pass_seconds=600,
        purchases=1,
        per_network=0,
        goods=GuardedGoods.EVERYTHING,
        lanes=(QueueLane(name="everyone", label=Words("所有人", "Everyone"), share=100, audience=Audience.EVERYONE),),
    )
    return msgspec.structs.replace(offered, phases=tuple(moved), waiting_room=room)


async def _line_open(app: App) -> None:
    """Wait until the worker has opened the line and this process sees it."""
    for _ in range(100):
        await app.refresh()
        await app.queue.renew()
        if app.queue.snapshot() is not None:
            return
        await asyncio.sleep(0.2)
    raise RuntimeError("the line did not open")


def _each_once(sessions: list[str]) -> NextRequest:
    """Each shopper takes a place; who has one asks again, which costs as much."""
    said = {"Content-Type": "application/json"}
    return in_turn(
        [request("POST", "/api/v1/places", {**said, "Authorization": f"Bearer {token}"}, b"{}") for token in sessions]
    )


def _views(places: list[tuple[str, str]]) -> NextRequest:
    """Shoppers look at their own places, which is also their sign of life."""
    return in_turn(
        [
            request("GET", "/api/v1/places/current", {"Authorization": f"Bearer {session}", PLACE_HEADER: place})
            for session, place in places
        ]
    )


class Bench:
    """One run on one installation."""

    def __init__(self, supervisor: Supervisor, app: App) -> None:
        self._supervisor = supervisor
        self._app = app
        self._kills = 0
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
        """Measure polls, places and looks at one's own place."""
        sessions = await self._shoppers()
        await self._row("polls of the snapshot", in_turn([request("GET", "/api/v1/queue", {})]), CONNECTIONS)
        await self._row("places taken", _each_once([token for token, _, _ in sessions]), PLACING_CONNECTIONS)
        places = [
            (token, (await self._app.queue.take_place(AskPlace(account_id=account, device=device))).token)
            for token, account, device in sessions[:2_000]
        ]
        await self._row("looks at one's own place", _views(places), CONNECTIONS)
        return self._table

    async def _shoppers(self, count: int = SHOPPERS) -> list[tuple[str, UUID, UUID]]:
        async with self._app.db.transaction() as tx:
            made = await self._app.identity.open_rehearsal_accounts(tx, count)
        sessions = [each.session for each in made]
        return [(each.token, each.account_id, each.session_id) for each in sessions]

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
        """Fill the line up to so many waiters, signs of life up to the last serial; return what they take."""
        queue, client = self._app.queue, self._app.cache.client
        memory = int((await client.info("memory"))["used_memory"])
        held, own = await self._count(), psutil.Process().memory_info().rss
        began = time.perf_counter()
        for start in range(held, waiters, _TOGETHER):
            asks = [AskPlace(account_id=uuid4(), device=uuid4()) for _ in range(min(_TOGETHER, waiters - start))]
            places = await asyncio.gather(*[queue.take_place(ask) for ask in asks])
            await asyncio.gather(
                *[
                    queue.beat(queue.check_place(place.token, ask.account_id, ask.device))
                    for ask, place in zip(asks[:50], places[:50], strict=True)
                ]
            )
        seconds = time.perf_counter() - began
        grown = int((await client.info("memory"))["used_memory"]) - memory
        grew = psutil.Process().memory_info().rss - own
        table = Table(title=f"{waiters:,} waiters", title_justify="left")
        table.add_column("what")
        table.add_column("figure", justify="right")
        for name, figure in (
            ("places a second, in batches without HTTP", f"{(waiters - held) / seconds:,.0f}"),
            ("bytes of Valkey's memory a waiter", f"{grown / (waiters - held):.2f}"),
            ("bytes of this process's memory a waiter, which gave the places", f"{grew / (waiters - held):.1f}"),
            ("bytes on PostgreSQL's disk a waiter, indexes included", f"{await self._disk() / waiters:.0f}"),
        ):
            table.add_row(name, figure)
        return table

    async def restarts(self, polls: int) -> Table:
        """Let so many polls come in while the web process and Valkey are killed in turn; return what became of it."""
        sessions = await self._shoppers(_RESTART_PLACES)
        asks = [AskPlace(account_id=account, device=device) for _, account, device in sessions]
        before = [(await self._app.queue.take_place(ask)).token for ask in asks]
        held = await self._count()
        looks = [(session, place) for (session, _, _), place in zip(sessions, before, strict=True)]
        killing = asyncio.create_task(self._kill_in_turn())
        answered, lost, began = 0, 0, time.perf_counter()
        while answered < polls:
            # A load ends early where its connections are lost: the next one begins as soon as somebody answers.
            for following in (in_turn([request("GET", "/api/v1/queue", {})]), _views(looks)):
                try:
                    url = self._supervisor.config.public_url
                    tally = await load(url, following, connections=CONNECTIONS, seconds=_KILL_SECONDS)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                answered, lost = answered + tally.count(2), lost + tally.lost
        killing.cancel()
        seconds = time.perf_counter() - began
        after = [(await self._app.queue.take_place(ask)).token for ask in asks]
        table = Table(title=f"{answered:,} polls while web and Valkey are killed in turn", title_justify="left")
        table.add_column("what")
        table.add_column("figure", justify="right")
        for name, figure in (
            ("polls answered a second, restarts included", f"{answered / seconds:,.0f}"),
            ("kills of the web process, and of Valkey", f"{(self._kills + 1) // 2}, {self._kills // 2}"),
            ("connections that were lost", f"{lost:,}"),
            ("places before", f"{held:,}"),
            ("places afterwards", f"{await self._count():,}"),
            (
                "places that their owners do not get again",
                f"{sum(a != b for a, b in zip(before, after, strict=True)):,}",
            ),
        ):
            table.add_row(name, figure)
        return table

    async def _kill_in_turn(self) -> None:
        while True:
            await asyncio.sleep(_KILL_SECONDS)
            web = self._kills % 2 == 0
            pid = self._supervisor.process("web").pid if web else self._supervisor.servers[1].pid
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                self._kills += 1

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
    folder = data_folder()
    config = Config.from_env({"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_PORT": str(PORT)})
    try:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            await PublicationDesk(app).publish(with_waiting_room(), "bench")
            await _line_open(app)
            await asyncio.sleep(3)
            bench = Bench(supervisor, app)
            if not asked.only_restarts:
                console.print(await bench.http())
                if asked.waiters:
                    console.print(await bench.crowd(asked.waiters))
            if asked.polls:
                console.print(await bench.restarts(asked.polls))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    uvloop.run(main(_arguments()))
