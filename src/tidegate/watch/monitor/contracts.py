"""What the monitor measures and says: samples, figures with goals, stations, announcements, the doctor's examination.

Rates are a second, amounts in minor units, times aware UTC. `None` means that nothing could be measured, never zero.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from tidegate.base.invariant import Check

Json = str | int | float | bool | None


class State(StrEnum):
    """How a figure stands to its goal. `silent`: nothing can be said, because nothing happens or nobody measures."""

    GOOD = "good"
    WATCH = "watch"
    ACT = "act"
    SILENT = "silent"


class Level(StrEnum):
    """How an announcement wants to be read."""

    GOOD = "good"
    INFO = "info"
    WATCH = "watch"
    ACT = "act"


class Outcome(StrEnum):
    """How a payment channel answered one attempt."""

    CAPTURED = "captured"
    DECLINED = "declined"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Trade(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was traded within a span of time. `*_value` in minor units."""

    placed: int = 0
    placed_value: int = 0
    paid: int = 0
    paid_value: int = 0
    expired: int = 0
    cancelled: int = 0
    refunded: int = 0
    refunded_value: int = 0


class TradeMinute(msgspec.Struct, frozen=True, kw_only=True):
    """The trade of one minute."""

    minute_at: datetime
    trade: Trade


class AnswerMinute(msgspec.Struct, frozen=True, kw_only=True):
    """How the web processes answered during one minute."""

    minute_at: datetime
    requests: int
    faults: int
    p50_ms: float
    p99_ms: float
    outbox_behind: int


class ChannelMinute(msgspec.Struct, frozen=True, kw_only=True):
    """One channel's attempts of one minute that ended with `outcome`."""

    minute_at: datetime
    channel: str
    outcome: Outcome
    attempts: int


class RouteFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one class of routes answered since the sample before."""

    route: Annotated[str, msgspec.Meta(examples=["order"])]
    rate: float
    fault_rate: float
    p50_ms: float | None
    p99_ms: float | None


class LaneFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one hot lane batched since the sample before."""

    lane: Annotated[str, msgspec.Meta(examples=["ordering"])]
    batch_rate: float
    batch_size_mean: float
    wait_p99_ms: float | None


class ProcessFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of this installation takes."""

    role: Annotated[str, msgspec.Meta(examples=["web"])]
    pid: int
    memory_bytes: int
    cpu_share: Annotated[float, msgspec.Meta(description="1.0 is one whole core")]


class ChannelFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One payment channel: the last minute and the whole campaign."""

    channel: Annotated[str, msgspec.Meta(examples=["alpha"])]
    state: State
    attempts_minute: int
    captured_minute: int
    failed_minute: int
    unknown_minute: int
    success_minute: float | None
    success_total: float | None
    attempts_total: int


class HotGoods(msgspec.Struct, frozen=True, kw_only=True):
    """One of the goods that sell fastest now."""

    sku: str
    name_zh: str
    name_en: str
    loaded: int
    free: int
    held: int
    sold: int
    rate: Annotated[float, msgspec.Meta(description="Units a second over the last minute")]
    sold_out_in_s: float | None
    state: State


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How often one code occurred within the last minute."""

    code: str
    count: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured in one second by the worker."""

    taken_at: datetime
    trade: Trade = Trade()
    routes: tuple[RouteFigures, ...] = ()
    lanes: tuple[LaneFigures, ...] = ()
    request_rate: float = 0.0
    page_rate: float = 0.0
    order_ask_rate: float = 0.0
    fault_rate: float = 0.0
    p50_ms: float | None = None
    p99_ms: float | None = None
    order_p99_ms: float | None = None
    order_rate: float = 0.0
    paid_rate: float = 0.0
    placed_value_rate: float = 0.0
    lapsed_rate: float = 0.0
    attempt_rate: float = 0.0
    payment_success: float | None = None
    awaiting_payment: int = 0
    channels: tuple[ChannelFigures, ...] = ()
    hot_goods: tuple[HotGoods, ...] = ()
    refusals: tuple[Count, ...] = ()
    faults: tuple[Count, ...] = ()
    outbox_behind: int = 0
    outbox_behind_s: float = 0.0
    jobs_waiting: int = 0
    jobs_failed: int = 0
    accept_queue: int | None = None
    processes: tuple[ProcessFigures, ...] = ()
    cache_up: bool = True


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number that the team steers by. `goal` is a floor where `at_least`, else a ceiling; None: no goal is set."""

    key: Annotated[str, msgspec.Meta(examples=["payment_success"])]
    value: float | None
    unit: Annotated[str, msgspec.Meta(examples=["share"])]
    goal: float | None
    at_least: bool
    state: State
    action: Annotated[str, msgspec.Meta(description="Which action to take; empty when none is needed")] = ""


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """One place on the way of an order: what comes in, what goes on, what leaves, how many are here now."""

    key: Annotated[str, msgspec.Meta(examples=["paying"])]
    in_rate: float
    on_rate: float
    out_rate: float
    here: int | None = None
    carried: Annotated[float | None, msgspec.Meta(description="Share of what came in and could go on")] = None
    narrowest: bool = False


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the feed. The sentence belongs to `kind`; `facts` fill it."""

    announcement_id: int
    announced_at: datetime
    level: Level
    kind: Annotated[str, msgspec.Meta(examples=["channel-failing"])]
    subject: Annotated[str, msgspec.Meta(examples=["alpha"])]
    facts: dict[str, Json]


class NewAnnouncement(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement about to be made."""

    level: Level
    kind: str
    subject: str = ""
    facts: dict[str, Json] = {}


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One second of the charts; written as an array, because an hour holds 3,600 of them."""

    at: int
    orders: float
    paid: float
    value: float
    success: float | None
    p50_ms: float | None
    p99_ms: float | None
    requests: float
    faults: float
    awaiting: int


class CampaignFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The campaign that is on."""

    campaign_id: str
    title_zh: str
    title_en: str
    version: int
    currency: str
    phase: str | None
    phase_ends_at: datetime | None
    next_phase: str | None
    next_phase_at: datetime | None


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the doctor."""

    examined_at: datetime
    took_ms: int
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether every invariant held."""
        return all(check.holds for check in self.checks)

    @property
    def broken(self) -> tuple[Check, ...]:
        """The invariants that did not hold."""
        return tuple(check for check in self.checks if not check.holds)


class ExaminationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the live page says about the newest examination."""

    examined_at: datetime
    holding: int
    broken: tuple[str, ...]


class LiveSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The live page in one answer. `points` holds only the seconds after the asked `since`.

    `measured` is false while no sample was taken for a while: the figures are then the last known ones.
    """

    now: datetime
    taken_at: datetime | None
    measured: bool
    cache_up: bool
    campaign: CampaignFacts | None
    figures: tuple[Figure, ...]
    stations: tuple[Station, ...]
    trade: Trade
    channels: tuple[ChannelFigures, ...]
    hot_goods: tuple[HotGoods, ...]
    routes: tuple[RouteFigures, ...]
    lanes: tuple[LaneFigures, ...]
    refusals: tuple[Count, ...]
    faults: tuple[Count, ...]
    processes: tuple[ProcessFigures, ...]
    outbox_behind: int
    outbox_behind_s: float
    jobs_waiting: int
    jobs_failed: int
    accept_queue: Annotated[
        int | None, msgspec.Meta(description="Connections that no web process has accepted yet; null: not measured")
    ]
    announcements: tuple[Announcement, ...]
    examination: ExaminationFacts | None
    points: tuple[Point, ...] | UnsetType = UNSET


class HealthFact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must be so before the installation may take traffic. `required`: without it it is not ready."""

    name: Annotated[str, msgspec.Meta(examples=["postgres"])]
    ok: bool
    required: bool
    detail: str = ""
