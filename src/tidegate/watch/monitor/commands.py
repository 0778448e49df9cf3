"""`tidegate doctor`: holds every invariant against the live database and says which one is broken."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.base.db import Database
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.contracts import Examination

Opened = Callable[[], AbstractAsyncContextManager[tuple[Database, Monitor]]]
"""Opens the installation named by the environment and gives its database and monitor; compose provides it."""


def command(opened: Opened) -> click.Command:
    """Return the command `doctor`, working on the installation that `opened` gives."""

    @click.command("doctor", short_help="Check every invariant against the live database.")
    @click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
    def doctor(*, as_json: bool) -> None:
        """Check every invariant of every module against the live database.

        Exits 0 when all hold, 1 when one is broken. Reads only: nothing is changed, and it may run during a sale.
        """
        examination = asyncio.run(_examine(opened))
        if as_json:
            click.echo(msgspec.json.encode(examination).decode())
        else:
            print_examination(examination, Console())
        raise SystemExit(0 if examination.holds else 1)

    return doctor


async def _examine(opened: Opened) -> Examination:
    async with opened() as (db, monitor):
        return await monitor.examine(db)


def print_examination(examination: Examination, console: Console) -> None:
    """Print the findings as a table with a sentence below it."""
    table = Table(title="Invariants on the live database", title_justify="left", expand=False)
    table.add_column("")
    table.add_column("Invariant", overflow="fold")
    table.add_column("Examined", justify="right")
    table.add_column("What breaks it", overflow="fold")
    for check in examination.checks:
        mark = "[green]holds[/]" if check.holds else "[bold red]BROKEN[/]"
        table.add_row(mark, check.name, f"{check.examined:,}", check.detail)
    console.print(table)
    broken = len(examination.broken)
    verdict = (
        f"[bold red]{broken} broken.[/] Stop sales of what is named above and look at it." if broken else "All hold."
    )
    console.print(f"{len(examination.checks)} invariants examined in {examination.took_ms} ms. {verdict}")
