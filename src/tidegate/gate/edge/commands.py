"""`tidegate edge prewarm | purge | status`: fill the edge before the crowd, have it forget pages, look back."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tidegate.base.db import Database
from tidegate.gate.edge.api import Edge
from tidegate.gate.edge.contracts import Ask, Kept, Kind, Pace, Purge, Warmed
from tidegate.offer.campaign.api import Campaign

_FAULTS_SHOWN = 10


class EdgeDesk(Protocol):
    """The part of an installation that these commands need."""

    db: Database
    campaign: Campaign
    edge: Edge


OpenDesk = Callable[[], AbstractAsyncContextManager[EdgeDesk]]


class KindWarmed(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report of a prewarming: how many of one kind were asked for, and what the edge said."""

    kind: Kind
    asked: int
    hit: int
    miss: int
    passed: int
    private: int
    unknown: int
    failed: int
    bytes_read: int


def group(open_desk: OpenDesk) -> click.Group:
    """Return the commands on an installation that is opened when one of them runs."""

    @click.group("edge", short_help="Prewarm and purge the caches before the shop.")
    def edge_group() -> None:
        """Prewarm and purge the caches before the shop: nginx or a CDN (docs/deploy.md)."""

    edge_group.add_command(_prewarm(open_desk))
    edge_group.add_command(_purge(open_desk))
    edge_group.add_command(_status(open_desk))
    return edge_group


def _prewarm(open_desk: OpenDesk) -> click.Command:
    @click.command("prewarm", short_help="Ask the edge for everything that everybody will ask for.")
    @click.option("--at-once", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests at once.")
    @click.option(
        "--a-second", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Requests a second."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
    def prewarm(*, at_once: int, a_second: int, as_json: bool) -> None:
        """Ask the edge for the built files, the pictures and the pages of the current campaign, in both languages.

        It asks without cookie and token, so that nothing personal is asked for. What the edge kept already is a hit,
        what it fetched now a miss. Ends with 1 where something failed, or was not for everyone. Run it again: all of
        it should be a hit, but for pages, which are kept for two seconds.
        """
        heard = asyncio.run(_warmed(open_desk, Pace(at_once=at_once, a_second=a_second)))
        lines = report(heard)
        if as_json:
            click.echo(msgspec.json.encode(lines).decode())
        else:
            _print_report(lines, heard, Console())
        raise SystemExit(1 if any(line.failed or line.private for line in lines) else 0)

    return prewarm


async def _warmed(open_desk: OpenDesk, pace: Pace) -> list[Warmed]:
    heard: list[Warmed] = []
    console = Console(stderr=True)
    async with open_desk() as desk:
        version = desk.campaign.current()
        asks: Sequence[Ask] = desk.edge.to_warm(version) if version else ()
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            asking = progress.add_task("Prewarming", total=None)

            def hear(warmed: Warmed) -> None:
                heard.append(warmed)
                progress.update(asking, completed=len(heard))

            progress.update(asking, total=len(asks) * desk.edge.edges)
            await desk.edge.prewarm(asks, pace, hear)
    return heard


def report(heard: Sequence[Warmed]) -> list[KindWarmed]:
    """Return what was heard, counted by kind."""
    return [_line(kind, [each for each in heard if each.ask.kind is kind]) for kind in Kind]


def _line(kind: Kind, heard: Sequence[Warmed]) -> KindWarmed:
    counts = Counter(each.kept for each in heard)
    said = {kept.value: counts[kept] for kept in Kept}
    size = sum(each.bytes_read for each in heard)
    return KindWarmed(kind=kind, asked=len(heard), failed=counts[None], bytes_read=size, **said)


def _print_report(lines: Sequence[KindWarmed], heard: Sequence[Warmed], console: Console) -> None:
    table = Table(title="What the edge said", title_justify="left")
    table.add_column("")
    for name in ("asked", "hit", "miss", "passed", "private", "unknown", "failed"):
        table.add_column(name, justify="right")
    table.add_column("MB", justify="right")
    for line in lines:
        counts = (line.asked, line.hit, line.miss, line.passed, line.private, line.unknown, line.failed)
        table.add_row(f"{line.kind.value}s", *(f"{count:,}" for count in counts), f"{line.bytes_read / 1e6:,.1f}")
    console.print(table)
    wrong = [each for each in heard if each.kept is None or each.kept is Kept.PRIVATE]
    for each in wrong[:_FAULTS_SHOWN]:
        console.print(f"[red]{each.edge}{each.ask.path}[/] {each.fault or 'is not for everyone'}", highlight=False)
    if len(wrong) > _FAULTS_SHOWN:
        console.print(f"... and {len(wrong) - _FAULTS_SHOWN:,} more.")
    if not heard:
        console.print("No campaign is published; nothing was asked for.")


def _purge(open_desk: OpenDesk) -> click.Command:
    @click.command("purge", short_help="Have the edge forget pages, now.")
    @click.argument("paths", nargs=-1)
    def purge(paths: tuple[str, ...]) -> None:
        """Have the edge forget these pages (such as /rules), or without PATHS all pages of the current campaign.

        After a publication this happens by itself; where that was given up, this is what is left to do.
        """

        async def work() -> int:
            async with open_desk() as desk:
                return await desk.edge.purge(paths)

        click.echo(f"The edge forgot {asyncio.run(work()):,} pages.")

    return purge


def _status(open_desk: OpenDesk) -> click.Command:
    @click.command("status", short_help="The purges of the last publications.")
    @click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
    def status(*, as_json: bool) -> None:
        """Show what became of the purges that the last publications asked for."""

        async def work() -> list[Purge]:
            async with open_desk() as desk, desk.db.read() as tx:
                return await desk.edge.purges(tx)

        purges = asyncio.run(work())
        if as_json:
            click.echo(msgspec.json.encode(purges).decode())
            return
        table = Table(title="Purges of publications, newest first", title_justify="left")
        for name in ("Campaign", "Version", "Asked (UTC)", "State", "Tries", "Pages", "Last fault"):
            table.add_column(name, overflow="fold")
        for each in purges:
            table.add_row(
                each.campaign_id,
                str(each.version),
                f"{each.asked_at:%Y-%m-%d %H:%M:%S}",
                state_of(each),
                str(each.tries),
                f"{each.pages:,}",
                each.fault,
            )
        Console().print(table)

    return status


def state_of(purge: Purge) -> str:
    """Return how a purge stands, in a word or two."""
    return "done" if purge.done_at else "given up" if purge.gave_up_at else "waits"
