"""`tidegate payment`: the channels' health, the ledger, and its comparison with the channels' own books."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import AccountBalance, ChannelView
from tidegate.sale.payment.reconciliation import Report

R = TypeVar("R")


class Opened(Protocol):
    """What these commands need of an installation whose servers run and whose schema is up to date."""

    @property
    def db(self) -> Database:
        """The database, open."""
        ...

    @property
    def payment(self) -> Payment:
        """Payment on that database."""
        ...


Opener: TypeAlias = Callable[[], AbstractAsyncContextManager[Opened]]
"""The command line puts one of these into click's context object."""

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("payment")
def group() -> None:
    """Payment channels, the ledger, and whether the books agree."""


@group.command()
@click.option("--channel", "channels", multiple=True, help="Only this channel; may be given several times.")
@click.option("--hours", default=24.0, show_default=True, type=click.FloatRange(0.01, 24 * 400), help="How far back.")
@_JSON
@click.pass_obj
def reconcile(opener: Opener, channels: tuple[str, ...], hours: float, *, as_json: bool) -> None:
    """Compare our ledger with each channel's own statement, line by line, and keep the report.

    Charges that a channel has and we never heard of are recorded and, where the order cannot use them, given back.
    Exits 0 when the books agree, 1 when they do not.
    """
    to_at = datetime.now(UTC)

    async def work(app: Opened) -> list[Report]:
        names = channels or app.payment.channel_names
        with Console(stderr=True).status("Reading the channels' statements..."):
            return [await app.payment.reconcile(name, to_at - timedelta(hours=hours), to_at) for name in names]

    reports = _run(opener, work)
    click.echo(msgspec.json.encode(reports).decode()) if as_json else print_reports(reports, Console())
    raise SystemExit(0 if all(report.clean for report in reports) else 1)


@group.command("channels")
@_JSON
@click.pass_obj
def show_channels(opener: Opener, *, as_json: bool) -> None:
    """Show each channel's weight, health over the last seconds, and attempts whose outcome is not known yet."""

    async def work(app: Opened) -> list[ChannelView]:
        await app.payment.refresh()
        async with app.db.read() as tx:
            return await app.payment.channels(tx)

    views = _run(opener, work)
    click.echo(msgspec.json.encode(views).decode()) if as_json else print_channels(views, Console())


@group.command("balances")
@_JSON
@click.pass_obj
def show_balances(opener: Opener, *, as_json: bool) -> None:
    """Show the ledger's accounts, in minor units; their balances together are 0."""

    async def work(app: Opened) -> list[AccountBalance]:
        async with app.db.read() as tx:
            return await app.payment.balances(tx)

    accounts = _run(opener, work)
    click.echo(msgspec.json.encode(accounts).decode()) if as_json else print_balances(accounts, Console())


def print_reports(reports: Sequence[Report], console: Console) -> None:
    """Print one line a channel, and the lines that do not match."""
    table = Table(title="Our ledger and the channels' own books", title_justify="left")
    table.add_column("Channel")
    headings = ("Matched", "Under way", "Missing there", "Missing here", "Amount differs", "Duplicated")
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("")
    for each in reports:
        counts = (
            each.matched,
            each.under_way_count,
            each.missing_there_count,
            each.missing_here_count,
            each.amount_differs_count,
            each.duplicated_count,
        )
        verdict = "[green]agree[/]" if each.clean else "[bold red]DIFFER[/]"
        table.add_row(each.channel, *(f"{count:,}" for count in counts), verdict)
    console.print(table)
    for each in reports:
        for finding in (*each.missing_there, *each.missing_here, *each.amount_differs, *each.duplicated):
            console.print(
                f"{each.channel}: {finding.kind} {finding.reference}: ours {finding.ours}, theirs {finding.theirs}"
            )


def print_channels(views: Sequence[ChannelView], console: Console) -> None:
    """Print one line a channel."""
    table = Table(title="Payment channels", title_justify="left")
    for heading in ("Channel", "State"):
        table.add_column(heading)
    for heading in ("Weight", "Calls", "Failures", "Outstanding"):
        table.add_column(heading, justify="right")
    table.add_column("Oldest outstanding")
    for each in views:
        oldest = each.oldest_outstanding_at.isoformat(timespec="seconds") if each.oldest_outstanding_at else ""
        figures = (each.weight, each.calls, each.failures, each.outstanding)
        table.add_row(each.name, each.state, *(f"{figure:,}" for figure in figures), oldest)
    console.print(table)


def print_balances(accounts: Sequence[AccountBalance], console: Console) -> None:
    """Print one line an account."""
    table = Table(title="Ledger, minor units", title_justify="left")
    table.add_column("Account")
    table.add_column("Currency")
    for heading in ("Debits", "Credits", "Balance"):
        table.add_column(heading, justify="right")
    for each in accounts:
        table.add_row(each.account, each.currency, f"{each.debits:,}", f"{each.credits:,}", f"{each.balance:,}")
    console.print(table)


def _run(opener: Opener, work: Callable[[Opened], Awaitable[R]]) -> R:
    async def run() -> R:
        async with opener() as app:
            return await work(app)

    try:
        return asyncio.run(run())
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from refusal
