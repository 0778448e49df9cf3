"""The rows of the queue as its rules see them: plain frozen values, no SQL."""

from datetime import datetime
from uuid import UUID

import msgspec

from tidegate.gate.queue.contracts import AnnouncedNumber, NumberView
from tidegate.gate.queue.draw import RANKS
from tidegate.gate.queue.public_number import draw_key

_read_announced = msgspec.json.Decoder(AnnouncedNumber).decode

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
    announced: str | None = None
    rooted_at: datetime | None = None
    number_text: str | None = None
    number_proof: str | None = None
    number_missed: str | None = None

    @property
    def key(self) -> bytes | None:
        """The key of the ranks, once the seed is revealed."""
        return None if self.seed is None else draw_key(self.seed, self.number_text)

    @property
    def number(self) -> NumberView | None:
        """The public number, where one was announced."""
        if self.announced is None:
            return None
        return NumberView(
            announced=_read_announced(self.announced),
            text=self.number_text,
            proof=self.number_proof or "",
            missed=self.number_missed or "",
        )


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


class LaneTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What became of those of a lane who came. Who bought counts from the first purchase on."""

    lane: int
    came: int
    inside: int
    bought: int
    gone: int


class HeldPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A live place."""

    serial: int
    lane: int
    number: int
    account_id: UUID
    device: UUID
    joined_at: datetime
    browser: bytes | None = None
    instrument: bytes | None = None


class NewPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place to be written."""

    serial: int
    lane: int
    number: int
    account_id: UUID
    device: UUID
    commitment: str
    browser: str | None
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
    """A place that goes along to another device: to a session of the same account, and the browser that it is on."""

    serial: int
    from_device: UUID
    to_device: UUID
    browser: bytes | None


class GateRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of a line, and what the last step saw."""

    inside: int
    called: int  # those whom the line waits for; who was passed over is not among them
    passed: int
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


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody called who comes now; `returned`: after the claim window, by grace."""

    serial: int
    account_id: UUID
    device: UUID
    called_at: datetime
    returned: bool


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who goes in now: until when, as the how manieth of how many at most."""

    serial: int
    expires_at: datetime
    inside: int
    cap: int


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
