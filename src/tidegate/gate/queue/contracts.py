"""The words of the queue: places, lanes, the snapshot that everybody polls, and what staff may do with the gate.

Ranks and thresholds are 64-bit numbers in 16 hexadecimal digits, because a browser's numbers end at 2**53. A threshold
of `10000000000000000` (2**64) means that everyone drawn was called.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.gate.admission.contracts import Pass
from tidegate.offer.campaign.contracts import NumberSource, Words

PLACE_HEADER = "Tidegate-Place"
PLACE_COOKIE = "tg_place"
"""In which a page's browser keeps its place; no script reads it."""

Hex = Annotated[str, Meta(pattern="^[0-9a-f]+$")]


class PlaceKind(StrEnum):
    """How a place is ordered: by draw, or by number behind all that were drawn, for those that were taken after the
    sealing or beyond what their network has in the draw.
    """

    DRAWN = "drawn"
    LATE = "late"


class QueueState(StrEnum):
    """What the line does at this moment."""

    CLOSED = "closed"  # the pre-queue is not open yet
    GATHERING = "gathering"  # places are taken and will be drawn
    SEALED = "sealed"  # the list is sealed, the sale is not open yet
    OPEN = "open"  # places are called
    PAUSED = "paused"  # open holds cover what is left: calls go on when holds lapse
    HELD = "held"  # staff hold the gate
    NOTHING_LEFT = "nothing-left"  # nothing is sellable and nothing is held: nothing can be won any more
    ENDED = "ended"  # the campaign is over


class AskPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a place. `device` is the session, which the place is bound to. `browser` and `instrument` stand for
    the browser that signed in and the account that paid last, as digests: one place each. One `network` has a limited
    number. None where they are not known. `slow`: it looks like a program, and stands in the slow lane if there is one.
    """

    account_id: UUID
    device: UUID
    audiences: frozenset[str] = frozenset()
    browser: bytes | None = None
    instrument: bytes | None = None
    network: str | None = None
    slow: bool = False


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place just given, or given before to the same account."""

    token: Annotated[str, Meta(description=f"Send it as the header `{PLACE_HEADER}`.")]
    campaign_id: str
    lane: str
    kind: PlaceKind
    serial: Annotated[int, Meta(description="The place's number in the list, from 0.")]
    number: Annotated[int, Meta(description="Of a late place: its number among the late of its lane, from 1; else 0.")]
    joined_at: datetime


class PlaceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a good place says, checked against who sent it. `lane` is the lane's index in the campaign file."""

    campaign_id: str
    account_id: UUID
    device: UUID
    lane: int
    kind: PlaceKind
    serial: int
    number: int
    joined_at: datetime


class Standing(StrEnum):
    """Where a place stands, as far as the snapshot tells."""

    GATHERING = "gathering"  # the draw is still to come
    WAITING = "waiting"
    CALLED = "called"  # ask for a pass now
    NOTHING_LEFT = "nothing-left"
    ENDED = "ended"


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """How long until the call: eight of ten such forecasts hold. `late_seconds` is None while nobody can say."""

    early_seconds: int
    late_seconds: int | None


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """One shopper's place, computed from the snapshot and the place alone, as any client can do."""

    campaign_id: str
    state: QueueState
    standing: Standing
    lane: Annotated[str, Meta(description="Where it is called; after an undo the lane in which it would have stood.")]
    lane_index: Annotated[int, Meta(description="The place of that lane in the snapshot's list.")]
    number: Annotated[int, Meta(description="Its number among the late of that lane; 0 among the drawn.")]
    kind: PlaceKind
    serial: int
    rank: Annotated[Hex | None, Meta(description="Known once the seed is revealed; of a drawn place only.")]
    ahead: Annotated[int | None, Meta(description="About how many of this lane stand before this place.")]
    wait: Wait | None
    chance_percent: Annotated[int | None, Meta(description="The chance that something is left at the call.")]
    opens_at: datetime
    note: str


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign of life is answered: as much as a page needs to know whether it still says what is true."""

    state: QueueState
    standing: Standing
    inside: Annotated[bool, Meta(description="Called, and let in: its pass can be had now.")] = False
    lane_index: Annotated[int, Meta(description="Where it is called: the place of that lane in the snapshot's list.")]
    wait: Wait | None
    chance_percent: int | None


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    """One lane in the snapshot. `share` is its part of the calls in percent while every lane has somebody waiting."""

    name: str
    label: Words
    share: Annotated[int, Meta(description="Of the slow lane: so many at most beside each 100 of the others.")]
    drawn: int
    late: int
    threshold: Annotated[Hex, Meta(description="Drawn places with a rank below it were called.")]
    late_called: Annotated[int, Meta(description="Late places with a number up to it were called.")]
    waiting: int
    called_per_minute: float


class AnnouncedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """The public number that stands in every rank, as it was announced when the line opened.

    `round` of drand's `chain` is drawn at `drawn_at`, after the sealing, and signed with its `public_key` (hexadecimal;
    empty for drand's own quicknet). Where it cannot be had `patience_seconds` after the opening, the draw does without.
    """

    source: NumberSource
    label: Words
    drawn_at: datetime
    patience_seconds: int
    chain: str = ""
    public_key: str = ""
    genesis_at: int = 0
    period_seconds: int = 0
    round: int = 0


NOT_GENUINE = "what came as the number was not signed with the announced key, and was refused"
"""Why a draw does without its number, where nothing better came in time."""


class NumberView(msgspec.Struct, frozen=True, kw_only=True):
    """The public number as far as it is known. `missed` says why the draw does without it; empty, it does not."""

    announced: AnnouncedNumber
    text: str | None
    proof: str
    missed: str

    @property
    def refused(self) -> bool:
        """Whether the draw does without because what came was not genuine."""
        return self.missed == NOT_GENUINE


class StateNumber(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public number, entered by staff as it was published."""

    text: Annotated[str, Meta(min_length=1, max_length=500, examples=["2026305: 3 5 7"])]


class DrawView(msgspec.Struct, frozen=True, kw_only=True):
    """The draw as far as it is public. `root` and `count` come with the sealing, `seed` with the opening."""

    seed_hash: Hex
    root: Hex | None
    count: int | None
    seed: Hex | None
    number: NumberView | None = None


class StockNews(msgspec.Struct, frozen=True, kw_only=True):
    """Units that can still be won, and units that open orders hold and that may come back."""

    sellable: int
    held: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The line as everybody sees it, made anew each second; the same bytes for everyone."""

    campaign_id: str
    state: QueueState
    at: datetime
    pre_queue_opens_at: datetime
    seals_at: datetime
    opens_at: datetime
    closes_at: datetime
    waiting: int
    present: Annotated[int | None, Meta(description="How many gave a sign of life in the last minute; None = unknown.")]
    inside: int
    cap: int
    per_minute: Annotated[int, Meta(description="The most that are called a minute when nothing holds them back.")]
    conversion_percent: Annotated[int, Meta(description="Of those who entered, how many bought; measured.")]
    stock: StockNews
    lanes: tuple[LaneView, ...]
    draw: DrawView
    note: str


class SnapshotBody(msgspec.Struct, frozen=True):
    """The snapshot as it is sent: its JSON and its validator."""

    snapshot: Snapshot
    body: bytes
    etag: str


class WaitReason(StrEnum):
    """Why somebody with a good place does not enter now."""

    NOT_CALLED = "not-called"
    FULL = "full"  # called, but the cap is reached: the place is kept, ask again
    PAUSED = "paused"
    HELD = "held"


class Waiting(msgspec.Struct, frozen=True, kw_only=True, tag="waiting"):
    """Not yet: the place is kept. Ask again after `retry_after` seconds."""

    reason: WaitReason
    retry_after: int


class Entered(msgspec.Struct, frozen=True, kw_only=True, tag="entered"):
    """Inside: the pass, and how many purchases it is still good for."""

    given: Pass
    purchases_left: int


class GateAct(StrEnum):
    """What staff can do with the gate."""

    HOLD = "hold"  # call and admit nobody
    SLOW = "slow"  # call at most `per_minute`
    OPEN = "open"  # go on as the campaign file says
    CLOSE = "close"  # give no more places
    NOTE = "note"  # tell the line something


class SteerGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act of staff. `per_minute` belongs to slow, `note` to note (an empty note takes it away)."""

    act: GateAct
    reason: Annotated[
        str, Meta(min_length=3, max_length=500, description="Why; kept with the act.", examples=["payments slow"])
    ]
    per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    note: Annotated[str, Meta(max_length=500)] = ""


class GateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An act of staff as it was recorded."""

    number: int
    act: GateAct
    per_minute: int | None
    note: str
    reason: str
    by: str
    at: datetime


class GateFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign manager watches. Rates are of the last minute; shares are of all until now."""

    state: QueueState
    places: int
    waiting: int
    present: int | None
    inside: int
    cap: int
    called: int
    came: int
    entered: int
    returned: int
    skipped: int
    bought: int
    left: int
    called_per_minute: int
    entered_per_minute: int
    ended_per_minute: int
    load_factor: float
    come_percent: int
    conversion_percent: int


class Brake(StrEnum):
    """What keeps the gate from calling more: the first of these that holds."""

    NOT_OPEN = "not-open"
    ENDED = "ended"
    NOTHING_LEFT = "nothing-left"
    STOCK_HELD = "stock-held"  # all that is left is held by orders that are not paid
    STAFF_HOLD = "staff-hold"
    NOBODY_WAITS = "nobody-waits"
    CAP = "cap"
    STOCK = "stock"  # those inside and called are expected to buy all that is left
    LOAD = "load"
    STAFF_SLOW = "staff-slow"
    RAMP = "ramp"
    NOTHING = "nothing"


class GateLoop(msgspec.Struct, frozen=True, kw_only=True):
    """What the control loop does and why. Rates are calls a minute; `sellable` and `held` are units."""

    brake: Brake
    file_per_minute: Annotated[int, Meta(description="As the campaign file says.")]
    asked_per_minute: Annotated[int, Meta(description="As the file says, or staff.")]
    allowed_per_minute: Annotated[int, Meta(description="What ramp and load leave of it; 0 while nobody is called.")]
    expected: Annotated[int, Meta(description="Inside, or called and expected to come.")]
    sellable: int
    held: int
    staff_hold: bool
    closed: Annotated[bool, Meta(description="No more places are given.")]
    note: str


class LaneFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One lane. `missed` were called and did not come in time; `gone` had a pass and did not buy."""

    name: str
    label: Words
    share: int
    waiting: int
    called: int
    called_per_minute: int
    came: int
    missed: int
    inside: int
    bought: int
    gone: int


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """What moved in one span of time that began at `at` (seconds since 1970), and who was inside at its end."""

    at: int
    called: int
    entered: int
    bought: int
    gone: int
    inside: int = 0


class GateWatch(msgspec.Struct, frozen=True, kw_only=True):
    """All that a campaign manager watches of the gate: figures, why they are so, lanes, and the last half hour."""

    campaign_id: str
    at: datetime
    figures: GateFigures
    loop: GateLoop
    lanes: tuple[LaneFigures, ...]
    span_seconds: int
    passages: tuple[Passage, ...]


class SealedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the sealed list: nothing in it says who it is.

    The lane is its number among the lanes, with 128 added for a place that stands behind all that are drawn.
    """

    serial: int
    lane: int
    commitment: Hex


class SealedLane(msgspec.Struct, frozen=True, kw_only=True):
    """A lane of a draw: its declared share of the calls in percent, and how many of its places were drawn."""

    name: str
    label: Words
    share: int
    drawn: int
    slow: Annotated[bool, Meta(description="Whether it is the slow lane, called no further than any other.")]


class PublishedDraw(msgspec.Struct, frozen=True, kw_only=True):
    """A draw as far as it is public, and since when each part of it is: what is still to come is None."""

    campaign_id: str
    seed_hash: Hex
    opened_at: Annotated[datetime, Meta(description="When the first place could be taken; the hash stood then.")]
    lanes: Annotated[tuple[SealedLane, ...], Meta(description="A place's lane is its index here.")]
    sealed_at: datetime | None
    count: int | None
    root: Hex | None
    rooted_at: datetime | None
    number: NumberView | None
    seed: Hex | None
    revealed_at: datetime | None


class SealedList(PublishedDraw, frozen=True, kw_only=True):
    """A part of the sealed list, in the order of serials; `following` is where the next part begins, or None."""

    count: int
    root: Hex
    places: tuple[SealedPlace, ...]
    following: int | None


class PublishedCall(msgspec.Struct, frozen=True, kw_only=True):
    """One move of a lane: from then on its drawn places below the threshold and its late ones up to the number."""

    lane: int
    threshold: Hex
    late_called: int
    called_at: datetime


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a line's calls, in their order; `following` is where the next part begins, or None."""

    campaign_id: str
    calls: tuple[PublishedCall, ...]
    following: int | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Why a place stands where it stands. With it its owner checks that the place is in the sealed list and what its
    rank is: SHA-256 of salt, account and device is the commitment; the path leads from the leaf (serial, index of the
    lane, commitment) to the root of a list of `count` places; the rank is made under the seed, or, where there is a
    public number, under HMAC-SHA256 of that number under the seed.
    """

    campaign_id: str
    serial: int
    lane: str
    lane_index: int
    lane_label: Words
    lane_share: int
    kind: PlaceKind
    joined_at: datetime
    account_id: UUID
    device: UUID
    salt: Hex
    commitment: Hex
    seed_hash: Hex
    opened_at: datetime
    sealed_at: datetime | None
    count: int | None
    root: Hex | None
    rooted_at: datetime | None
    path: tuple[Hex, ...]
    seed: Hex | None
    revealed_at: datetime | None
    public_number: NumberView | None
    rank: Hex | None
    number: int
    called_at: datetime | None
    entered_at: datetime | None
    restored_to: Annotated[str | None, Meta(description="After an undo: the lane where it is called again.")] = None
    restored_at: datetime | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was recomputed: whether it agrees, over how many cases, and the first that does not."""

    name: str
    holds: bool
    examined: int
    detail: str = ""


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a whole draw found."""

    campaign_id: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether everything agrees."""
        return all(finding.holds for finding in self.findings)


class SupplyLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Units that can still be promised, and units held by orders that are not paid yet."""

    sellable: int
    held: int


class Purchases(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of one account, and how many of them wait for their payment."""

    placed: int
    awaiting: int
