"""Words of the price history: entries, and the answers to questions about them. Money in minor units, times in UTC."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

PRICE_MAX = 100_000_000_000
UNITS_MAX = 1_000_000_000


class EntryKind(StrEnum):
    """What an entry is about."""

    OFFERED = "offered"
    LIST = "list"
    REACHABLE = "reachable"
    DEAL = "deal"


class Subject(NamedTuple):
    """Whose price it is: one SKU of one shop ("" = the house), sold to buyers of one place, in one currency."""

    sku: str
    shop: str
    place: str
    currency: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about a price. `price` None: from `at` on there is none. `units` counts a deal's, else 0."""

    kind: EntryKind
    sku: str
    shop: str
    place: str
    currency: str
    price: int | None
    units: int = 0
    at: datetime
    until: datetime | None = None
    source: str

    @property
    def subject(self) -> Subject:
        """Whose price it is."""
        return Subject(self.sku, self.shop, self.place, self.currency)


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in its place in the chain."""

    number: int
    entry: Entry
    previous: str
    hash: str


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of one SKU were paid with `price` each, after every reduction."""

    sku: str
    shop: str
    currency: str
    price: int
    units: int
    at: datetime
    source: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the history says of one product in a span of days before a moment. None: nothing is recorded.

    `lowest_list` and `lowest_offered` were in force at some moment of the span; `lowest_usual` is the lowest price
    offered in it that held for a day or longer, which the hours of a slot do not. `last_deal` is the lowest price of
    the last moment before `until` at which anything was sold at all, however long ago.
    """

    lowest_deal: int | None = None
    last_deal: int | None = None
    last_deal_at: datetime | None = None
    lowest_offered: int | None = None
    lowest_usual: int | None = None
    lowest_list: int | None = None


NOTHING_KNOWN = Evidence()
"""The evidence of a product that was never seen."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import added."""

    entries: int
    products: int
    sha256: str
