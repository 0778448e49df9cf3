"""A crowd that polls while processes are killed under it: what becomes of its places."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from bench.client import NextRequest, in_turn, load
from bench.waiting_room import SNAPSHOT, asks_for_passes, looks, shoppers
from tidegate.app.compose import App
from tidegate.app.supervisor import Supervisor
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.gate.queue.contracts import AskPlace, Place
from tidegate.watch.rehearsal.progress import ShownProgress

PLACES = 2_000
OPENS_AFTER = timedelta(seconds=60)
ROOM = {"cap": 500, "claim_seconds": 120, "pass_seconds": 60}
"""Room for fewer than the places, so that people go in all the time, as others' passes run out."""

_KILLED = ("web", "Valkey", "worker") * 4
_WATCHERS, _LOOKERS, _ASKERS = 52, 8, 4
_SLICE_SECONDS = 1.0
_TOGETHER = 500
_AGAIN_SECONDS = 0.1
"""How long a connection lives, and how long one waits who found nobody there."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of the line."""

    lost: int
    """Places that did not end by the rules and are not given again."""
    entries: int
    twice: int
    """Entries beyond one a person, by the rows and by the gate's own count."""
    inside: int
    missed: int
    kills: int
    broken: tuple[str, ...]

    def faults(self) -> list[str]:
        """Return what must not be, in words; the run has failed where there is any."""
        told = (
            (self.lost, f"{self.lost:,} places were lost"),
            (self.twice, f"{self.twice:,} entries are somebody's second"),
            (not self.entries, "nobody was let in"),
            (self.inside > ROOM["cap"], f"{self.inside:,} were inside at once"),
            (self.broken, f"does not hold: {'; '.join(self.broken)}"),
        )
        return [words for wrong, words in told if wrong]


class Crowd:
    """Shoppers who poll: most of them the line as everybody sees it, some their own place, some for a pass."""

    def __init__(self, url: str, places: list[tuple[str, str]]) -> None:
        self._url = url
        self._places = places
        self.statuses: Counter[int] = Counter()
        self.lost = 0
        """Connections that ended before their answer came."""
        self.unreached = 0
        self.kills = 0
        self._over = False

    def answers(self, status_class: int) -> int:
        """Answers of one class, such as 2 for 2xx."""
        return sum(count for status, count in self.statuses.items() if status // 100 == status_class)

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Poll as long as this lasts."""
        kinds = (
            (_WATCHERS, in_turn([SNAPSHOT])),
            (_LOOKERS, looks(self._places)),
            (_ASKERS, asks_for_passes(self._places)),
        )
        async with asyncio.TaskGroup() as tasks:
            for count, following in kinds:
                for _ in range(count):
                    tasks.create_task(self._poll(following))
            yield
            self._over = True

    async def _poll(self, following: NextRequest) -> None:
        """Poll on one connection after the other, as a browser does whose connection was lost."""
        while not self._over:
            try:
                tally = await load(self._url, following, connections=1, seconds=_SLICE_SECONDS)
            except OSError:
                self.unreached += 1
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            self.statuses.update(tally.statuses)
            self.lost += tally.lost


async def through(supervisor: Supervisor, app: App, polls: int, console: Console) -> list[str]:
    """Have so many polls answered while web, Valkey and worker are killed in turn; print what became of the line, and
    return what must not be.

    A kill comes after each thirteenth of the polls, so that each is followed by as many as went before it.
    """
    owners = await shoppers(app, PLACES)
    asks = [AskPlace(account_id=account, device=device) for _, account, device in owners]
    before = await _places(app, asks)
    places = [(session, place.token) for (session, _, _), place in zip(owners, before, strict=True)]
    crowd = Crowd(supervisor.config.public_url, places)
    began = time.perf_counter()
    with ShownProgress(console) as progress:
        progress.stage(f"{polls:,} polls", polls)
        async with crowd.polling():
            for kill, name in enumerate(_KILLED, 1):
                await _answered(crowd, polls * kill // (len(_KILLED) + 1), progress)
                crowd.kills += _kill(supervisor, name)
                at = time.perf_counter() - began
                console.print(f"  {at:4.0f} s: {crowd.answers(2):,} answered; {name} killed", highlight=False)
            await _answered(crowd, polls, progress)
    seconds = time.perf_counter() - began
    found = await _found(app, crowd, await _lost(app, asks, before))
    console.print(_shown(crowd, found, seconds))
    return found.faults()


async def _answered(crowd: Crowd, count: int, progress: ShownProgress) -> None:
    while (answered := crowd.answers(2)) < count:
        progress.done(answered)
        await asyncio.sleep(0.2)


def _kill(supervisor: Supervisor, name: str) -> bool:
    """Kill a component; return whether it ran."""
    valkey = next(server for server in supervisor.servers if isinstance(server, EmbeddedValkey))
    pid = valkey.pid if name == "Valkey" else supervisor.process(name).pid
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    return pid is not None


async def _places(app: App, asks: Sequence[AskPlace]) -> list[Place]:
    return [
        place
        for start in range(0, len(asks), _TOGETHER)
        for place in await asyncio.gather(*[app.queue.take_place(ask) for ask in asks[start : start + _TOGETHER]])
    ]


async def _lost(app: App, asks: Sequence[AskPlace], before: Sequence[Place]) -> int:
    """Return how many do not get their place again when they ask, though it did not end by the rules: no pass of it ran
    out, and its owner did not miss the turn.
    """
    after = await _places(app, asks)
    async with app.db.read() as tx:
        rows = await tx.execute("select serial from queue.entry where ended_at is not null")
        spent = {serial for (serial,) in await rows.fetchall()}
    return sum(new.token != old.token and old.serial not in spent for old, new in zip(before, after, strict=True))


def _refused(crowd: Crowd) -> str:
    busy = crowd.statuses[503]
    return f"{crowd.answers(4):,}, {busy:,}, {crowd.answers(5) - busy:,}"


async def _found(app: App, crowd: Crowd, lost: int) -> Found:
    async with app.db.read() as tx:
        rows = await tx.execute(
            "select count(*), count(distinct account_id),"
            " coalesce(max(inside_then), 0), (select coalesce(sum(entered), 0)::bigint from queue.gate),"
            " (select count(*) from queue.entry where entered_at is null and ended_at is not null)"
            " from queue.entry where entered_at is not null"
        )
        entries, accounts, inside, counted, missed = await rows.fetchone() or (0,) * 5
        checks = await app.queue.check(tx)
        proof = await app.queue.verify(tx, app.queue.room().campaign_id)
    broken = [check.name for check in checks if not check.holds]
    broken += [finding.name for finding in proof.findings if not finding.holds]
    return Found(
        lost=lost,
        entries=entries,
        twice=max(entries, counted) - accounts,
        inside=inside,
        missed=missed,
        kills=crowd.kills,
        broken=tuple(broken),
    )


def _shown(crowd: Crowd, found: Found, seconds: float) -> Table:
    answered = crowd.answers(2)
    table = Table(title=f"{answered:,} polls while web, Valkey and worker are killed in turn", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name, figure in (
        ("polls answered a second, restarts included", f"{answered / seconds:,.0f}"),
        ("kills of web, Valkey and worker", f"{found.kills} of {len(_KILLED)}"),
        ("refused: 4xx (used up, too often), 503 (too busy), other 5xx", _refused(crowd)),
        ("connections that were lost, that found nobody", f"{crowd.lost:,}, {crowd.unreached:,}"),
        ("places before, and of them lost", f"{PLACES:,}, {found.lost:,}"),
        ("came when called and did not ask again in time", f"{found.missed:,}"),
        ("let in, of them on more than one entry", f"{found.entries:,}, {found.twice:,}"),
        ("most inside at once, of a cap", f"{found.inside:,} of {ROOM['cap']:,}"),
        ("invariants, rules of the draw and of the order that do not hold", "; ".join(found.broken) or "none"),
    ):
        table.add_row(name, figure)
    return table
