"""`tidegate debrief`: what the festival brought, in the terminal and as a page."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import click
import msgspec
from rich.console import Console

from tidegate.base.db import Database
from tidegate.watch.debrief.api import Debriefing, page, show
from tidegate.watch.debrief.contracts import Debrief
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.rehearsal.contracts import FloodReport


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What the command works with."""

    db: Database
    debriefing: Debriefing
    monitor: Monitor
    flood: FloodReport | None


Opened = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens the installation named by the environment; compose provides it."""


def command(opened: Opened) -> click.Command:
    """Return the command `debrief`, working on the installation that `opened` gives."""

    @click.command("debrief", short_help="What the festival brought, against what was aimed at.")
    @click.option("--campaign", "campaign_id", help="The campaign's id; default: the current one.")
    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the printable page here.")
    @click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
    @click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
    def debrief(*, campaign_id: str | None, output: Path | None, language: str, as_json: bool) -> None:
        """Show orders, GMV, payments, outages and their cost, latencies, sold-out times, goals and invariants.

        Reads only. With --output, also writes a page with charts that carries everything with it and prints well.
        """
        made = asyncio.run(_made(opened, campaign_id))
        if as_json:
            click.echo(msgspec.json.encode(made).decode())
        else:
            show(made, Console(), language)
        if output is not None:
            output.write_text(page(made, language), encoding="utf-8")
            click.echo(f"Written to {output}", err=True)

    return debrief


async def _made(opened: Opened, campaign_id: str | None) -> Debrief:
    async with opened() as desk, desk.db.snapshot() as tx:
        version = await desk.debriefing.version(tx, campaign_id)
        examination = await desk.monitor.doctor(tx)
        return await desk.debriefing.debrief(tx, version, flood=desk.flood, checks=examination.checks)
