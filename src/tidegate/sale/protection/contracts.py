"""Words of price protection."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from tidegate.offer.pricing.contracts import PricedOrder


class AskedBy(StrEnum):
    """Who asked for a difference."""

    BUYER = "buyer"
    STAFF = "staff"
    NIGHT = "night"
    """Nobody: the shop looks itself, once a night."""


class Standing(StrEnum):
    """How a line stands today."""

    CHEAPER = "cheaper"
    NOT_CHEAPER = "not_cheaper"
    NOT_ON_SALE = "not_on_sale"
    """Sold out, not on offer, or not in this quantity: there is no price that could be reached."""
    NOT_PROMISED = "not_promised"


class LineLooked(msgspec.Struct, frozen=True, kw_only=True):
    """One kept line: what its `units` paid (less what was given back since) and would pay today; minor units.

    `first` is the first of the line's units that is kept, counted from 0. `today` is None where there is no price.
    """

    sku: str
    first: int
    units: int
    paid: int
    today: int | None
    due: int
    standing: Standing


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that was given back. `grant_id` is the id of its refund; amounts in minor units.

    `then_hash` is the trace of the purchase; `today` is the other price, by the rules named, with its own trace.
    """

    grant_id: UUID
    order_id: UUID
    buyer_id: UUID
    asked_by: AskedBy
    amount: int
    currency: str
    lines: tuple[LineLooked, ...]
    then_version: int
    then_hash: str
    today_campaign: str
    today_version: int
    today: PricedOrder
    granted_at: datetime


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A grant in a list."""

    grant_id: UUID
    order_id: UUID
    asked_by: AskedBy
    amount: int
    currency: str
    today_version: int
    granted_at: datetime


class GrantPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list of grants, with the count and sum of all."""

    rows: tuple[GrantRow, ...]
    count: int
    total: int


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What price protection would do for an order now. `until` is None where nothing was promised.

    `due` is what would be given back now, in minor units; `given` what was given before.
    """

    order_id: UUID
    until: datetime | None
    open: bool
    due: int
    given: int
    currency: str
    lines: tuple[LineLooked, ...]
