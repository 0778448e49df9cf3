"""Where a place is called: in the lane of its token and, after an undo, where it would stand without the slow lane."""

from collections.abc import Sequence
from datetime import datetime

from tidegate.base.db import Tx
from tidegate.gate.queue import store
from tidegate.gate.queue.draw import RANKS
from tidegate.gate.queue.rows import Home, Spot


def own_spot(lane: int, rank: int | None, number: int) -> Spot:
    """Return where a token says that its place stands."""
    return Spot(lane=lane, rank=None if number else rank, number=number)


def home_spot(home: Home, rank: int | None, number: int) -> Spot:
    """Return where a restored place stands again: a drawn one by its own rank, a late one with who came before it.

    A late one that came before all others of its lane stands with the last of the drawn.
    """
    if not number:
        return Spot(lane=home.lane, rank=rank, number=0)
    return Spot(lane=home.lane, rank=None if home.number else RANKS - 1, number=home.number)


def spots_of(own: Spot, home: Home | None) -> Sequence[Spot]:
    """Return all spots of a place, its home first: it is called as soon as one of them is."""
    return (own,) if home is None else (home_spot(home, own.rank, own.number), own)


async def called_at(tx: Tx, line_id: int, own: Spot, home: Home | None) -> datetime | None:
    """Return when a place was called, or None; at home not before it was restored, so that its time begins then."""
    found = [await store.called_at(tx, line_id, own.lane, rank=own.rank, number=own.number)]
    if home is not None:
        again = home_spot(home, own.rank, own.number)
        at_home = await store.called_at(tx, line_id, again.lane, rank=again.rank, number=again.number)
        found.append(max(at_home, home.restored_at) if at_home is not None else None)
    return min((each for each in found if each is not None), default=None)
