"""Going in: a called shopper's pass, in one transaction under the gate's lock."""

from datetime import datetime, timedelta

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.gate.admission.api import Admission
from tidegate.gate.admission.contracts import PassWindow
from tidegate.gate.admission.errors import CampaignOver
from tidegate.gate.queue import store, store_gate, store_slow
from tidegate.gate.queue.board import Board, Room, called, own_spot_of
from tidegate.gate.queue.contracts import Entered, PlaceFacts, QueueState, Waiting, WaitReason
from tidegate.gate.queue.errors import NothingLeft, PlaceSpent
from tidegate.gate.queue.rows import EntryRow
from tidegate.gate.queue.spots import called_at
from tidegate.gate.queue.tokens import place_refused

_FULL_SECONDS = 2
_CALL_SECONDS = 5
_FINAL = ("used", "expired", "skipped")


class Entrance:
    """Lets those in who were called, never more than the cap, each place once."""

    def __init__(self, db: Database, clock: Clock, admission: Admission) -> None:
        self._db = db
        self._clock = clock
        self._admission = admission

    async def enter(self, board: Board, facts: PlaceFacts) -> Entered | Waiting:
        """Give a called shopper a pass if there is room; what the snapshot settles costs no I/O."""
        stopped = _stopped(board)
        if not called(board, facts):
            return stopped or Waiting(reason=WaitReason.NOT_CALLED, retry_after=_CALL_SECONDS)
        now, room, line_id = self._clock.now(), board.room, board.line.line_id
        async with self._db.transaction() as tx:
            gate = await store_gate.lock_gate(tx, line_id)
            assert gate is not None, "a line is opened together with its gate"
            entry = await self._entry(tx, board, facts, now)
            if entry is not None and entry.entered_at is not None and entry.expires_at is not None:
                return self._entered(room, facts, entry.expires_at, entry.purchases, now)
            if stopped is not None:
                return stopped
            if gate.inside >= room.rules.cap:
                return Waiting(reason=WaitReason.FULL, retry_after=_FULL_SECONDS)
            expires_at = now + timedelta(seconds=room.rules.pass_seconds)
            await store_gate.admit(
                tx, line_id, facts.serial, now=now, expires_at=expires_at, inside=gate.inside + 1, cap=room.rules.cap
            )
            await store_gate.count(tx, line_id, inside=1, entered=1)
        return self._entered(room, facts, expires_at, 0, now)

    async def _entry(self, tx: Tx, board: Board, facts: PlaceFacts, now: datetime) -> EntryRow | None:
        """Return the entry of who is inside already; record the coming of who is not. Raises PlaceSpent."""
        line_id = board.line.line_id
        entry = await store_gate.entry(tx, line_id, facts.serial, lock=True)
        if entry is not None and entry.ended_by in _FINAL and (entry.ended_by != "skipped" or entry.returned):
            raise _spent(entry)
        if not await store.is_live(tx, line_id, facts.serial, facts.account_id, facts.device):
            raise place_refused("given-up", "This place was given up, or it moved to another device")
        if entry is not None and entry.ended_at is None:
            if entry.entered_at is None:
                await store_gate.ask_again(tx, line_id, facts.serial, now)
            return entry
        first = entry.called_at if entry is not None else await self._called_at(tx, board, facts)
        late = entry is not None or now > first + timedelta(seconds=board.room.rules.claim_seconds)
        await store_gate.come(
            tx, line_id, facts.serial, facts.account_id, facts.device, called_at=first, now=now, returned=late
        )
        await store_gate.count(tx, line_id, came=int(entry is None), returned=int(late))
        return None

    async def _called_at(self, tx: Tx, board: Board, facts: PlaceFacts) -> datetime:
        home = await store_slow.home(tx, board.line.line_id, facts.serial)
        found = await called_at(tx, board.line.line_id, own_spot_of(board, facts), home)
        assert found is not None, "a lane's threshold and its calls are written together"
        return found

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
