"""Counts what was refused of passes, places and answers because it was no honest one of its sender's, and why."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from tidegate.gate.bots import metrics, store
from tidegate.gate.bots.contracts import Misuse, TokenKind

REASONS: Mapping[str, Misuse] = {
    "forged": Misuse.FORGED,
    "wrong": Misuse.FORGED,
    "other-account": Misuse.SHARED,
    "other-device": Misuse.SHARED,
    "other-session": Misuse.SHARED,
    "used": Misuse.USED,
    "ended": Misuse.USED,
    "expired": Misuse.EXPIRED,
    "other-campaign": Misuse.OTHER_CAMPAIGN,
}
"""What a refusal's `reason` is counted as. None at all, or one that came too early, is nobody's trick."""


class Misused(NamedTuple):
    """Under what a refused token is counted."""

    minute_at: datetime
    token: TokenKind
    reason: Misuse


class Misuses:
    """Counts in memory until they are written; some microseconds each."""

    def __init__(self) -> None:
        self._counts: Counter[Misused] = Counter()

    def note(self, token: TokenKind, reason: str, now: datetime) -> None:
        """Count a refusal, where its reason is one of those that are counted."""
        misuse = REASONS.get(reason)
        if misuse is not None:
            self._counts[Misused(now.replace(second=0, microsecond=0), token, misuse)] += 1
            metrics.misuse.labels(token, misuse).inc()

    def taken(self) -> list[store.MisusedTimes]:
        """Return what was counted since the last time, which is forgotten now."""
        counts, self._counts = self._counts, Counter()
        return [store.MisusedTimes(*counted, times) for counted, times in counts.items()]

    def __bool__(self) -> bool:
        """Whether anything is counted that was not taken."""
        return bool(self._counts)
