"""Folds a batch of events into trade figures, pure: one tally is written in one statement."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from tidegate.watch.monitor.contracts import Trade


class Tally:
    """Trade by the second, and units ordered by the minute, in which they happened."""

    def __init__(self) -> None:
        self._trades: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.units: dict[tuple[datetime, str], int] = defaultdict(int)

    @property
    def trade(self) -> dict[datetime, Trade]:
        """The trade of each second."""
        return {second: Trade(**amounts) for second, amounts in self._trades.items()}

    def add(self, at: datetime, **amounts: int) -> None:
        """Count these amounts, named as the fields of `Trade`, in the second of `at`."""
        second = self._trades[at.replace(microsecond=0)]
        for name, amount in amounts.items():
            second[name] += amount

    def add_units(self, at: datetime, lines: Iterable[tuple[str, int]]) -> None:
        """Count ordered units (SKU and quantity) in the minute of `at`."""
        minute = at.replace(second=0, microsecond=0)
        for sku, quantity in lines:
            self.units[minute, sku] += quantity
