"""The rows of the queue as its rules see them: plain frozen values, no SQL."""

from datetime import datetime
from uuid import UUID

import msgspec

from tidegate.gate.queue.draw import RANKS

SLOW = "slow"
"""The audience of the slow lane: places that look like a program's, whoever asks."""


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign's line, and its draw as far as it has come."""

    line_id: int
    campaign_id: str
    opened_at: datetime
    seed_sealed: bytes
    seed_hash: bytes
    next_serial: int
    sealed_at: datetime | None
    sealed_count: int | None
    root: bytes | None
    revealed_at: datetime | None
    seed: bytes | None


class LaneRow(msgspec.Struct, frozen=True, kw_only=True):
    """A lane: how many stand in it, and how far it was called."""

    lane: int
    name: str
    label_zh: str
    label_en: str
    share: int
    audience: str
    drawn: int
    late: int
    threshold: int
    late_called: int
    credit: int

    @property
    def slow(self) -> bool:
        """Whether this is the slow lane."""
        return self.audience == SLOW

    @property
    def drawn_waiting(self) -> int:
        """About how many drawn places are not called yet: exact when none or all are."""
        return -(-self.drawn * (RANKS - self.threshold) // RANKS)

    @property
    def waiting(self) -> int:
        """About how many places are not called yet."""
        return self.drawn_waiting + self.late - self.late_called

    @property
    def called(self) -> int:
        """About how many places were called."""
        return self.drawn + self.late - self.waiting


class HeldPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A live place."""

    serial: int
    lane: int
    number: int
    account_id: UUID
    device: UUID
    joined_at: datetime
    instrument: bytes | None = None


class NewPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place to be written."""

    serial: int
    lane: int
    number: int
    account_id: UUID
    device: UUID
    commitment: str
    instrument: str | None
    network: str | None
    home_lane: int | None = None
    home_number: int | None = None


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Where a place of the slow lane stands again after an undo: its own lane and, of a late one, behind how many."""

    serial: int
    lane: int
    number: int
    restored_at: datetime


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where a place is called: a drawn one by rank (None before the seed is known), a late one by number."""

    lane: int
    rank: int | None
    number: int


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A place that goes along to another device."""

    serial: int
    from_device: UUID
    to_device: UUID


class GateRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of a line, and what the last step saw."""

    inside: int
    came: int
    entered: int
    returned: int
    bought: int
    ended: int
    left_line: int
    rate_credit: float
    stepped_at: datetime | None
    state: str
    sellable: int
    held: int
    load_factor: float
    present: int | None


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A place whose owner came."""

    serial: int
    called_at: datetime
    came_at: datetime
    asked_at: datetime
    returned: bool
    entered_at: datetime | None
    expires_at: datetime | None
    purchases: int
    ended_at: datetime | None
    ended_by: str | None


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is inside."""

    serial: int
    account_id: UUID
    entered_at: datetime
    expires_at: datetime


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """A place whose owner came: when it was called, and when its owner entered."""

    serial: int
    lane: int
    number: int
    called_at: datetime
    entered_at: datetime | None
    home: Home | None = None


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One move of a lane's threshold or late number."""

    lane: int
    threshold: int
    late_called: int
    calls: int
    called_at: datetime
