"""A review as a person reads it in a terminal: findings by severity with their place, and the lowest prices."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tidegate.base.money import format_money
from tidegate.offer.campaign.places import Places
from tidegate.offer.campaign.reviewing import Finding, ReachedPrice, Review, Severity, Way

FINDINGS_SHOWN_MAX = 50
LOWEST_SHOWN_MAX = 15

_COLOURS = {Severity.BLOCKING: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def placed(findings: Sequence[Finding], places: Places) -> list[Finding]:
    """The findings with the file and line of each."""
    found = []
    for finding in findings:
        file, line = places.of(finding.path)
        found.append(msgspec.structs.replace(finding, file=file, line=line))
    return found


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Each finding: where, what is wrong, by which article, what to change; fifty at most."""
    for each in findings[:FINDINGS_SHOWN_MAX]:
        colour = _COLOURS[each.severity]
        place = f"{each.file}:{each.line}: " if each.line else ""
        console.print(f"[{colour}]{each.severity.value}[/] {escape(place)}{escape(each.what.en)}", highlight=False)
        console.print(
            f"    {escape(each.article.en)} ({each.law}; {escape(each.reference)})", style="dim", highlight=False
        )
        console.print(f"    To do: {escape(each.mend.en)}", highlight=False)
    if len(findings) > FINDINGS_SHOWN_MAX:
        console.print(f"... and {len(findings) - FINDINGS_SHOWN_MAX} more findings; --json shows all")


def print_lowest(lowest: Sequence[ReachedPrice], currency: str, console: Console) -> None:
    """The lowest reachable prices, worst first, with the cart and the buyer that reach each."""
    if not lowest:
        return
    has_worth = any(each.worth or each.outlay for each in lowest[:LOWEST_SHOWN_MAX])
    table = Table("Lowest reachable", "Price", box=None, pad_edge=False)
    for heading in ("Less gifts and points",) * has_worth + ("Offer", "Floor", "Cost", "Cart and buyer that reach it"):
        table.add_column(heading)
    for each in lowest[:LOWEST_SHOWN_MAX]:
        amounts = (each.price, each.net, each.offer_price) if has_worth else (each.price, each.offer_price)
        money = [format_money(amount, currency, "en") for amount in amounts]
        limits = [format_money(amount, currency, "en") if amount else "–" for amount in (each.floor, each.cost)]
        colour = "red" if each.is_below_floor else "yellow" if each.is_below_cost else ""
        table.add_row(each.sku, *money, *limits, _reached_by(each), style=colour)
    console.print(table)
    if len(lowest) > LOWEST_SHOWN_MAX:
        console.print(f"... and {len(lowest) - LOWEST_SHOWN_MAX:,} more products; --json shows them")


_WAYS = {Way.OFFER: "", Way.PRESALE: "in presale: ", Way.GROUP: "in a group: "}


def _reached_by(each: ReachedPrice) -> str:
    cart = ", ".join(f"{quantity} × {sku}" for sku, quantity in each.lines)
    rules = f" with {', '.join(each.promotions)}" if each.promotions else ""
    buyer = f"; {each.buyer.en}" if each.buyer.en else ""
    at = f", at {each.at:%Y-%m-%d %H:%M} UTC" if each.at else ""
    return escape(f"{_WAYS[each.way]}{cart}{rules}{buyer}{at}")


def verdict(review: Review) -> str:
    """One sentence: whether it could be published as it is."""
    counts = {each: sum(finding.severity is each for finding in review.findings) for each in Severity}
    if counts[Severity.BLOCKING]:
        return f"It cannot be published: {counts[Severity.BLOCKING]} findings block it."
    if counts[Severity.WARNING]:
        laws = sorted({each.law for each in review.findings if each.severity is Severity.WARNING})
        return (
            "It can be published when a named person waives each warning with a reason: "
            + " ".join(f'--waive {law}="..."' for law in laws)
        )  # fmt: skip
    return f"Nothing stops it ({counts[Severity.NOTICE]} notices)."
