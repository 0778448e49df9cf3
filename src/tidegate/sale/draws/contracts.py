"""Words of prize draws: how far a draw is, its entries, its winners, and what becomes of their prizes."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.base.outbox import Event
from tidegate.gate.queue.contracts import AnnouncedNumber, NumberView
from tidegate.offer.campaign.contracts import Draw, Prize, Words

GIVEN_AT_ONCE_MAX = 1_000
"""Prizes that one file may say to be given, in one transaction."""


class DrawState(StrEnum):
    """How far a draw is."""

    ANNOUNCED = "announced"  # the seed's hash is public; orders are not counted yet
    OPEN = "open"
    SEALING = "sealing"  # no order counts any more; the list is being sealed
    SEALED = "sealed"  # the list's root is public
    DRAWN = "drawn"  # the seed is public, the winners stand


class AwardState(StrEnum):
    """What became of a prize that was won."""

    UNCLAIMED = "unclaimed"
    DUE = "due"  # claimed, or given without a claim: the shop owes it
    GIVEN = "given"
    FORFEITED = "forfeited"


class PrizeAct(StrEnum):
    """What is done with a prize, each once; the last two end it."""

    CLAIMED = "claimed"
    GIVEN = "given"
    FORFEITED = "forfeited"


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


class Award(msgspec.Struct, frozen=True, kw_only=True):
    """A prize with its winner, and what became of it. `terms` are those of its draw, `prize` is its place in them.

    `ended` is None until it is given or forfeited: then by which member of staff, and with what note.
    """

    draw_id: UUID
    campaign_id: str
    terms: Draw
    drawn_at: datetime
    prize: int
    serial: int
    order_id: UUID
    account_id: UUID
    claimed_at: datetime | None = None
    address_id: UUID | None = None
    ended: PrizeAct | None = None
    ended_at: datetime | None = None
    by: str = ""
    note: str = ""

    @property
    def what(self) -> Prize:
        """The prize."""
        return self.terms.prizes[self.prize]

    @property
    def must_claim(self) -> bool:
        """Whether its winner must ask for it."""
        return self.terms.must_claim(self.prize)

    @property
    def claim_until(self) -> datetime | None:
        """Before when it is claimed; None where there is no limit."""
        return self.terms.claim_until(self.drawn_at)

    @property
    def state(self) -> AwardState:
        """What became of it."""
        match self.ended:
            case PrizeAct.GIVEN:
                return AwardState.GIVEN
            case PrizeAct.FORFEITED:
                return AwardState.FORFEITED
            case _:
                waits = self.must_claim and self.claimed_at is None
                return AwardState.UNCLAIMED if waits else AwardState.DUE

    def is_late(self, now: datetime) -> bool:
        """Whether it was not claimed in its time."""
        until = self.claim_until
        return self.state is AwardState.UNCLAIMED and until is not None and now >= until


class OwnAward(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper's own prize. `note` is what the shop wrote when it gave the prize, such as a parcel's number."""

    draw_id: UUID
    label: Words
    prize: Prize
    redemption: Words
    order_id: UUID
    state: AwardState
    claim_until: Annotated[datetime | None, Meta(description="It is claimed before this moment; null: no limit.")]
    claimed_at: datetime | None
    ended_at: datetime | None
    note: str


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many prizes of a drawn draw stand where; `late` are those of the unclaimed ones whose time is over."""

    draw_id: UUID
    campaign_id: str
    label: Words
    drawn_at: datetime
    claim_until: datetime | None
    unclaimed: int
    late: int
    due: int
    given: int
    forfeited: int

    @property
    def waits(self) -> int:
        """How many of them staff must act on."""
        return self.due + self.late


class GivenLine(NamedTuple):
    """One line of a file that says how prizes were given. `serial` is -1 where it is none."""

    line: int
    serial: int
    note: str


class GivenWrong(StrEnum):
    """Why such a file is not taken. The last three are about the file as a whole."""

    NO_PRIZE = "no_prize"
    ENDED = "ended"
    TWICE = "twice"
    NO_COLUMN = "no_column"
    NOT_CSV = "not_csv"
    NUMBER = "number"  # `line` is how many there are


class GivenFault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of such a file: in which line, and what is wrong."""

    line: int
    why: GivenWrong


class ClaimPrize(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Claim one's prize; a prize that is sent needs an address."""

    address_id: Annotated[
        UUID | None,
        Meta(description="One of the shopper's own addresses.", examples=["01900000-0000-7000-8000-000000000009"]),
    ] = None


class DrawDrawn(Event, frozen=True, kw_only=True):
    """The winners of a draw stand; each is the order and the place of its prize."""

    draw_id: UUID
    campaign_id: str
    name: str
    winners: tuple[tuple[UUID, int], ...]
    drawn_at: datetime
