"""Compares our ledger with a channel's statement: pure, and complete - every line of either side is told."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

EXAMPLES_MAX = 1_000
"""Lines of each kind that a report keeps; the counts are always complete."""


class Entry(NamedTuple):
    """A movement in either book. `kind` is charge or refund; `reference` is our attempt's or refund's id."""

    kind: str
    reference: str
    amount: int
    currency: str
    booked_at: datetime


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A line that does not match: amounts are minor units, None where that side has no such line."""

    kind: str
    reference: str
    ours: int | None
    theirs: int | None
    currency: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of one channel's statement with our ledger, from `from_at` until before `to_at`.

    `under_way` lines are in their books while we still ask about them; they are expected to match soon.
    """

    report_id: UUID
    channel: str
    from_at: datetime
    to_at: datetime
    made_at: datetime
    matched: int
    matched_charged: int
    matched_refunded: int
    under_way_count: int
    missing_there_count: int
    missing_here_count: int
    amount_differs_count: int
    duplicated_count: int
    under_way: tuple[Finding, ...] = ()
    missing_there: tuple[Finding, ...] = ()
    missing_here: tuple[Finding, ...] = ()
    amount_differs: tuple[Finding, ...] = ()
    duplicated: tuple[Finding, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the books agree, apart from what is under way."""
        faults = self.missing_there_count + self.missing_here_count + self.amount_differs_count + self.duplicated_count
        return faults == 0


class Matches(NamedTuple):
    """Every line of both books, sorted by how it fared."""

    matched: list[Entry]
    under_way: list[Finding]
    missing_there: list[Finding]
    missing_here: list[Finding]
    amount_differs: list[Finding]
    duplicated: list[Finding]


def match(
    ours: Sequence[Entry], theirs: Sequence[Entry], *, outstanding: frozenset[str], from_at: datetime, to_at: datetime
) -> Matches:
    """Match two books by kind and reference.

    Both are read with a margin around the range, because the two sides book a moment apart; a line counts when the
    side that has it booked it within the range. `outstanding` are our references whose outcome is still asked for.
    """
    mine = {(each.kind, each.reference): each for each in ours}
    told = {(each.kind, each.reference): each for each in theirs}
    found = Matches([], [], [], [], [], [])
    for key, each in mine.items():
        if from_at <= each.booked_at < to_at:
            _place(found, each, told.get(key))
    for key, each in told.items():
        if key not in mine and from_at <= each.booked_at < to_at:
            place = found.under_way if each.reference in outstanding else found.missing_here
            place.append(_finding(each, None, each.amount))
    times = Counter((each.kind, each.reference) for each in theirs)
    found.duplicated.extend(
        _finding(told[key], mine[key].amount if key in mine else None, told[key].amount * count)
        for key, count in times.items()
        if count > 1
    )
    return found


def _place(found: Matches, mine: Entry, theirs: Entry | None) -> None:
    if theirs is None:
        found.missing_there.append(_finding(mine, mine.amount, None))
    elif (theirs.amount, theirs.currency) != (mine.amount, mine.currency):
        found.amount_differs.append(_finding(mine, mine.amount, theirs.amount))
    else:
        found.matched.append(mine)


def _finding(entry: Entry, ours: int | None, theirs: int | None) -> Finding:
    return Finding(kind=entry.kind, reference=entry.reference, ours=ours, theirs=theirs, currency=entry.currency)


def report(
    found: Matches, *, report_id: UUID, channel: str, from_at: datetime, to_at: datetime, made_at: datetime
) -> Report:
    """Return the report on a comparison."""
    return Report(
        report_id=report_id,
        channel=channel,
        from_at=from_at,
        to_at=to_at,
        made_at=made_at,
        matched=len(found.matched),
        matched_charged=sum(each.amount for each in found.matched if each.kind == "charge"),
        matched_refunded=sum(each.amount for each in found.matched if each.kind == "refund"),
        under_way_count=len(found.under_way),
        missing_there_count=len(found.missing_there),
        missing_here_count=len(found.missing_here),
        amount_differs_count=len(found.amount_differs),
        duplicated_count=len(found.duplicated),
        under_way=tuple(found.under_way[:EXAMPLES_MAX]),
        missing_there=tuple(found.missing_there[:EXAMPLES_MAX]),
        missing_here=tuple(found.missing_here[:EXAMPLES_MAX]),
        amount_differs=tuple(found.amount_differs[:EXAMPLES_MAX]),
        duplicated=tuple(found.duplicated[:EXAMPLES_MAX]),
    )
