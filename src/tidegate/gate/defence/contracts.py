"""The words of defence: counts and readings, where a defence stands, what is on record."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from tidegate.base.outbox import Event
from tidegate.offer.campaign.contracts import Defence, DefenceRule, Signal

__all__ = [
    "Act",
    "Counts",
    "Defence",
    "DefenceEnded",
    "DefenceRule",
    "DefenceStarted",
    "DefenceStatus",
    "Happening",
    "HookCall",
    "Off",
    "On",
    "RecordEntry",
    "Seen",
    "Signal",
    "StartDefence",
    "State",
    "UndoDefence",
    "Why",
]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What all web processes counted in one second. Without a report nothing is known of that second."""

    reports: int = 0
    requests: int = 0
    failures: int = 0
    held_off: int = 0
    """Answers 429 and 503: what limits, load shedding and defences refused."""
    failed_sign_ins: int = 0
    held_off_sign_ins: int = 0
    new_devices: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's two signals as means over its window, in the units of the signals.

    Under pressure is what they would read if everything that was held off (429, 503) had been let in and had failed: a
    defence hides the attack that it holds off, and must not take that for calm.
    """

    trigger: float
    second: float
    trigger_under_pressure: float
    second_under_pressure: float


class Off(msgspec.Struct, frozen=True, tag=True):
    """Not on; while an undo holds, it does not start by itself before `quiet_until`."""

    quiet_until: datetime | None = None


class On(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """On since `started_at`, not ended by calm before `stay_until`, ended in any case at `expires_at`."""

    defence: Defence
    factor: int
    started_at: datetime
    stay_until: datetime
    expires_at: datetime
    started_by: str
    """A member of staff, or empty where the signals started it; only the latter ends when it is calm."""


State = Off | On


class Happening(StrEnum):
    """What can stand on record."""

    STARTED = "started"
    ENDED = "ended"
    QUIETED = "quieted"
    """Undone while it was off: it does not start by itself for a time."""
    HOOK_CALLED = "hook_called"
    HOOK_FAILED = "hook_failed"


class Why(StrEnum):
    """Why it happened."""

    SIGNALS = "signals"
    BY_HAND = "by_hand"
    CALM = "calm"
    EXPIRED = "expired"
    UNDONE = "undone"
    WITHDRAWN = "withdrawn"
    """The campaign's current version has no such rule any more."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a defence, to be written down and carried out."""

    name: str
    defence: Defence
    happening: Happening
    why: Why
    seen: Seen | None = None


class HookCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator's hook is told. `id` is the same for every try of one call."""

    id: int
    name: str
    happening: Happening
    why: Why
    at: datetime
    expires_at: datetime | None
    signals: Mapping[str, float]


class RecordEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the record, as it was written; none is ever changed or deleted."""

    record_id: int
    name: str
    defence: Defence
    happening: Happening
    why: Why
    at: datetime
    by: Annotated[str, Meta(description="The member of staff; empty where it happened by itself.")]
    reason: str
    signals: Annotated[Mapping[str, float], Meta(description="The signals' values at that moment, by name.")]


class DefenceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the campaign, where it stands, and what its signals read now (None: not known just now)."""

    rule: DefenceRule
    on: bool
    started_at: datetime | None
    stay_until: datetime | None
    expires_at: datetime | None
    started_by: str
    quiet_until: datetime | None
    seen: Seen | None


class StartDefence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Start a defence by hand, for so many minutes."""

    reason: Annotated[str, Meta(min_length=3, max_length=500, examples=["scraping seen in the logs"])]
    minutes: Annotated[int, Meta(ge=1, le=1_440)] = 30


class UndoDefence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End a defence, and keep it from starting by itself for so many minutes."""

    reason: Annotated[str, Meta(min_length=3, max_length=500, examples=["it is the press, not an attack"])]
    hold_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 30


class DefenceStarted(Event, frozen=True, kw_only=True):
    """A defence came on."""

    name: str
    defence: str
    why: str
    by: str
    started_at: datetime
    expires_at: datetime
    signals: dict[str, float]


class DefenceEnded(Event, frozen=True, kw_only=True):
    """A defence went off."""

    name: str
    defence: str
    why: str
    by: str
    ended_at: datetime
    signals: dict[str, float]
