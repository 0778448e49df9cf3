"""Findings of a review as a page shows them: those of one article together, its remedy once where it is the same."""

from collections.abc import Iterable
from itertools import groupby

import msgspec

from tidegate.offer.campaign.api import Finding, Severity
from tidegate.offer.campaign.contracts import Words


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What one article found with one severity. `mend` is what to change for all of it; else each item has its own."""

    severity: Severity
    law: str
    article: Words
    reference: str
    items: tuple[tuple[Words, Words | None], ...]
    mend: Words | None


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """The findings in their order, runs of one article and severity together."""
    return [_group(list(run)) for _, run in groupby(findings, key=lambda each: (each.severity, each.law))]


def _group(run: list[Finding]) -> Group:
    first = run[0]
    is_same = all(each.mend == first.mend for each in run)
    return Group(
        severity=first.severity,
        law=first.law,
        article=first.article,
        reference=first.reference,
        items=tuple((each.what, None if is_same else each.mend) for each in run),
        mend=first.mend if is_same else None,
    )
