"""Words of a shortfall: the statement, its remedy, and what became of each order's units."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.base.outbox import Event

UNITS_MAX = 1_000_000_000
REASON_MIN, REASON_MAX = 3, 200

Sku = Annotated[str, Meta(min_length=1, max_length=64, examples=["TG-0001"])]


class Remedy(StrEnum):
    """What paid orders get whose units are not there."""

    REFUND = "refund"
    """Their money."""
    LATER = "later"
    """A later delivery on a stated day, or their money if they would rather."""


class Outcome(StrEnum):
    """What became of units of one order."""

    RELEASED = "released"
    REFUNDED = "refunded"
    LATER = "later"


class StateShortfall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What staff found: either how many units there are in all, those sent already among them, or how many are missing.

    `deliver_by` is the day of the later delivery; it is said for that remedy, and for no other.
    """

    sku: Sku
    there: Annotated[int, Meta(ge=0, le=UNITS_MAX, description="Units that exist for this campaign.")] | None = None
    missing: Annotated[int, Meta(ge=1, le=UNITS_MAX, description="Units fewer than so far.")] | None = None
    remedy: Remedy
    deliver_by: date | None = None
    reason: Annotated[str, Meta(min_length=REASON_MIN, max_length=REASON_MAX, examples=["a pallet was damaged"])]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """A shortfall that was stated: `missing` units fewer, `there` of them in all since; by whom, when and why."""

    act_id: UUID
    campaign_id: str
    sku: str
    missing: int
    there: int
    remedy: Remedy
    deliver_by: date | None
    reason: str
    stated_by: str
    stated_at: datetime


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What became of units of one order. `amount` went back, in minor units.

    `waiting` of them still come later: none once they were declined or otherwise given back.
    """

    line_id: UUID
    act_id: UUID
    order_id: UUID
    buyer_id: UUID
    sku: str
    units: int
    outcome: Outcome
    deliver_by: date | None
    reason: str
    amount: int
    refund_id: UUID | None
    decided_at: datetime
    declined_at: datetime | None
    waiting: int = 0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An act with what came of it: orders and units by outcome, and what went back in minor units."""

    act: Act
    released_orders: int
    released_units: int
    refunded_orders: int
    refunded_units: int
    refunded_amount: int
    later_orders: int
    later_units: int
    declined_units: int


class ActPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of acts, the latest first, with the count of all."""

    rows: tuple[Told, ...]
    count: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What an act would do now. Whatever is ordered or paid meanwhile changes it."""

    there: int
    missing: int
    free_units: int
    unpaid_orders: int
    unpaid_units: int
    paid_orders: int
    paid_units: int
    unmet_units: int
    """Promised to reservations, or as gifts to orders that were refunded: for staff to decide."""


class UnitsFellShort(Event, frozen=True, kw_only=True):
    """Units of an order are not there: its buyer is told what becomes of them. `amount` in minor units goes back."""

    line_id: UUID
    order_id: UUID
    buyer_id: UUID
    campaign_id: str
    sku: str
    units: int
    outcome: Outcome
    deliver_by: date | None
    amount: int
    reason: str
    told_at: datetime


class LaterDeclined(Event, frozen=True, kw_only=True):
    """A buyer would not wait for a later delivery; `amount` in minor units goes back."""

    line_id: UUID
    order_id: UUID
    buyer_id: UUID
    sku: str
    units: int
    amount: int
    declined_at: datetime
