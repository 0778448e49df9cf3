"""`tidegate campaign cost`: what a campaign's promotions would cost on a shop's order log."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.watch.rehearsal.contracts import Dialect, Invoice
from tidegate.watch.rehearsal.cost import Costing, sales_of
from tidegate.watch.rehearsal.cost_contracts import Assumed, CostReport, NotCosted, PromotionCost
from tidegate.watch.rehearsal.cost_words import promised_name, promised_words
from tidegate.watch.rehearsal.errors import LogNotReadable
from tidegate.watch.rehearsal.order_log import invoices, parse_map, read_lines
from tidegate.watch.rehearsal.progress import ShownProgress

Load = Callable[[Path, str | None], CampaignDefinition]
"""Reads a campaign file for a start; refuses a faulty one with every fault. The app provides it."""

ASSUMED = {
    Assumed.COUPONS: "everybody uses the coupon that saves most and shows all codes",
    Assumed.MEMBERS: "everybody is a member",
    Assumed.TIERS: "everybody has the tier that costs most",
    Assumed.SEGMENTS: "everybody is in every segment",
    Assumed.CONDITIONS: "every condition holds",
    Assumed.POINTS: "everybody has as many points as can be spent",
}
NOT_COSTED = {
    NotCosted.DRAWS: "prizes",
    NotCosted.EARNED_POINTS: "points that payments earn",
    NotCosted.FURTHER_COUPONS: "coupons after the first twelve",
}

_LogFile = click.Path(exists=True, dir_okay=False, path_type=Path)


def cost(load: Load) -> click.Command:
    """Return the command `cost`, for the group `campaign`."""

    @click.command("cost", short_help="Expected cost of each promotion, from an order log.")
    @click.argument("file", type=_LogFile)
    @click.option("--orders", "log", required=True, type=_LogFile, help="The order log: CSV, or CSV in gzip.")
    @click.option("--start", metavar="WHEN", help="When the festival starts: now, now+10m, 2026-11-11T00:00:00+08:00.")
    @click.option("--limit", type=click.IntRange(min=1), help="Only the first N invoices.")
    @click.option("--map", "columns", default="", help="The log's columns, e.g. invoice=Order,price=Amount.")
    @click.option("--encoding", default="utf-8-sig", show_default=True, help="The log's encoding.")
    @click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
    def command(
        *, file: Path, log: Path, start: str | None, limit: int | None, columns: str, encoding: str, as_json: bool
    ) -> None:
        """Price the orders of a log (docs/replay.md) by a campaign FILE and add up what each promotion takes off.

        Goods are matched by SKU and stock code. The log's time is spread over the sale. Where something is not known,
        the dearest for the shop is assumed. Nothing is published, and no installation is needed.
        """
        definition = load(file, start)
        dialect = parse_map(columns, Dialect(encoding=encoding))
        console = Console(stderr=as_json)
        with ShownProgress(console) as progress:
            report = estimate(definition, log, dialect, limit, progress)
        if as_json:
            click.echo(msgspec.json.encode(report).decode())
        else:
            print_cost(report, console)

    return command


class Costed(NamedTuple):
    """A report, and how it is shown."""

    report: CostReport

    def show(self, console: Console) -> None:
        """Print it under a title."""
        console.print("\n[bold]Expected cost on the order log[/]")
        print_cost(self.report, console)


def costed(definition: CampaignDefinition, log: Path, columns: str) -> Costed:
    """Price a log for `campaign check`. Raises LogNotReadable."""
    with ShownProgress(Console(stderr=True)) as progress:
        return Costed(estimate(definition, log, parse_map(columns), None, progress))


def estimate(
    definition: CampaignDefinition, log: Path, dialect: Dialect, limit: int | None, progress: ShownProgress
) -> CostReport:
    """Read the log twice: for its first and last order, and to price it. Raises LogNotReadable, also for an empty one.

    Memory grows with accounts and counters, not with lines.
    """

    def sales() -> Iterator[Invoice]:
        return sales_of(invoices(read_lines(log, dialect, progress.done), dialect, limit))

    progress.stage("reading the log", log.stat().st_size)
    first = last = None
    for invoice in sales():
        first = min(first or invoice.at, invoice.at)
        last = max(last or invoice.at, invoice.at)
    if first is None or last is None:
        raise LogNotReadable(f"{log.name} has no sales. Nothing was priced.")
    progress.stage("pricing its orders", log.stat().st_size)
    costing = Costing(definition, first, last)
    for invoice in sales():
        costing.take(invoice)
    return costing.finish()


def print_cost(report: CostReport, console: Console) -> None:
    """Print the totals, what was left out, and a row for each promotion."""

    def money(amount: int) -> str:
        return format_money(amount, report.currency, "en")

    console.print(
        f"{report.orders:,} orders have goods on offer; {report.priced:,} could be ordered: {report.units:,} "
        f"units, {money(report.at_list_price)} at list prices, {money(report.paid)} paid with "
        f"{money(report.shipping)} shipping in it.",
        highlight=False,
    )
    console.print(
        f"Left out: {report.lines_unmatched:,} lines of other goods, {report.units_beyond_quota:,} units beyond "
        f"quotas, {report.refused:,} orders refused by a limit.",
        highlight=False,
    )
    for line in _said(report):
        console.print(line, highlight=False)
    table = Table("Promotion", "Orders", "Units", "Money off", "Budget", "Borne by", box=None, pad_edge=False)
    for column in table.columns[1:5]:
        column.justify = "right"
    for each in report.promotions:
        borne = ", ".join(f"{name} {money(amount)}" for name, amount in sorted(each.bearers.items()))
        table.add_row(each.rule, f"{each.orders:,}", f"{each.units:,}", money(each.off), _burn(each, report), borne)
    console.print(table)
    _print_promised(report, console)


def _print_promised(report: CostReport, console: Console) -> None:
    """Print what is promised beside the prices of orders, each with how it was reckoned."""
    if not report.promised:
        return
    table = Table("Promised beside", "Orders", "Units", "Money", "How it is reckoned", box=None, pad_edge=False)
    for column in table.columns[1:4]:
        column.justify = "right"
    for each in report.promised:
        table.add_row(
            promised_name(each).en,
            f"{each.orders:,}",
            f"{each.units:,}",
            format_money(each.off, report.currency, "en") if each.asked else "–",
            promised_words(each, report.currency).en,
        )
    console.print()
    console.print(table)


def _said(report: CostReport) -> Iterator[str]:
    yield (
        "Assumed: "
        + "; ".join(
            [
                "everybody buys what he bought, spread over the sale; who bought before in the log is returning",
                *(ASSUMED[each] for each in report.assumed),
            ]
        )
        + "."
    )
    if report.not_costed:
        yield f"Not in these figures: {', '.join(NOT_COSTED[each] for each in report.not_costed)}."


def _burn(cost_of: PromotionCost, report: CostReport) -> str:
    if not cost_of.budget:
        return "–"
    return f"{cost_of.off / cost_of.budget:.0%} of {format_money(cost_of.budget, report.currency, 'en')}"
