"""Going in: a whole batch of called shoppers' passes, in one transaction under the gate's lock."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from tidegate.base.batch import Batcher
from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.gate.admission.api import Admission
from tidegate.gate.admission.contracts import PassWindow
from tidegate.gate.admission.errors import CampaignOver
from tidegate.gate.queue import store, store_entry, store_gate
from tidegate.gate.queue.board import Board, Room, called, own_spot_of
from tidegate.gate.queue.contracts import Entered, PlaceFacts, QueueState, Waiting, WaitReason
from tidegate.gate.queue.errors import NothingLeft, PlaceSpent
from tidegate.gate.queue.rows import Admitted, Came, EntryRow
from tidegate.gate.queue.spots import all_called_at
from tidegate.gate.queue.tokens import place_refused

_FULL_SECONDS = 2
_CALL_SECONDS = 5
_FINAL = ("used", "expired", "skipped")


class Coming(msgspec.Struct, frozen=True):
    """A called place at the gate, the line as its process knew it when it came, and why nobody goes in if so."""

    board: Board
    facts: PlaceFacts
    stopped: Waiting | None


class EntryLedger:
    """The entries of those who come in one batch of one line; what is to be written is collected in it.

    They are decided one after the other: whoever comes later finds the room that the others left.
    """

    def __init__(
        self,
        entries: Mapping[int, EntryRow],
        holders: Mapping[int, tuple[UUID, UUID]],
        called_at: Mapping[int, datetime | None],
        *,
        inside: int,
        now: datetime,
    ) -> None:
        self.came: list[Came] = []
        self.asked_again: list[int] = []
        self.admitted: list[Admitted] = []
        self.first_time = 0
        self._entries = dict(entries)
        self._holders = holders
        self._called_at = called_at
        self._inside = inside
        self._now = now

    def decide(self, room: Room, facts: PlaceFacts, stopped: Waiting | None) -> EntryRow | Waiting | Refusal:
        """Return the entry of who is inside now, or why he is not."""
        known = self._entries.get(facts.serial)
        if known is not None and known.ended_by in _FINAL and (known.ended_by != "skipped" or known.returned):
            return _spent(known)
        if self._holders.get(facts.serial) != (facts.account_id, facts.device):
            return place_refused("given-up", "This place was given up, or it moved to another device")
        entry = self._present(room, facts, known)
        if entry.entered_at is not None:
            return entry
        if stopped is not None:
            return stopped
        if self._inside >= room.rules.cap:
            return Waiting(reason=WaitReason.FULL, retry_after=_FULL_SECONDS)
        return self._admit(room, entry)

    def _present(self, room: Room, facts: PlaceFacts, known: EntryRow | None) -> EntryRow:
        """Return the entry of who stands at the gate; his coming is noted if he was not there already."""
        if known is not None and known.ended_at is None:
            if known.entered_at is None:
                self.asked_again.append(facts.serial)
            return known
        called_at = known.called_at if known is not None else self._called_at.get(facts.serial)
        assert called_at is not None, "a lane's threshold and its calls are written together"
        late = known is not None or self._now > called_at + timedelta(seconds=room.rules.claim_seconds)
        self.first_time += known is None
        self.came.append(
            Came(
                serial=facts.serial,
                account_id=facts.account_id,
                device=facts.device,
                called_at=called_at,
                returned=late,
            )
        )
        return self._keep(
            EntryRow(
                serial=facts.serial,
                called_at=called_at,
                came_at=self._now,
                asked_at=self._now,
                returned=late,
                entered_at=None,
                expires_at=None,
                purchases=0,
                ended_at=None,
                ended_by=None,
            )
        )

    def _admit(self, room: Room, entry: EntryRow) -> EntryRow:
        self._inside += 1
        expires_at = self._now + timedelta(seconds=room.rules.pass_seconds)
        self.admitted.append(
            Admitted(serial=entry.serial, expires_at=expires_at, inside=self._inside, cap=room.rules.cap)
        )
        return self._keep(msgspec.structs.replace(entry, entered_at=self._now, expires_at=expires_at))

    def _keep(self, entry: EntryRow) -> EntryRow:
        self._entries[entry.serial] = entry
        return entry


class Entrance:
    """Lets those in who were called, never more than the cap, each place once.

    Whoever comes while a batch is under way forms the next one, so that one connection a process waits for the gate
    and the others are free for orders.
    """

    def __init__(self, db: Database, clock: Clock, admission: Admission) -> None:
        self._db = db
        self._clock = clock
        self._admission = admission
        self._coming: Batcher[Coming, Entered | Waiting] = Batcher("enter", self._let_in, in_flight_max=1)

    async def enter(self, board: Board, facts: PlaceFacts) -> Entered | Waiting:
        """Give a called shopper a pass if there is room; what the snapshot settles costs no I/O."""
        stopped = _stopped(board)
        if not called(board, facts):
            return stopped or Waiting(reason=WaitReason.NOT_CALLED, retry_after=_CALL_SECONDS)
        return await self._coming.submit(Coming(board, facts, stopped))

    async def _let_in(self, batch: list[Coming]) -> Sequence[Entered | Waiting | Exception]:
        """Answer everybody in the batch; they stand in one line, except while another campaign takes over."""
        by_line: dict[int, list[int]] = defaultdict(list)
        for place, coming in enumerate(batch):
            by_line[coming.board.line.line_id].append(place)
        answers: dict[int, Entered | Waiting | Exception] = {}
        async with self._db.transaction() as tx:
            for line_id in sorted(by_line):
                found = await self._answers(tx, line_id, [batch[place] for place in by_line[line_id]])
                answers.update(zip(by_line[line_id], found, strict=True))
        return [answers[place] for place in range(len(batch))]

    async def _answers(self, tx: Tx, line_id: int, coming: Sequence[Coming]) -> Sequence[Entered | Waiting | Exception]:
        gate = await store_gate.lock_gate(tx, line_id)
        now = self._clock.now()
        serials = [each.facts.serial for each in coming]
        entries = await store_entry.entries(tx, line_id, serials)
        ledger = EntryLedger(
            entries,
            await store_entry.holders(tx, line_id, serials),
            await all_called_at(
                tx, line_id, {each.facts.serial: own_spot_of(each.board, each.facts) for each in coming}
            ),
            inside=gate.inside,
            now=now,
        )
        decided = [ledger.decide(each.board.room, each.facts, each.stopped) for each in coming]
        await self._write(tx, line_id, ledger, now)
        return [self._answer(each, found, now) for each, found in zip(coming, decided, strict=True)]

    async def _write(self, tx: Tx, line_id: int, ledger: EntryLedger, now: datetime) -> None:
        await store_entry.come(tx, line_id, ledger.came, now)
        await store_entry.ask_again(tx, line_id, ledger.asked_again, now)
        await store_entry.admit(tx, line_id, ledger.admitted, now)
        returned = sum(each.returned for each in ledger.came)
        if ledger.came or ledger.admitted:
            entered = len(ledger.admitted)
            await store_gate.count(
                tx, line_id, came=ledger.first_time, returned=returned, inside=entered, entered=entered
            )

    def _answer(
        self, coming: Coming, found: EntryRow | Waiting | Refusal, now: datetime
    ) -> Entered | Waiting | Exception:
        if not isinstance(found, EntryRow):
            return found
        assert found.expires_at is not None
        return self._entered(coming.board.room, coming.facts, found.expires_at, found.purchases, now)

    def _entered(self, room: Room, facts: PlaceFacts, expires_at: datetime, purchases: int, now: datetime) -> Entered:
        """Return the pass of who is inside: until `expires_at`, or the end of the campaign if that is sooner."""
        window = PassWindow(
            campaign_id=room.campaign_id,
            opens_at=room.rules.opens_at,
            closes_at=min(max(expires_at, now + timedelta(seconds=1)), room.closes_at),
        )
        given = self._admission.issue_pass(facts.account_id, facts.device, window)
        return Entered(given=given, purchases_left=max(room.rules.purchases - purchases, 0))

    async def leave(self, board: Board, facts: PlaceFacts) -> None:
        """Give up a place; whoever is inside goes out."""
        now, line_id = self._clock.now(), board.line.line_id
        async with self._db.transaction() as tx:
            await store_gate.lock_gate(tx, line_id)
            if await store.leave(tx, line_id, facts.serial, now):
                ended = await store_gate.end(tx, line_id, [facts.serial], "left", now)
                await store_gate.count(tx, line_id, inside=-ended, ended=ended, left=1)


def _stopped(board: Board) -> Waiting | None:
    """Return why nobody goes in now, as far as the last snapshot knows, or None. Raises CampaignOver, NothingLeft.

    Who was called and asks meanwhile has come in time; who is inside gets the pass again.
    """
    state = board.body.snapshot.state
    if state is QueueState.ENDED:
        raise CampaignOver("The campaign is over; no pass was given.", closed_at=board.room.closes_at)
    if state is QueueState.NOTHING_LEFT:
        raise NothingLeft("Everything is sold and paid: nothing can be won any more. Thank you for waiting.")
    if state is QueueState.HELD:
        return Waiting(reason=WaitReason.HELD, retry_after=_CALL_SECONDS)
    if state is QueueState.PAUSED:
        return Waiting(reason=WaitReason.PAUSED, retry_after=_CALL_SECONDS)
    return None


def _spent(entry: EntryRow) -> PlaceSpent:
    return PlaceSpent(
        "This place was used; no pass was given. Take a new place to stand in line again.", reason=entry.ended_by
    )
