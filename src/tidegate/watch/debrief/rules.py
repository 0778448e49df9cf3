"""Works out a debrief from its facts. Pure: the same facts give the same debrief."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from tidegate.watch.debrief.contracts import (
    AttemptSpan,
    ChannelResult,
    Debrief,
    Facts,
    Finding,
    FindingKind,
    GoalResult,
    Outage,
    OutageCost,
    SaleSpan,
    Target,
    Totals,
)
from tidegate.watch.rehearsal.contracts import FAIR_SHARES_MAX, Group

SPANS_MAX = 180
"""More points than this do not show in a chart as wide as a page."""

OUTAGE_FAILURES_MIN = 3
"""One slip is no outage: this many attempts must have gone unanswered."""

_SPAN_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)


def span_seconds(started_at: datetime, ended_at: datetime) -> int:
    """Return the shortest round length of a span with which the time fits into SPANS_MAX of them."""
    whole = (ended_at - started_at).total_seconds()
    return next((each for each in _SPAN_SECONDS if whole <= each * SPANS_MAX), _SPAN_SECONDS[-1])


def debrief(facts: Facts, made_at: datetime) -> Debrief:
    """Return the debrief of these facts."""
    sums = totals(facts.sales)
    found = outages(facts.attempts, facts.span_seconds, facts.ended_at)
    costs = tuple(outage_cost(each, found, facts.sales) for each in found)
    goals = tuple(GoalResult(goal=target, result=result_of(target, facts, sums)) for target in facts.targets)
    return Debrief(
        made_at=made_at,
        facts=facts,
        totals=sums,
        channels=channels(facts.attempts),
        outages=costs,
        goals=goals,
        findings=tuple(_findings(facts, sums, costs, goals)),
    )


def totals(sales: Sequence[SaleSpan]) -> Totals:
    """Add up all spans; the peak is the span with the most orders placed, the earliest of equals."""
    peak = max(sales, key=lambda span: span.placed, default=None)
    return Totals(
        placed=sum(span.placed for span in sales),
        placed_value=sum(span.placed_value for span in sales),
        paid=sum(span.paid for span in sales),
        paid_value=sum(span.paid_value for span in sales),
        cancelled=sum(span.cancelled for span in sales),
        expired=sum(span.expired for span in sales),
        orders_peak=peak.placed if peak else 0,
        orders_peak_at=peak.at if peak else None,
    )


def channels(attempts: Iterable[AttemptSpan]) -> tuple[ChannelResult, ...]:
    """Add up the attempts of each channel, in the channels' alphabetical order."""
    by_channel = groupby(sorted(attempts, key=lambda span: span.channel), key=lambda span: span.channel)
    results = []
    for channel, group in by_channel:
        spans = list(group)
        results.append(
            ChannelResult(
                channel=channel,
                captured=sum(span.captured for span in spans),
                refused=sum(span.refused for span in spans),
                failed=sum(span.failed for span in spans),
                unknown=sum(span.unknown for span in spans),
            )
        )
    return tuple(results)


def outages(attempts: Sequence[AttemptSpan], seconds: int, ended_at: datetime) -> tuple[Outage, ...]:
    """Find the times in which a channel left most attempts unanswered, over all channels, in order of their beginning.

    An outage begins with the first span in which fewer than half of a channel's attempts were answered, or after the
    failures of which it was avoided, and ends with the next span in which at least half were. Spans without attempts
    (the channel was being avoided) do not end it.
    """
    found: list[Outage] = []
    by_channel = groupby(sorted(attempts, key=lambda span: (span.channel, span.at)), key=lambda span: span.channel)
    for _, spans in by_channel:
        found.extend(_outages_of([span for span in spans if span.attempts], seconds, ended_at))
    return tuple(sorted(found, key=lambda outage: (outage.started_at, outage.channel)))


def _outages_of(spans: list[AttemptSpan], seconds: int, ended_at: datetime) -> Iterable[Outage]:
    start: AttemptSpan | None = None
    failed = 0
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        if not _is_answered(span, following, seconds):
            start = start or span
            failed += span.failed + span.unknown
        elif start is not None:
            if failed >= OUTAGE_FAILURES_MIN:
                yield _outage(start, span.at, failed, ended=True)
            start, failed = None, 0
    if start is not None and failed >= OUTAGE_FAILURES_MIN:
        yield _outage(start, max(ended_at, start.at + timedelta(seconds=seconds)), failed, ended=False)


def _is_answered(span: AttemptSpan, following: AttemptSpan | None, seconds: int) -> bool:
    """Return whether the channel was there in a span. One that goes away late in it answered most of it before; then it
    is avoided for a while, or fails again.
    """
    if span.answered * 2 < span.attempts:
        return False
    if following is None or span.failed + span.unknown < OUTAGE_FAILURES_MIN:
        return True
    avoided = following.at - span.at > timedelta(seconds=seconds)
    return not avoided and following.answered * 2 >= following.attempts


def _outage(start: AttemptSpan, until: datetime, failed: int, *, ended: bool) -> Outage:
    return Outage(channel=start.channel, started_at=start.at, ended_at=until, ended=ended, failed=failed)


def outage_cost(outage: Outage, all_outages: Sequence[Outage], sales: Sequence[SaleSpan]) -> OutageCost:
    """Compare the orders placed within an outage with those placed outside of every outage.

    Lost orders = orders placed in it x conversion outside - orders placed in it and paid, never below zero; each is
    counted with the mean value of an order paid outside.
    """
    inside = [span for span in sales if _within(span, outage)]
    outside = [span for span in sales if not any(_within(span, each) for each in all_outages)]
    placed, paid = sum(span.placed for span in inside), sum(span.paid for span in inside)
    placed_outside, paid_outside = sum(span.placed for span in outside), sum(span.paid for span in outside)
    usual = paid_outside / placed_outside if placed_outside else None
    lost = max(0, round(placed * usual) - paid) if usual is not None else 0
    basket = sum(span.paid_value for span in outside) / paid_outside if paid_outside else 0
    return OutageCost(
        outage=outage,
        placed=placed,
        paid=paid,
        conversion=paid / placed if placed else None,
        conversion_outside=usual,
        lost_orders=lost,
        lost_value=round(lost * basket),
    )


def _within(span: SaleSpan, outage: Outage) -> bool:
    return outage.started_at <= span.at < outage.ended_at


def result_of(target: Target, facts: Facts, sums: Totals) -> int | None:
    """Return what was reached, in the target's unit, or None where nothing measured it."""
    reached = {
        "gmv": sums.paid_value,
        "orders": sums.paid,
        "conversion": _basis_points(facts.buyers / facts.visitors) if facts.visitors else None,
        "payment_success": _basis_points(facts.payments.success),
        "page_load": _p99(facts, "page"),
        "search": _p99(facts, "search"),
    }
    return reached.get(target.kind)


def _basis_points(share: float | None) -> int | None:
    return None if share is None else int(share * 10_000 + 1e-9)


def _p99(facts: Facts, name: str) -> int | None:
    return next((each.p99 for each in facts.latencies if each.name == name and each.requests), None)


def _findings(
    facts: Facts, sums: Totals, costs: Sequence[OutageCost], goals: Sequence[GoalResult]
) -> Iterable[Finding]:
    yield from _about_sales(facts, sums)
    yield from _about_outages(costs)
    yield from _about_stock(facts)
    yield from _about_line(facts)
    yield from _about_latency(facts)
    yield from _about_goals(goals)
    yield from _about_checks(facts)


def _about_sales(facts: Facts, sums: Totals) -> Iterable[Finding]:
    if not sums.placed:
        yield Finding(kind=FindingKind.NOTHING_SOLD, good=None, facts={})
        return
    yield Finding(
        kind=FindingKind.SALES,
        good=None,
        facts={"paid": sums.paid, "value": sums.paid_value, "share": sums.paid_share, "basket": sums.basket},
    )
    yield Finding(
        kind=FindingKind.PEAK,
        good=None,
        facts={"orders": round(sums.orders_peak / facts.span_seconds), "at": _iso(sums.orders_peak_at)},
    )


def _about_outages(costs: Sequence[OutageCost]) -> Iterable[Finding]:
    if not costs:
        yield Finding(kind=FindingKind.NO_OUTAGE, good=True, facts={})
    for cost in costs:
        yield Finding(
            kind=FindingKind.OUTAGE_COST if cost.lost_orders else FindingKind.OUTAGE,
            good=not cost.lost_orders,
            facts={
                "channel": cost.outage.channel,
                "seconds": round(cost.outage.lasted.total_seconds()),
                "failed": cost.outage.failed,
                "conversion": cost.conversion,
                "usual": cost.conversion_outside,
                "orders": cost.lost_orders,
                "value": cost.lost_value,
            },
        )


def _about_stock(facts: Facts) -> Iterable[Finding]:
    if not facts.sold_out:
        yield Finding(kind=FindingKind.NOT_SOLD_OUT, good=None, facts={})
        return
    first = min(facts.sold_out, key=lambda each: each.at)
    yield Finding(
        kind=FindingKind.SOLD_OUT,
        good=None,
        facts={
            "count": len(facts.sold_out),
            "name_zh": first.name_zh,
            "name_en": first.name_en,
            "units": first.units,
            "seconds": max(0, round((first.at - facts.opened_at).total_seconds())),
        },
    )


def _about_line(facts: Facts) -> Iterable[Finding]:
    farm = next((each for each in facts.groups if each.group is Group.FARM), None)
    if farm is not None and farm.fair_shares is not None:
        yield Finding(
            kind=FindingKind.FARM,
            good=farm.fair_shares <= FAIR_SHARES_MAX,
            facts={
                "accounts": farm.accounts,
                "persons": farm.persons,
                "placed": farm.placed,
                "units": farm.units,
                "shares": farm.fair_shares,
                "bar": FAIR_SHARES_MAX,
            },
        )
    if facts.draw is not None:
        broken = [finding.name for finding in facts.draw.findings if not finding.holds]
        yield Finding(
            kind=FindingKind.DRAW_BROKEN if broken else FindingKind.DRAW_HOLDS,
            good=not broken,
            facts={
                "places": max((each.examined for each in facts.draw.findings), default=0),
                "broken": ", ".join(broken),
            },
        )


def _about_latency(facts: Facts) -> Iterable[Finding]:
    order = next((each for each in facts.latencies if each.name == "order" and each.requests), None)
    if order is not None:
        yield Finding(
            kind=FindingKind.LATENCY,
            good=None,
            facts={"requests": order.requests, "p50": order.p50, "p99": order.p99},
        )


def _about_goals(goals: Sequence[GoalResult]) -> Iterable[Finding]:
    measured = [each for each in goals if each.met is not None]
    missed = [each.goal.kind for each in measured if not each.met]
    if measured:
        yield Finding(
            kind=FindingKind.GOALS_MISSED if missed else FindingKind.GOALS_MET,
            good=not missed,
            facts={"met": len(measured) - len(missed), "measured": len(measured), "missed": ",".join(missed)},
        )


def _about_checks(facts: Facts) -> Iterable[Finding]:
    broken = [check.name for check in facts.checks if not check.holds]
    if facts.checks:
        yield Finding(
            kind=FindingKind.CHECKS_BROKEN if broken else FindingKind.CHECKS_HOLD,
            good=not broken,
            facts={
                "count": len(facts.checks),
                "examined": sum(check.examined for check in facts.checks),
                "broken": ", ".join(broken),
            },
        )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def merged(sales: Sequence[SaleSpan], rows_max: int) -> tuple[SaleSpan, ...]:
    """Return the spans added up to at most `rows_max` longer ones, for a table that people read."""
    size = max(1, -(-len(sales) // rows_max))
    rows = []
    for start in range(0, len(sales), size):
        group = sales[start : start + size]
        sums = totals(group)
        rows.append(
            SaleSpan(
                at=group[0].at,
                placed=sums.placed,
                placed_value=sums.placed_value,
                paid=sums.paid,
                paid_value=sums.paid_value,
                cancelled=sums.cancelled,
                expired=sums.expired,
            )
        )
    return tuple(rows)
