"""Folds a batch of events into trade figures, pure: one tally is written in one statement."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import astuple

from tidegate.watch.monitor.contracts import Trade


class Tally:
    """Trade by the second, and units ordered by the minute, in which they happened."""

    def __init__(self) -> None:
        self._trades: dict[datetime, list[tuple[int, ...]]] = defaultdict(list)
        self.units: dict[tuple[datetime, str], int] = defaultdict(int)

    @property
    def trade(self) -> dict[datetime, Trade]:
        """The trade of each second."""
        fields = Trade.__struct_fields__
        return {
            second: Trade(**dict(zip(fields, map(sum, zip(*trades, strict=True)), strict=True)))
            for second, trades in self._trades.items()
        }

    def add(self, at: datetime, trade: Trade) -> None:
        """Count `trade` in the second of `at`."""
        self._trades[at.replace(microsecond=0)].append(astuple(trade))

    def add_units(self, at: datetime, lines: Iterable[tuple[str, int]]) -> None:
        """Count ordered units (SKU and quantity) in the minute of `at`."""
        minute = at.replace(second=0, microsecond=0)
        for sku, quantity in lines:
            self.units[minute, sku] += quantity
