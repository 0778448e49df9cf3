"""Folds a batch of events into trade figures, pure: one tally is written in one statement."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from tidegate.watch.monitor.contracts import Trade


class Tally:
    """Trade by the second, and units ordered by the minute, in which they happened."""

    def __init__(self) -> None:
        self.trade: dict[datetime, Trade] = defaultdict(Trade)
        self.units: dict[tuple[datetime, str], int] = defaultdict(int)

    def add(self, at: datetime, trade: Trade) -> None:
        """Count `trade` in the second of `at`."""
        second = at.replace(microsecond=0)
        self.trade[second] = self.trade[second].plus(trade)

    def add_units(self, at: datetime, lines: Iterable[tuple[str, int]]) -> None:
        """Count ordered units (SKU and quantity) in the minute of `at`."""
        minute = at.replace(second=0, microsecond=0)
        for sku, quantity in lines:
            self.units[minute, sku] += quantity
