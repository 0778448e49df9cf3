"""Words of prize draws: how far a draw is, its entries, its winners."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from tidegate.base.outbox import Event
from tidegate.gate.queue.contracts import AnnouncedNumber, NumberView
from tidegate.offer.campaign.contracts import Draw


class DrawState(StrEnum):
    """How far a draw is."""

    ANNOUNCED = "announced"  # the seed's hash is public; orders are not counted yet
    OPEN = "open"
    SEALING = "sealing"  # no order counts any more; the list is being sealed
    SEALED = "sealed"  # the list's root is public
    DRAWN = "drawn"  # the seed is public, the winners stand


class Winner(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that won: the prize by its place in the draw's list of prizes, and the order."""

    prize: int
    serial: int
    order_id: UUID
    account_id: UUID


class WinnerView(msgspec.Struct, frozen=True, kw_only=True):
    """A winner as everybody may see it: the end of the order's number. `mine` tells its owner."""

    prize: int
    serial: int
    order: str
    mine: bool = False


class DrawRow(msgspec.Struct, frozen=True, kw_only=True):
    """A draw as it is kept. `terms` are those of its opening; `root` and `seed` are None until they are public."""

    draw_id: UUID
    campaign_id: str
    name: str
    terms: Draw
    seed_hash: bytes
    seed_sealed: bytes
    opened_at: datetime
    entries: int
    root: bytes | None
    sealed_at: datetime | None
    seed: bytes | None
    drawn_at: datetime | None
    announced: AnnouncedNumber | None = None
    number_text: str | None = None
    number_proof: str = ""
    number_missed: str = ""

    @property
    def lacks_number(self) -> bool:
        """Whether the draw waits for the public number that was announced."""
        return self.announced is not None and self.number_text is None and not self.number_missed


class DrawView(msgspec.Struct, frozen=True, kw_only=True):
    """A draw as everybody may see it; hash, root and seed in hexadecimal digits. `entries` once the list is sealed."""

    draw_id: UUID
    terms: Draw
    state: DrawState
    seed_hash: str
    root: str | None
    seed: str | None
    entries: int | None
    number: NumberView | None = None
    winners: tuple[WinnerView, ...] = ()


class SealedEntry(msgspec.Struct, frozen=True):
    """One line of the sealed list: whose it is can be opened by its owner only."""

    serial: int
    commitment: str


class OwnEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper's own entry: with `salt` the commitment can be opened as SHA-256 of salt and the order's id."""

    order_id: UUID
    serial: int | None
    salt: str | None
    rank: str | None = None
    prize: int | None = None


class DrawDrawn(Event, frozen=True, kw_only=True):
    """The winners of a draw stand; each is the order and the place of its prize."""

    draw_id: UUID
    campaign_id: str
    name: str
    winners: tuple[tuple[UUID, int], ...]
    drawn_at: datetime
