"""Words of coupons: codes, the states they go through, what a shopper sees of them and what staff do."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple, NewType
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.offer.campaign.contracts import Audience, UniqueCodes, Words
from tidegate.offer.coupons.codes import coupon_name, tidy

__all__ = ["coupon_name", "tidy"]

BatchId = NewType("BatchId", UUID)
REASON_LENGTH_MAX = 300
AT_ONCE_MAX = 20_000
"""Codes that one form makes or takes from its file: in one transaction, during which claims of the coupon wait."""


class CouponState(StrEnum):
    """Where a code stands. `unused` and `returned` can be used."""

    UNCLAIMED = "unclaimed"
    UNUSED = "unused"
    FROZEN = "frozen"
    USED = "used"
    RETURNED = "returned"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Why(StrEnum):
    """What moved a code."""

    CLAIMED = "claimed"
    ORDER_PLACED = "order_placed"
    ORDER_PAID = "order_paid"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_EXPIRED = "order_expired"
    ORDER_REFUNDED = "order_refunded"
    TIME_OVER = "time_over"
    REVOKED = "revoked"


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon of the current campaign that is claimed, with its times. Amounts in minor units of `currency`."""

    campaign_id: str
    name: str
    label: Words
    threshold: int
    off: int
    currency: str
    claims_open_at: datetime
    claims_close_at: datetime
    valid_until_at: datetime
    unique: UniqueCodes

    @property
    def audience(self) -> tuple[Audience, ...]:
        """Whom it is for; empty = everyone."""
        return () if Audience.EVERYONE in self.unique.audience else self.unique.audience


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon of a shopper. `template` is the coupon's code in the campaign file; `order_id` is the order it is in."""

    code: Annotated[str, Meta(examples=["SAVE20-7K3M9QXDHJK"])]
    campaign_id: str
    template: str
    state: CouponState
    claimed_at: datetime
    expires_at: Annotated[datetime, Meta(description="It can be used before this moment.")]
    order_id: UUID | None = None


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A code as it stands, locked by this transaction."""

    code: str
    campaign_id: str
    template: str
    state: CouponState
    account_id: UUID | None
    expires_at: datetime
    order_id: UUID | None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One move of a code. `by` names a member of staff, or is empty."""

    moved_at: datetime
    from_state: CouponState
    to_state: CouponState
    why: Why
    by: str
    note: str
    order_id: UUID | None


class CodeStory(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one code; `batch` where it was made to be handed out."""

    coupon: Locked
    made_at: datetime
    claimed_at: datetime | None
    moves: tuple[Move, ...]
    batch: "Batch | None"


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The codes of one template: how many stand in each state. `claimed` counts all that were ever claimed."""

    campaign_id: str
    template: str
    planned: int
    made: int
    claimed: int
    unclaimed: int
    unused: int
    frozen: int
    used: int
    returned: int
    expired: int
    revoked: int


class BatchKind(StrEnum):
    """Where the codes of a batch came from."""

    GENERATED = "generated"
    IMPORTED = "imported"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Codes made to be handed out: how many, by whom, and when."""

    batch_id: BatchId
    campaign_id: str
    template: str
    kind: BatchKind
    codes: int
    made_by: str
    made_at: datetime


class CodeLine(NamedTuple):
    """One code of a file, as it stands there, with its line."""

    line: int
    text: str


class CodeWrong(StrEnum):
    """Why a file of codes is not taken. The last three are about the file as a whole."""

    TWICE = "twice"
    FOREIGN = "foreign"
    MISTYPED = "mistyped"
    KNOWN = "known"
    NO_COLUMN = "no_column"
    NOT_CSV = "not_csv"
    NUMBER = "number"  # `line` is how many codes there are


class CodeFault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a file of codes: in which line, of which code, and what is wrong."""

    line: int
    why: CodeWrong
    code: str = ""


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a batch's codes were written out: who has them, and why."""

    batch_id: BatchId
    codes: int
    by: str
    reason: str
    exported_at: datetime


class ClaimCoupon(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Claim a coupon: by the name of one that the shop offers, or by a code that was handed out."""

    coupon: Annotated[
        str, Meta(min_length=3, max_length=32, description="A coupon's name, or a whole code.", examples=["SAVE20"])
    ]
