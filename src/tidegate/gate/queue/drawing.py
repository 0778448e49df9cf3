"""The draw as it comes to be: seed and announcements, the sealing, the root, the public number, the revealed seed."""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.crypto import Vault
from tidegate.base.db import Database, Tx
from tidegate.gate.queue import store
from tidegate.gate.queue.board import Room
from tidegate.gate.queue.contracts import NOT_GENUINE, AnnouncedNumber, NumberView
from tidegate.gate.queue.draw import SEED_BYTES, SUBTREE, leaf, merkle_root, seed_hash, subtree_roots
from tidegate.gate.queue.errors import NumberNotWanted
from tidegate.gate.queue.ports import PublicNumbers
from tidegate.gate.queue.public_number import NumberNotGenuine, PublishedNumber, announced
from tidegate.gate.queue.rows import LineRow
from tidegate.offer.campaign.contracts import NumberSource

READ_PLACES = 4 * SUBTREE
"""How many places of the sealed list are in memory at once: whole parts, and some 20 ms of the event loop's time."""
_ASK_AGAIN = timedelta(seconds=3)


class Drawing:
    """Takes a line's draw from the opening of the line to the revealed seed, each step written once."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, numbers: PublicNumbers) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._numbers = numbers
        self._asked_at: datetime | None = None
        self._refused: set[int] = set()
        """Lines for which a number came that was not genuine."""

    async def opened(self, tx: Tx, room: Room, now: datetime) -> LineRow:
        """Open the line: the hash of its seed and its public number are announced before the first place is taken."""
        seed = secrets.token_bytes(SEED_BYTES)
        number = room.rules.public_number
        await store.open_line(
            tx,
            room.campaign_id,
            room.rules.lanes,
            room.rules.slow_share,
            seed_sealed=self._vault.seal(seed, room.campaign_id),
            seed_hash=seed_hash(seed),
            announced=announced(number) if number is not None else None,
            now=now,
        )
        line = await store.line(tx, room.campaign_id)
        assert line is not None
        return line

    async def go_on(self, line: LineRow, room: Room, now: datetime) -> LineRow:
        """Seal the list when it is time, publish its root, get the number, and reveal the seed at the opening."""
        if line.sealed_at is None and now >= room.rules.seals_at:
            async with self._db.transaction() as tx:
                await store.line(tx, room.campaign_id, lock=True)  # whoever takes a place holds it too
                await store.seal(tx, line.line_id, now)
        if line.root is None and now >= room.rules.seals_at:
            await self._publish_root(line)
        line = await self._read(room)
        if _lacks_number(line):
            await self._get_number(line, room, now)
            line = await self._read(room)
        if line.seed is None and line.root is not None and now >= room.opens_at and not _lacks_number(line):
            async with self._db.transaction() as tx:
                await store.reveal(tx, line.line_id, self._vault.open(line.seed_sealed, room.campaign_id), now)
            line = await self._read(room)
        return line

    async def _publish_root(self, line: LineRow) -> None:
        roots = [root async for root in self._subtree_roots(line)]
        async with self._db.transaction() as tx:
            # Not the step's own moment: a long list takes a while, and the root must be out before the number is.
            await store.put_root(tx, line.line_id, merkle_root(roots), roots, self._clock.now())

    async def _subtree_roots(self, line: LineRow) -> AsyncIterator[bytes]:
        """Give the roots of the sealed list's parts. A few are read at a time, each time in a transaction of its own:
        what is sealed does not change, and a million places together would be hundreds of megabytes.
        """
        start: int | None = 0
        while start is not None:
            async with self._db.transaction() as tx:
                listed = await store.sealed(tx, line.line_id, start, READ_PLACES)
            for root in subtree_roots([leaf(*each) for each in listed]):
                yield root
            start = listed[-1][0] + 1 if len(listed) == READ_PLACES else None

    async def _read(self, room: Room) -> LineRow:
        async with self._db.transaction() as tx:
            found = await store.line(tx, room.campaign_id)
        assert found is not None
        return found

    async def _get_number(self, line: LineRow, room: Room, now: datetime) -> None:
        """Ask for the announced number once it is drawn; do without where it came too late to be of use."""
        view = line.number
        assert view is not None
        why = missed(view.announced, line, opens_at=room.opens_at, now=now, refused=line.line_id in self._refused)
        if why:
            async with self._db.transaction() as tx:
                await store.miss_number(tx, line.line_id, why)
            return
        if view.announced.source is NumberSource.STATED or now < view.announced.drawn_at or not self._may_ask(now):
            return
        try:
            number = await self._numbers.number(view.announced)
        except NumberNotGenuine:
            self._refused.add(line.line_id)
            return
        if number is not None:
            async with self._db.transaction() as tx:
                await store.put_number(tx, line.line_id, number, "drand", now)

    def _may_ask(self, now: datetime) -> bool:
        if self._asked_at is not None and timedelta(0) <= now - self._asked_at < _ASK_AGAIN:
            return False
        self._asked_at = now
        return True


def missed(number: AnnouncedNumber, line: LineRow, *, opens_at: datetime, now: datetime, refused: bool = False) -> str:
    """Return why the draw has to do without its public number; empty while it need not.

    A number that was drawn before the root was out proves nothing: the list could still have been made to suit it.
    """
    if line.rooted_at is not None and line.rooted_at >= number.drawn_at:
        return f"the root of the list was published at {line.rooted_at:%H:%M:%S} UTC, after the number was drawn"
    if now >= opens_at + timedelta(seconds=number.patience_seconds):
        if refused:
            return NOT_GENUINE
        return f"the number could not be had {number.patience_seconds} s after the opening"
    return ""


def _lacks_number(line: LineRow) -> bool:
    view = line.number
    return line.root is not None and view is not None and view.text is None and not view.missed


async def state_number(tx: Tx, line: LineRow, text: str, by: str, now: datetime) -> NumberView:
    """Write the number that staff enter as it was published. Raises NumberNotWanted with a `reason`."""
    view, stated = line.number, " ".join(text.split())
    if view is None or view.announced.source is not NumberSource.STATED:
        raise _not_wanted("not-announced", "This draw announced no number that staff enter")
    if line.root is None or now < view.announced.drawn_at:
        raise _not_wanted("too-early", f"The number is drawn at {view.announced.drawn_at:%Y-%m-%d %H:%M:%S} UTC")
    if view.text == stated:
        return view
    if not stated or not await store.put_number(tx, line.line_id, PublishedNumber(stated), by, now):
        raise _not_wanted("settled", "The number stands already, or the draw went on without it")
    return msgspec.structs.replace(view, text=stated)


def _not_wanted(reason: str, what: str) -> NumberNotWanted:
    return NumberNotWanted(
        f"{what}; nothing was changed. The page of the line shows what the draw uses.", reason=reason
    )
