"""Words of stock: levels, holds and the ledger with which one batch of orders is decided."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class HoldState(StrEnum):
    """Where a hold stands. It begins as held and ends once."""

    HELD = "held"
    SOLD = "sold"
    RELEASED = "released"


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU's units: free + held + sold + missing = loaded, and beyond it by what is short.

    `missing` a count did not find. `short` are promised beyond what is there, until orders give so many up. `later`
    were sold and come from a later delivery; they are not among the sold.
    """

    sku: str
    loaded: int
    held: int
    sold: int
    missing: int = 0
    short: int = 0
    later: int = 0

    @property
    def free(self) -> int:
        """Units that can still be promised; none while any are short."""
        return self.loaded + self.short - self.missing - self.held - self.sold

    @property
    def there(self) -> int:
        """Units that exist, as far as is known: loaded and not found missing."""
        return self.loaded - self.missing


class LevelPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of levels, with how many there are, and how many units of all of these are missing and short."""

    rows: tuple[Level, ...]
    count: int
    missing: int
    short: int


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An order's claim on units of one SKU; `returned` came back after they were sold, `later` come at a later date."""

    order_id: UUID
    sku: str
    quantity: int
    returned: int
    state: HoldState
    held_at: datetime
    ended_at: datetime | None
    later: int = 0


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """Units that an order, or a reservation, holds or has bought out of what is there."""

    order_id: UUID
    units: int
    state: HoldState
    reserved: bool
    sold_at: datetime | None


class ShortLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A SKU of which more is promised than is there."""

    campaign_id: str
    sku: str
    short: int


class Units(msgspec.Struct, frozen=True):
    """So many units of one SKU for one order."""

    order_id: UUID
    sku: str
    quantity: int


class Claim(msgspec.Struct, frozen=True):
    """An order's hold on one SKU, by name."""

    order_id: UUID
    sku: str


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A SKU of which no unit is free; the last one was promised at `at`."""

    sku: str
    units: int
    at: datetime


class Fingerprint(msgspec.Struct, frozen=True):
    """A set of rows in three numbers: two modules that mean the same set have equal fingerprints.

    `mixed` is the exclusive or of each row's 64-bit hash; unequal sets agree by chance once in 2**64.
    """

    count: int
    total: int
    mixed: int


# What is free covers so many batches of the same size. Fewer, and batches decided at once may lose to each other and
# be decided again; more, and levels are locked without need. It decides about waiting only, never about overselling.
_AMPLE = 16


class StockLedger:
    """The free units of the SKUs that one batch asks for, locked or looked at; `Stock.hold` writes what is taken."""

    def __init__(self, campaign_id: str, levels: Iterable[Level]) -> None:
        self.campaign_id = campaign_id
        self.taken: list[Units] = []
        self._free = {level.sku: level.free for level in levels}

    def free(self, sku: str) -> int:
        """Units still free within this batch."""
        return self._free.get(sku, 0)

    def ample(self, asked: Mapping[str, int]) -> bool:
        """Whether so many units more are free than asked for that nobody need be kept waiting while a batch decides."""
        return all(self._free.get(sku, 0) >= _AMPLE * units for sku, units in asked.items())

    def try_take(self, order_id: UUID, lines: Sequence[tuple[str, int]]) -> str | None:
        """Take all lines (each SKU once) or nothing; return the first SKU of which too few are free, or None."""
        free = self._free
        for sku, quantity in lines:
            if free.get(sku, 0) < quantity:
                return sku
        for sku, quantity in lines:
            free[sku] -= quantity
            self.taken.append(Units(order_id, sku, quantity))
        return None
