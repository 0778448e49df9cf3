"""The words of bots: signals, scores, decisions, challenges and answers, tallies and undos."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.trust.identity.contracts import SessionFacts

DecisionId = NewType("DecisionId", UUID)
UndoId = NewType("UndoId", UUID)


class Lane(StrEnum):
    """Where a visit goes on: the slow lane waits longer and works harder, and is served all the same."""

    NORMAL = "normal"
    SLOW = "slow"


class Evidence(StrEnum):
    """One thing that speaks for a program. What each weighs: `rules.WEIGHTS`."""

    HONEYPOT_FIELD = "honeypot-field"
    HONEYPOT_LINK = "honeypot-link"
    HONEYPOT_GOODS = "honeypot-goods"
    AUTOMATION = "automation"
    HEADLESS = "headless"
    TOO_FAST = "too-fast"
    DATACENTER = "datacenter"
    SHARED_DEVICE = "shared-device"
    MARKED_NETWORK = "marked-network"
    NO_FINGERPRINT = "no-fingerprint"


HONEYPOTS = (Evidence.HONEYPOT_FIELD, Evidence.HONEYPOT_LINK, Evidence.HONEYPOT_GOODS)
"""What may be marked: things that are laid out where no person sees them."""


class Effect(StrEnum):
    """What followed from a decision."""

    NOTHING = "nothing"
    MORE_WORK = "more-work"
    SLOW_LANE = "slow-lane"
    UNDONE = "undone"


class WorkFault(StrEnum):
    """Why an answer buys nothing."""

    MISSING = "missing"
    FORGED = "forged"
    EXPIRED = "expired"
    OTHER_SESSION = "other-session"
    WRONG = "wrong"
    EARLY = "early"
    USED = "used"


class TokenKind(StrEnum):
    """What is signed and given to one session."""

    PASS = "pass"  # noqa: S105  the name of a kind, not a secret
    PLACE = "place"
    ANSWER = "answer"
    """To a challenge: work, or a wait's ticket."""


class Misuse(StrEnum):
    """Why such a token was refused, as far as somebody may have meant it."""

    FORGED = "forged"
    """Not signed by us, altered, or with the wrong solution."""
    SHARED = "shared"
    """Given to another account or session."""
    USED = "used"
    EXPIRED = "expired"
    OTHER_CAMPAIGN = "other-campaign"


class PageSignals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page says of its browser. All of it can be invented, so that none of it weighs much alone."""

    fingerprint: Annotated[
        str, Meta(max_length=128, description="A digest of the browser's traits; empty: unknown.", examples=[""])
    ] = ""
    automation: Annotated[bool, Meta(description="The browser says that a program steers it.")] = False
    headless: Annotated[bool, Meta(description="The browser has no window.")] = False
    website: Annotated[str, Meta(max_length=200, description="A field that people do not see. Leave it empty.")] = ""
    shown_ms: Annotated[int, Meta(ge=0, le=86_400_000, description="Since the page was shown, in milliseconds.")] = 0
    page: Annotated[
        str, Meta(max_length=200, description="The stamp that the page was given: its time counts, not `shown_ms`.")
    ] = ""


class Visitor(msgspec.Struct, frozen=True):
    """A session that asks for a place without a page: from which address, with which `User-Agent`."""

    session: SessionFacts
    address: str
    agent: str = ""


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one visit: all that a score is made from, and all that is kept to make it again.

    `shown_ms` and `fingerprint` are None where no page was there to tell: what is not known speaks for nothing.
    """

    honeypot_field: bool = False
    honeypot_link: bool = False
    honeypot_goods: bool = False
    automation: bool = False
    headless: bool = False
    shown_ms: int | None = None
    datacenter: bool = False
    device_accounts: int = 0
    marked_network: bool = False
    fingerprint: bool | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence and the points that it adds."""

    evidence: Evidence
    points: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How much speaks for a program, 0 to 100, and why."""

    points: int
    reasons: tuple[Reason, ...]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a visit was decided to be, with all that is needed to decide it again."""

    decision_id: DecisionId
    decided_at: datetime
    account_id: UUID
    session_id: UUID
    device: Annotated[str, Meta(description="A keyed digest of the fingerprint; empty: unknown.")]
    signals: Signals
    score: Score
    undone: Annotated[bool, Meta(description="An undo stood, so that the score changed nothing.")]
    lane: Lane
    work_factor: Annotated[int, Meta(description="By how much suspicion multiplies the work.")]
    rules: Annotated[int, Meta(description="The edition of the weights that decided.")]
    rate_factor: Annotated[float, Meta(description="By how much the account's rates are lowered for an hour.")] = 1.0


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """Two ways to a queue number: solve `work` (ALTCHA version 2), or send `wait_ticket` once `wait_until` is past."""

    work: dict[str, object]
    wait_ticket: str
    wait_until: datetime
    expires_at: datetime
    lane: Lane


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer to a challenge: one of both. `work` is ALTCHA's payload: base64 of `{challenge, solution}`."""

    work: Annotated[str, Meta(max_length=4_000, examples=[""])] = ""
    wait_ticket: Annotated[str, Meta(max_length=200)] = ""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many visits of one kind, in a span of time, were sent to one lane."""

    kind: Annotated[str, Meta(description="The heaviest evidence, `none` without any, `undone` under an undo.")]
    lane: Lane
    work_factor: int
    visits: int
    last_at: Annotated[datetime, Meta(description="The minute of the last one.")]


class MisuseTally(msgspec.Struct, frozen=True, kw_only=True):
    """How often one kind of token was refused for one reason, in a span of time."""

    token: TokenKind
    reason: Misuse
    times: int
    last_at: Annotated[datetime, Meta(description="The minute of the last one.")]


class SpanTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many visits of one kind, in one span of a course, were sent to one lane."""

    at: Annotated[int, Meta(description="When the span began, in seconds since 1970 UTC.")]
    kind: Annotated[str, Meta(description="The heaviest evidence, `none` without any, `undone` under an undo.")]
    lane: Lane
    work_factor: int
    visits: int


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """Visits over time, in spans of equal length; spans without any are left out."""

    since: datetime
    until: datetime
    span_seconds: int
    tallies: tuple[SpanTally, ...]


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff's word that an account is a person's, until a moment."""

    undo_id: UndoId
    account_id: UUID
    device: str
    staff_id: UUID
    reason: str
    undone_at: datetime
    ends_at: datetime


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded decision, what the recorded signals give when they are scored again, and the undo that stands."""

    decision: Decision
    replayed: Score
    agrees: bool
    undo: Undo | None
