"""`tidegate rehearse`: a replay of a real order log, and a flood of simulated shoppers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.base.invariant import Check
from tidegate.base.money import format_money
from tidegate.watch.rehearsal.api import Rehearsal
from tidegate.watch.rehearsal.contracts import (
    REASON_TEXT,
    SALE_REASONS,
    Dialect,
    FloodReport,
    LogMoney,
    ReplayManner,
    ReplayReport,
)
from tidegate.watch.rehearsal.cost_command import cost, costed
from tidegate.watch.rehearsal.order_log import parse_map
from tidegate.watch.rehearsal.progress import ShownProgress

__all__ = ["cost", "costed", "group"]

T = TypeVar("T")
Opened = Callable[[], AbstractAsyncContextManager[tuple[Rehearsal, str]]]
"""Opens the installation named by the environment and gives its rehearsal and its address; compose provides it."""

_SHOPPERS_MAX = 50_000


def group(opened: Opened) -> click.Group:
    """Return the group `rehearse`, working on the installation that `opened` gives."""

    @click.group("rehearse", short_help="Try the system before the day: replay a real log, send a flood.")
    def rehearse() -> None:
        """Try the running system before the day, with a real shop's order log or with a flood of simulated shoppers."""

    rehearse.add_command(_replay(opened))
    rehearse.add_command(_flood(opened))
    return rehearse


def _replay(opened: Opened) -> click.Command:
    @click.command("replay")
    @click.argument("log", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--speed", type=click.FloatRange(min=0.001), help="Times as fast as in the log; default: no waiting.")
    @click.option("--limit", type=click.IntRange(min=1), help="Only the first N invoices.")
    @click.option("--map", "columns", default="", help="The log's columns, e.g. invoice=Order,price=Amount.")
    @click.option("--encoding", default="utf-8-sig", show_default=True, help="The log's encoding.")
    @click.option("--currency", default="GBP", show_default=True, help="The log's currency (ISO 4217).")
    @click.option("--workers", default=12, show_default=True, type=click.IntRange(1, 200), help="Orders on their way.")
    @click.option("--url", help="Where the system answers; default: this installation's address.")
    @click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
    def replay(
        *,
        log: Path,
        speed: float | None,
        limit: int | None,
        columns: str,
        encoding: str,
        currency: str,
        workers: int,
        url: str | None,
        as_json: bool,
    ) -> None:
        """Send LOG, a real shop's order log (CSV, or CSV in gzip), through the running system as real HTTP orders.

        Reports whether the money in the books equals the money in the log to the last cent, with what was left out
        and why; exits 1 when it does not. Running it again changes nothing: it takes up where it stopped.

        The replay publishes a campaign of its own with the log's goods and prices; the one before it is published
        again at the end.
        """
        dialect = parse_map(columns, Dialect(encoding=encoding))
        manner = ReplayManner(dialect=dialect, limit=limit, speed=speed, currency=currency, workers=workers)
        console = Console(stderr=as_json)

        async def work(rehearsal: Rehearsal, address: str) -> ReplayReport:
            with ShownProgress(console) as progress:
                return await rehearsal.replay(log, url or address, progress, manner=manner)

        report = asyncio.run(_run(opened, work))
        if as_json:
            click.echo(msgspec.json.encode(report).decode())
        else:
            print_replay(report, console)
        raise SystemExit(0 if report.holds else 1)

    return replay


def _flood(opened: Opened) -> click.Command:
    @click.command("flood")
    @click.option("--shoppers", default=2_000, show_default=True, type=click.IntRange(1, _SHOPPERS_MAX))
    @click.option("--minutes", default=2.0, show_default=True, type=click.FloatRange(0.1, 24 * 60))
    @click.option("--url", help="Where the system answers; default: this installation's address.")
    @click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
    def flood(*, shoppers: int, minutes: float, url: str | None, as_json: bool) -> None:
        """Let SHOPPERS simulated shoppers in for MINUTES, over real HTTP, with a spike at the opening.

        They look, search, order, pay, abandon and cancel on the current campaign. Afterwards every order that was
        acknowledged is looked for in the database; exits 1 when one is missing or nobody asked for one.
        """
        console = Console(stderr=as_json)

        async def work(rehearsal: Rehearsal, address: str) -> tuple[FloodReport, list[Check]]:
            with ShownProgress(console) as progress:
                plan = await rehearsal.prepare_flood(url or address, shoppers, minutes * 60, progress)
                report = await rehearsal.flood(plan, progress.flood(plan.seconds))
                return report, await rehearsal.check_journal(Path(report.journal))

        report, checks = asyncio.run(_run(opened, work))
        if as_json:
            click.echo(msgspec.json.encode({"flood": report, "checks": checks}).decode())
        else:
            print_flood(report, checks, console)
        raise SystemExit(0 if all(check.holds for check in checks) else 1)

    return flood


async def _run(opened: Opened, work: Callable[[Rehearsal, str], Awaitable[T]]) -> T:
    async with opened() as (rehearsal, address):
        return await work(rehearsal, address)


def print_replay(report: ReplayReport, console: Console) -> None:
    """Print what was sent, what the books say, what was left out and why."""
    back = report.whole_cancellations + report.partial_refunds
    console.print(
        f"{report.invoices:,} invoices ({report.rows:,} rows) became {report.orders:,} orders and {back:,} refunds"
        f" ({report.whole_cancellations:,} of whole orders) in {report.seconds:,.0f} s."
    )
    if report.split_invoices:
        console.print(f"{report.split_invoices:,} invoices have more than one order may hold: each became several.")
    console.print(_money_table(report))
    console.print(_left_out_table(report.money, report.currency))
    for refusal in report.refused[:10]:
        console.print(f"[red]refused[/] {refusal.key}: {refusal.status} {refusal.code} {refusal.detail}")
    for difference in report.differences:
        log, books = (format_money(each, report.currency, "en") for each in (difference.log, difference.books))
        console.print(f"[bold red]differs[/] {difference.what}: the log has {log}, the books have {books}.")
    verdict = "equals the money in the log to the last cent" if report.holds else "does NOT equal the money in the log"
    console.print(f"The money in the books {verdict}.", style="green" if report.holds else "bold red")


def _money_table(report: ReplayReport) -> Table:
    money, books, currency = report.money, report.books, report.currency
    table = Table(title="Money", title_justify="left")
    for head in ("", "In the log", "Left out", "Sent", "In the books"):
        table.add_column(head, justify="right" if head else "left")
    sales = sum((each.money for each in money.left_out if each.reason in SALE_REASONS), Decimal(0))
    back = sum((each.money for each in money.left_out if each.reason not in SALE_REASONS), Decimal(0))
    rows = (
        ("Sales", money.gross, sales, money.sent, books.captured),
        ("Cancelled", money.cancelled, back, -money.undone, -books.refunded),
        ("Net", money.net, sales + back, money.sent - money.undone, books.captured - books.refunded),
    )
    for name, log, left_out, sent, booked in rows:
        table.add_row(name, _exact(log), _exact(left_out), _exact(sent), format_money(booked, currency, "en"))
    return table


def _left_out_table(money: LogMoney, currency: str) -> Table:
    table = Table(title=f"Left out ({currency})", title_justify="left")
    for head in ("Reason", "Lines", "Money"):
        table.add_column(head, justify="left" if head == "Reason" else "right")
    for each in money.left_out:
        table.add_row(REASON_TEXT[each.reason], f"{each.lines:,}", _exact(each.money))
    return table


def _exact(amount: Decimal) -> str:
    """Write an amount with two decimals, and with more where it has them: nothing is rounded away."""
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount.normalize():,}"


def print_flood(report: FloodReport, checks: list[Check], console: Console) -> None:
    """Print latencies, outcomes and the journal's checks."""
    table = Table(
        title=f"{report.shoppers:,} shoppers, {report.requests:,} requests in {report.seconds:,.0f} s (ms)",
        title_justify="left",
    )
    for head in ("Requests", "Count", "Failed", "p50", "p95", "p99"):
        table.add_column(head, justify="left" if head == "Requests" else "right")
    for each in report.latencies:
        figures = (each.requests, each.failures, *(each.percentile(share) for share in (0.5, 0.95, 0.99)))
        table.add_row(each.name, *(f"{figure:,}" for figure in figures))
    console.print(table)
    console.print(", ".join(f"{name} {count:,}" for name, count in sorted(report.outcomes.items())))
    for check in checks:
        mark = "[green]holds[/]" if check.holds else "[bold red]BROKEN[/]"
        console.print(f"{mark} {check.name} ({check.examined:,} examined) {check.detail}")
