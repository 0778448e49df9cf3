"""Words of points: balances, entries, and what an order means for them. Points are whole numbers."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from tidegate.offer.pricing.contracts import POINTS_MAX

__all__ = ["POINTS_MAX", "Balance", "Earned", "Entry", "EntryKind", "OpenPoints", "Settled"]


class EntryKind(StrEnum):
    """Why points moved."""

    GRANTED = "granted"
    HELD = "held"
    SPENT = "spent"
    RELEASED = "released"
    EARNED = "earned"
    GIVEN_BACK = "given_back"
    TAKEN_BACK = "taken_back"


class Balance(msgspec.Struct, frozen=True):
    """What a shopper has: `available` can be spent, `held` is with orders that wait for payment."""

    available: int = 0
    held: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement: by how much `available` and `held` changed. `by` and `reason` are those of a grant."""

    entry_id: int
    kind: EntryKind
    available: int
    held: int
    order_id: UUID | None
    by: str
    reason: str
    at: datetime


class Earned(msgspec.Struct, frozen=True):
    """So many points that an account earned with a paid order."""

    account_id: UUID
    order_id: UUID
    points: int


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How a refunded order stands in all: points given back of those spent, and taken back of those earned."""

    account_id: UUID
    order_id: UUID
    given_back: int
    taken_back: int


class OpenPoints(msgspec.Struct, frozen=True):
    """How many orders have points, how many points, and a fingerprint of (order, points) over them."""

    orders: int
    points: int
    mixed: int
