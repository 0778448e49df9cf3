"""The frozen values of a debrief: spans of time with their figures, outages, goals against results, findings.

Amounts are in minor units, times aware UTC, shares between 0 and 1. `None` means not measured, never zero.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from tidegate.base.invariant import Check
from tidegate.gate.queue.contracts import Verification
from tidegate.watch.rehearsal.contracts import GroupResult


class SaleSpan(msgspec.Struct, frozen=True, kw_only=True):
    """The orders placed within one span, and what became of them (whenever it did)."""

    at: datetime
    placed: int = 0
    placed_value: int = 0
    paid: int = 0
    paid_value: int = 0
    cancelled: int = 0
    expired: int = 0


class AttemptSpan(msgspec.Struct, frozen=True, kw_only=True):
    """The payment attempts that one channel was asked for within one span. `refused`: it answered no (its right)."""

    at: datetime
    channel: str
    captured: int = 0
    refused: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def attempts(self) -> int:
        """All attempts of the span."""
        return self.captured + self.refused + self.failed + self.unknown

    @property
    def answered(self) -> int:
        """Attempts that the channel answered, yes or no: it was there."""
        return self.captured + self.refused


class PaymentTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the orders that somebody tried to pay."""

    tried: int
    captured: int
    captured_value: int
    refunded_value: int

    @property
    def success(self) -> float | None:
        """Share of the orders tried to pay that were paid, over however many channels."""
        return self.captured / self.tried if self.tried else None


class SoldOut(msgspec.Struct, frozen=True, kw_only=True):
    """Goods of which no unit was left, and when the last one went."""

    sku: str
    name_zh: str
    name_en: str
    units: int
    at: datetime


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long one class of requests took, as the shoppers saw it, in milliseconds."""

    name: str
    requests: int
    failures: int
    p50: int
    p95: int
    p99: int


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A goal of the campaign. `unit`: money, basis_points, milliseconds, minutes, count."""

    kind: str
    unit: str
    target: int
    at_least: bool


class GoalResult(msgspec.Struct, frozen=True, kw_only=True):
    """A goal against its result, both in the goal's unit."""

    goal: Target
    result: int | None

    @property
    def met(self) -> bool | None:
        """Whether the result is on the right side of the target; None where nothing was measured."""
        if self.result is None:
            return None
        return self.result >= self.goal.target if self.goal.at_least else self.result <= self.goal.target


class ChannelResult(msgspec.Struct, frozen=True, kw_only=True):
    """One channel over the whole time."""

    channel: str
    captured: int
    refused: int
    failed: int
    unknown: int

    @property
    def attempts(self) -> int:
        """All attempts."""
        return self.captured + self.refused + self.failed + self.unknown

    @property
    def success(self) -> float | None:
        """Share of the attempts that took the money."""
        return self.captured / self.attempts if self.attempts else None


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """The time in which a channel did not answer. `ended` is False when it had not come back by the end."""

    channel: str
    started_at: datetime
    ended_at: datetime
    ended: bool
    failed: int

    @property
    def lasted(self) -> timedelta:
        """How long it was."""
        return self.ended_at - self.started_at


class OutageCost(msgspec.Struct, frozen=True, kw_only=True):
    """What an outage cost: orders placed in it that would have been paid at the conversion outside of it."""

    outage: Outage
    placed: int
    paid: int
    conversion: float | None
    conversion_outside: float | None
    lost_orders: int
    lost_value: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The product that all simulated shoppers wanted first, and how many units of it were on offer."""

    name_zh: str
    name_en: str
    units: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a debrief is made from."""

    campaign_id: str
    title_zh: str
    title_en: str
    version: int
    currency: str
    started_at: datetime
    ended_at: datetime
    opened_at: datetime
    span_seconds: int
    sales: tuple[SaleSpan, ...]
    attempts: tuple[AttemptSpan, ...]
    payments: PaymentTotals
    buyers: int
    sold_out: tuple[SoldOut, ...] = ()
    targets: tuple[Target, ...] = ()
    latencies: tuple[Latency, ...] = ()
    visitors: int | None = None
    wanted: Wanted | None = None
    groups: tuple[GroupResult, ...] = ()
    draw: Verification | None = None
    checks: tuple[Check, ...] = ()


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of all spans."""

    placed: int
    placed_value: int
    paid: int
    paid_value: int
    cancelled: int
    expired: int
    orders_peak: int
    orders_peak_at: datetime | None

    @property
    def paid_share(self) -> float | None:
        """Share of the orders placed that were paid."""
        return self.paid / self.placed if self.placed else None

    @property
    def basket(self) -> int | None:
        """Mean value of a paid order."""
        return round(self.paid_value / self.paid) if self.paid else None


class FindingKind(StrEnum):
    """What a finding is about; the sentence belongs to the kind."""

    NOTHING_SOLD = "nothing-sold"
    SALES = "sales"
    PEAK = "peak"
    OUTAGE = "outage"
    OUTAGE_COST = "outage-cost"
    NO_OUTAGE = "no-outage"
    SOLD_OUT = "sold-out"
    NOT_SOLD_OUT = "not-sold-out"
    FARM = "farm"
    DRAW_HOLDS = "draw-holds"
    DRAW_BROKEN = "draw-broken"
    LATENCY = "latency"
    GOALS_MET = "goals-met"
    GOALS_MISSED = "goals-missed"
    CHECKS_HOLD = "checks-hold"
    CHECKS_BROKEN = "checks-broken"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence about the figures: its kind, whether it is good news (None: neither), and what fills it."""

    kind: FindingKind
    good: bool | None
    facts: dict[str, str | int | float | None]


class Debrief(msgspec.Struct, frozen=True, kw_only=True):
    """The whole debrief, ready to be shown."""

    made_at: datetime
    facts: Facts
    totals: Totals
    channels: tuple[ChannelResult, ...]
    outages: tuple[OutageCost, ...]
    goals: tuple[GoalResult, ...]
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether every invariant that was checked held."""
        return all(check.holds for check in self.facts.checks)
