"""The flood's journal: what every shopper asked for and what the system acknowledged, to be held against the database.

A line is JSON. Each order asked for is written before it is sent, and what was answered after it. With the first line
alone no answer ever came, or the shopper was stopped meanwhile: such an order may exist or not, both are right. One
that was refused must not exist.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

import msgspec

from tidegate.base.invariant import Check
from tidegate.watch.rehearsal.contracts import JournalEntry, Journey, KnownOrder

_NAMED_MAX = 5
_decode = msgspec.json.Decoder(JournalEntry).decode


def read_journal(path: Path) -> Iterator[JournalEntry]:
    """Yield the entries of a journal; a last line that was cut off by a kill is left out."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield _decode(line)


def read_journeys(path: Path) -> Iterator[Journey]:
    """Yield how each account came through the line."""
    with path.open("rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line, type=Journey)


class Comparison:
    """Holds a journal against the orders of its buyers, which are told in any number of parts."""

    def __init__(self, entries: Iterable[JournalEntry]) -> None:
        self._acknowledged: dict[UUID, JournalEntry] = {}
        self._asked: set[tuple[UUID, str]] = set()
        self._refused: set[tuple[UUID, str]] = set()
        self._answers: dict[tuple[UUID, str], UUID] = {}
        self._two_answers: list[str] = []
        self._wrong: list[str] = []
        self._unasked: list[str] = []
        self._known = 0
        for entry in entries:
            self._note(entry)

    @property
    def buyers(self) -> list[UUID]:
        """Everybody who asked for an order."""
        return sorted({buyer for buyer, _ in self._asked})

    @property
    def acknowledged(self) -> int:
        """Orders that the system acknowledged."""
        return len(self._answers)

    def _note(self, entry: JournalEntry) -> None:
        asked = (entry.buyer_id, entry.idempotency_key)
        self._asked.add(asked)
        if entry.refused:
            self._refused.add(asked)
        if entry.order_id is None:
            return
        if self._answers.setdefault(asked, entry.order_id) != entry.order_id:
            self._two_answers.append(entry.idempotency_key)
        self._acknowledged[entry.order_id] = entry

    def tell(self, orders: Iterable[KnownOrder]) -> None:
        """Tell orders that are in the database, each once."""
        asked = self._asked - self._refused
        for order in orders:
            self._known += 1
            entry = self._acknowledged.pop(order.order_id, None)
            if entry is not None and (entry.total, entry.idempotency_key) != (order.total, order.idempotency_key):
                self._wrong.append(str(order.order_id))
            if (order.buyer_id, order.idempotency_key) not in asked:
                self._unasked.append(str(order.order_id))

    def checks(self) -> list[Check]:
        """Return what held, after all orders were told."""
        lost = [str(order_id) for order_id in self._acknowledged]
        return [
            _check("every acknowledged order is in the database", self.acknowledged, lost, "lost"),
            _check("every order has the total and key that were acknowledged", self._known, self._wrong, "different"),
            _check("the same key was never answered with two orders", len(self._asked), self._two_answers, "twice"),
            _check("every order was asked for", self._known, self._unasked, "nobody asked for"),
        ]


def _check(name: str, examined: int, broken: list[str], word: str) -> Check:
    named = ", ".join(broken[:_NAMED_MAX])
    detail = f"{len(broken)} {word}: {named}" if broken else ""
    return Check(name=f"journal: {name}", holds=not broken, examined=examined, detail=detail)
