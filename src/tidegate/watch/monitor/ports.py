"""What the monitor takes from others: checks from every module, stock and payment figures from the money path."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.watch.monitor.contracts import Outcome


class Checked(Protocol):
    """A module that can hold its invariants against the live database."""

    async def check(self, tx: Tx) -> list[Check]:
        """Return one answer for each invariant. Reads only; never raises for a broken invariant."""
        ...


class StockFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The stock of one SKU: loaded = free + held + sold, and what a count found missing."""

    loaded: int
    free: int
    held: int
    sold: int


class Books(Protocol):
    """The money path, as far as the monitor reads it each second. Cheap: a few indexed rows a call."""

    async def stock(self, tx: Tx, skus: Sequence[str]) -> Mapping[str, StockFigures]:
        """Return the stock of each of these SKUs that is loaded."""
        ...

    async def attempts(self, tx: Tx, since: datetime, until: datetime) -> Mapping[str, Mapping[Outcome, int]]:
        """Return each payment channel's attempts begun in the span, by outcome; channels without any are there too."""
        ...
