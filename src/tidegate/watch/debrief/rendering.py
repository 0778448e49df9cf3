"""Shows a debrief: as a printable page that carries everything with it, and as a table in the terminal."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.watch.debrief.charts import Band, Bars, Line, grouped_bars, lines_over_time
from tidegate.watch.debrief.contracts import AttemptSpan, Debrief
from tidegate.watch.debrief.rules import merged
from tidegate.watch.debrief.words import Writer
from tidegate.watch.rehearsal.contracts import FAIR_SHARES_MAX

TABLE_ROWS_MAX = 24
_GROUP_HEADS = (
    *("group", "persons", "accounts", "places", "suspected", "called", "entered", "orders-of", "units-of"),
    *("fair-shares", "wait", "refused-share"),
)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tidegate.watch.debrief"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(debrief: Debrief, locale: str, other: str = "") -> str:
    """Return the debrief as one HTML page without any other file. `other` links the page in the other language."""
    facts = debrief.facts
    writer = Writer(locale, facts.currency)
    out = writer.label("outage")
    found = [cost.outage for cost in debrief.outages]
    bands = [Band(f"{each.channel} {out}", each.started_at, each.ended_at) for each in found]
    return (
        _environment()
        .get_template("debrief.html")
        .render(
            d=debrief,
            w=writer,
            other=other,
            title=facts.title_zh if writer.locale == "zh" else facts.title_en,
            rows=merged(facts.sales, TABLE_ROWS_MAX),
            orders_chart=_orders_chart(debrief, writer, bands),
            attempts_chart=_attempts_chart(debrief, writer, bands),
            latency_chart=_latency_chart(debrief, writer),
            group_rows=group_rows(debrief, writer),
            line_note=line_note(debrief, writer),
        )
    )


def _orders_chart(debrief: Debrief, writer: Writer, bands: Sequence[Band]) -> Markup:
    sales, seconds = debrief.facts.sales, debrief.facts.span_seconds
    lines = [
        Line(writer.label("placed"), tuple(span.placed / seconds for span in sales)),
        Line(writer.label("paid-of-placed"), tuple(span.paid / seconds for span in sales)),
    ]
    times = [span.at for span in sales]
    title, axis = writer.label("chart-orders"), writer.label("orders-axis")
    return lines_over_time(title, axis, times, lines=lines, bands=bands, write_time=writer.clock)


def _attempts_chart(debrief: Debrief, writer: Writer, bands: Sequence[Band]) -> Markup:
    times, by_channel = _by_channel([span.at for span in debrief.facts.sales], debrief.facts.attempts)
    lines = [
        Line(channel, tuple(spans[at].captured / debrief.facts.span_seconds if at in spans else 0.0 for at in times))
        for channel, spans in by_channel.items()
    ]
    title, axis = writer.label("chart-attempts"), writer.label("attempts-axis")
    return lines_over_time(title, axis, times, lines=lines, bands=bands, write_time=writer.clock)


def _by_channel(
    times: Sequence[datetime], attempts: Sequence[AttemptSpan]
) -> tuple[list[datetime], dict[str, dict[datetime, AttemptSpan]]]:
    by_channel: dict[str, dict[datetime, AttemptSpan]] = {}
    for span in sorted(attempts, key=lambda each: (each.channel, each.at)):
        by_channel.setdefault(span.channel, {})[span.at] = span
    return sorted({*times, *(span.at for span in attempts)}), by_channel


def _latency_chart(debrief: Debrief, writer: Writer) -> Markup:
    groups = [Bars(each.name, (each.p50, each.p95, each.p99)) for each in debrief.facts.latencies if each.requests]
    return grouped_bars(writer.label("chart-latency"), "ms", ("p50", "p95", "p99"), groups)


def terminal(debrief: Debrief, locale: str = "en") -> RenderableType:
    """Return the debrief as tables for a terminal (or plain lines where there is none)."""
    writer = Writer(locale, debrief.facts.currency)
    title = debrief.facts.title_zh if writer.locale == "zh" else debrief.facts.title_en
    parts: list[RenderableType] = [Text(f"{writer.label('title')} · {title}", style="bold")]
    marks = {True: ("✓", "green"), False: ("!", "red"), None: ("·", "")}
    for finding in debrief.findings:
        mark, style = marks[finding.good]
        parts.append(Text(f"{mark} {writer.finding(finding)}", style=style))
    parts.append(_totals_table(debrief, writer))
    if debrief.facts.groups:
        parts.append(_groups_table(debrief, writer))
    if debrief.facts.latencies:
        parts.append(_latency_table(debrief, writer))
    parts.append(_channels_table(debrief, writer))
    if debrief.goals:
        parts.append(_goals_table(debrief, writer))
    if debrief.facts.checks:
        parts.append(_checks_table(debrief, writer))
    return Group(*parts)


def show(debrief: Debrief, console: Console, locale: str = "en") -> None:
    """Print the debrief to a console."""
    console.print(terminal(debrief, locale))


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", overflow="fold")
    return table


def _totals_table(debrief: Debrief, writer: Writer) -> Table:
    sums, payments = debrief.totals, debrief.facts.payments
    table = _table(writer.label("orders"), "", writer.label("count"))
    table.add_row(writer.label("placed"), writer.number(sums.placed))
    table.add_row(writer.label("paid"), writer.number(sums.paid))
    table.add_row(writer.label("cancelled"), writer.number(sums.cancelled))
    table.add_row(writer.label("expired"), writer.number(sums.expired))
    table.add_row(writer.label("value"), writer.money(sums.paid_value))
    table.add_row(writer.label("refunded"), writer.money(payments.refunded_value))
    table.add_row(writer.label("buyers"), writer.number(debrief.facts.buyers))
    table.add_row(writer.label("payment-success"), writer.share(payments.success))
    return table


def group_rows(debrief: Debrief, writer: Writer) -> list[tuple[str, ...]]:
    """Return what each group got as the rows of a table, the head first; groups are columns, so that a phone and a
    terminal of 80 columns have room for them.
    """
    columns = [
        (
            writer.label(f"group-{each.group}"),
            *(writer.number(count) for count in (each.persons, each.accounts, each.placed, each.suspected)),
            *(writer.number(count) for count in (each.called, each.entered, each.orders, each.units)),
            writer.times(each.fair_shares),
            "–" if each.wait_seconds is None else writer.seconds(each.wait_seconds),
            writer.share(each.refused_share),
        )
        for each in debrief.facts.groups
    ]
    heads = tuple(writer.label(head) for head in _GROUP_HEADS)
    return list(zip(heads, *columns, strict=True))


def _groups_table(debrief: Debrief, writer: Writer) -> Table:
    head, *rows = group_rows(debrief, writer)
    table = _table(writer.label("line"), *head)
    for row in rows:
        table.add_row(*row)
    table.caption = line_note(debrief, writer)
    table.caption_justify = "left"
    return table


def line_note(debrief: Debrief, writer: Writer) -> str:
    """Return what all wanted, and how a fair share is reckoned."""
    wanted = debrief.facts.wanted
    if wanted is None:
        return ""
    name = wanted.name_zh if writer.locale == "zh" else wanted.name_en
    units, bar = writer.number(wanted.units), writer.times(FAIR_SHARES_MAX)
    return writer.label("line-note", name=name, units=units, bar=bar)


def _latency_table(debrief: Debrief, writer: Writer) -> Table:
    table = _table(
        f"{writer.label('latency')} (ms)", writer.label("class"), writer.label("count"), writer.label("faults"),
        "p50", "p95", "p99",
    )  # fmt: skip
    for each in debrief.facts.latencies:
        cells = (each.requests, each.failures, each.p50, each.p95, each.p99)
        table.add_row(each.name, *(writer.number(cell) for cell in cells))
    return table


def _channels_table(debrief: Debrief, writer: Writer) -> Table:
    heads = ("channel", "attempts", "captured", "refused", "failed", "unknown", "success")
    table = _table(writer.label("channels"), *(writer.label(head) for head in heads))
    for each in debrief.channels:
        cells = (each.attempts, each.captured, each.refused, each.failed, each.unknown)
        table.add_row(each.channel, *(writer.number(cell) for cell in cells), writer.share(each.success))
    return table


def _goals_table(debrief: Debrief, writer: Writer) -> Table:
    table = _table(writer.label("goals"), *(writer.label(head) for head in ("goal", "target", "result", "state")))
    for goal in debrief.goals:
        result = "–" if goal.result is None else writer.amount(goal.result, goal.goal.unit)
        style = {True: "green", False: "red", None: ""}[goal.met]
        table.add_row(writer.goal(goal.goal.kind), writer.target(goal), result, Text(writer.met(goal), style=style))
    return table


def _checks_table(debrief: Debrief, writer: Writer) -> Table:
    table = _table(writer.label("checks"), *(writer.label(head) for head in ("check", "examined", "state", "detail")))
    for check in debrief.facts.checks:
        word = Text(writer.label("holds" if check.holds else "broken"), style="green" if check.holds else "red")
        table.add_row(check.name, writer.number(check.examined), word, check.detail)
    return table
