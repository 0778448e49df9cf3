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
    """One SKU's units: free + held + sold = loaded."""

    sku: str
    loaded: int
    held: int
    sold: int

    @property
    def free(self) -> int:
        """Units that can still be promised."""
        return self.loaded - self.held - self.sold


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An order's claim on units of one SKU; `returned` of them came back after they were sold."""

    order_id: UUID
    sku: str
    quantity: int
    returned: int
    state: HoldState
    held_at: datetime
    ended_at: datetime | None


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
