"""What others may ask of the queue: take, look at, leave a place; enter; poll, steer and check the line."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from tidegate.base.batch import Batcher
from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.crypto import Signer, Vault, derive_key
from tidegate.base.db import Database, Tx
from tidegate.base.http import cookie_of
from tidegate.base.invariant import Check
from tidegate.gate.admission.api import Admission
from tidegate.gate.bots.contracts import TokenKind
from tidegate.gate.queue import store, store_gate, store_proof
from tidegate.gate.queue.adapters.drand import Drand
from tidegate.gate.queue.board import Board, Room, read_board, room_of, sign_of, view_of
from tidegate.gate.queue.contracts import (
    PLACE_COOKIE,
    PLACE_HEADER,
    AskPlace,
    CallList,
    Entered,
    GateFigures,
    GateRecord,
    GateWatch,
    NumberView,
    Place,
    PlaceFacts,
    PlaceView,
    PublishedDraw,
    Receipt,
    SealedList,
    Sign,
    SnapshotBody,
    Standing,
    StateNumber,
    SteerGate,
    Verification,
    Waiting,
)
from tidegate.gate.queue.controller import Controller, guarded_skus
from tidegate.gate.queue.drawing import Drawing, state_number
from tidegate.gate.queue.entering import Entrance
from tidegate.gate.queue.errors import NoWaitingRoom, PassSpent, PlaceRefused
from tidegate.gate.queue.figures import figures_of
from tidegate.gate.queue.placing import Placing, not_open
from tidegate.gate.queue.ports import Audiences, Means, Outlook
from tidegate.gate.queue.presence import Leases
from tidegate.gate.queue.proof import check_line, receipt_of, verify_line
from tidegate.gate.queue.public_number import NumberNotGenuine, PublishedNumber, announced, draw_key
from tidegate.gate.queue.publishing import call_list_of, published_draw, sealed_list_of
from tidegate.gate.queue.tokens import SignedPlace, is_of, judge_place, own_place, place_refused, read_place
from tidegate.gate.queue.watching import KEPT_FOR, watch_of
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import OfferKind, WorkAsked

__all__ = [
    "PLACE_HEADER",
    "Drand",
    "NumberNotGenuine",
    "PublishedNumber",
    "Queue",
    "announced",
    "draw_key",
    "place_of",
]

_REMEMBERED_MAX = 20_000
_PLACE_HEADER_ASGI = PLACE_HEADER.lower().encode()


class Queue:
    """The waiting room of the current campaign."""

    def __init__(
        self,
        config: Config,
        db: Database,
        cache: Cache,
        clock: Clock,
        campaign: Campaign,
        admission: Admission,
        outlook: Outlook,
        audiences: Audiences,
        means: Means,
        cleared: Callable[[], Collection[UUID]],
        misused: Callable[[TokenKind, str], None],
    ) -> None:
        """Take `cleared`: the accounts that staff cleared, whose places leave the slow lane; and `misused`: what counts
        a place or pass that is refused, by the refusal's reason.
        """
        self._misused = misused
        self._db = db
        self._leases = Leases(cache, clock)
        self._clock = clock
        self._campaign = campaign
        self._signer = Signer(derive_key(config.secret, "queue.place"))
        self._salt_key = derive_key(config.secret, "queue.salt")
        self._read = lru_cache(maxsize=_REMEMBERED_MAX)(self._verified)
        self._board: Board | None = None
        self._watched: GateWatch | None = None
        self._placing = Placing(db, clock, self._signer, self._salt_key, self.room, audiences, means)
        self._places: Batcher[AskPlace, Place] = Batcher("place", self._placing.take, in_flight_max=1)
        self._entrance = Entrance(db, clock, admission)
        vault = Vault(derive_key(config.secret, "queue.seed"))
        drawing = Drawing(db, clock, vault, Drand(config.drand_url))
        self._controller = Controller(db, cache, drawing, outlook, cleared)

    def has_waiting_room(self) -> bool:
        """Return whether the current campaign has a waiting room; without one, passes are given for the asking."""
        return room_of(self._campaign.current()) is not None

    def room(self) -> Room:
        """Return the waiting room of the current campaign. Raises NoWaitingRoom."""
        room = room_of(self._campaign.current())
        if room is None:
            raise NoWaitingRoom("This campaign has no waiting room: ask for a pass and go in.")
        return room

    def work_asked(self) -> WorkAsked:
        """Return of whom the current campaign asks work for a place, beside who is asked during an attack."""
        room = room_of(self._campaign.current())
        return room.rules.work if room is not None else WorkAsked.ATTACK

    async def take_place(self, ask: AskPlace) -> Place:
        """Give a place, or the one that this account holds already; durable when this returns.

        The same account on a new device takes its place along. Raises NoWaitingRoom, PlacesNotOpen, PlacesClosed,
        NetworkFull, OnePlaceAPerson, Overloaded.
        """
        self.room()
        return await self._places.submit(ask)

    async def take_places(self, asks: list[AskPlace]) -> Sequence[Place | Exception]:
        """Do as `take_place` does for asks that were gathered already, in one transaction; each gets its own answer.

        Raises NoWaitingRoom for all of them.
        """
        self.room()
        return await self._placing.take(asks)

    def check_place(self, token: str | None, account_id: UUID, device: UUID) -> PlaceFacts:
        """Return what the place says if it is this account's on this device, in the current campaign. No I/O.

        Raises PlaceRefused with a `reason`, NoWaitingRoom.
        """
        room = self.room()
        if not token:
            raise place_refused("missing", "This needs a place in line")
        try:
            return judge_place(self._read(token), account_id, device, room.campaign_id)
        except PlaceRefused as refusal:
            self._misused(TokenKind.PLACE, str(refusal.fields["reason"]))
            raise

    def kept_place(self, token: str, account_id: UUID, device: UUID) -> PlaceFacts | None:
        """Return what a place says that a browser kept; None where it is of a former sign-in or campaign. No I/O.

        That is nobody's trick, and is not counted as one.
        """
        room = room_of(self._campaign.current())
        try:
            return judge_place(self._read(token), account_id, device, room.campaign_id) if room is not None else None
        except PlaceRefused:
            return None

    def _verified(self, token: str) -> SignedPlace | None:
        return read_place(self._signer, token)

    def view(self, facts: PlaceFacts) -> PlaceView:
        """Return where a place stands, from the snapshot in memory; at most a second old. No I/O.

        Raises PlacesNotOpen while the line is not open.
        """
        return view_of(self._required_board(), facts, self._clock.now())

    def beat(self, facts: PlaceFacts) -> Sign:
        """Note a sign of life, for the next `write_signs`; return where the place stands. No I/O.

        Raises PlacesNotOpen while the line is not open.
        """
        board = self._required_board()
        self._leases.note(board.line.line_id, facts.serial)
        return sign_of(board, facts, self._clock.now())

    async def come(self, facts: PlaceFacts, sign: Sign) -> Sign:
        """Let whoever is called go in, as `enter` does and with its refusals; return the sign with what came of it."""
        if sign.standing is not Standing.CALLED:
            return sign
        answer = await self.enter(facts)
        return msgspec.structs.replace(sign, inside=isinstance(answer, Entered))

    async def write_signs(self) -> None:
        """Write the signs of life given since. Each web process, each second; without Valkey they are lost."""
        await self._leases.write()

    async def leave(self, facts: PlaceFacts) -> None:
        """Give up a place, and the pass that came of it; its room is free at once. Again changes nothing."""
        await self._entrance.leave(self._required_board(), facts)

    async def enter(self, facts: PlaceFacts) -> Entered | Waiting:
        """Give a called shopper a pass, if there is room. Asking again gives the pass again.

        Raises PlaceRefused, PlaceSpent, NothingLeft, PlacesNotOpen, CampaignOver.
        """
        return await self._entrance.enter(self._required_board(), facts)

    def require_inside(self, account_id: UUID) -> None:
        """Raise PassSpent for an account whose pass was used up or given back, as far as this process knows. No I/O.

        Known within about a second; limits on what one buyer may have are exact, and pricing's.
        """
        if self._board is not None and account_id in self._board.shut_out:
            self._misused(TokenKind.PASS, "used")
            raise PassSpent(
                "Your pass is used up; nothing was ordered. Take a new place in line to order again.", reason="ended"
            )

    def snapshot(self) -> SnapshotBody | None:
        """Return the line as everybody sees it, made by the last `renew`; None where there is no waiting room."""
        return self._board.body if self._board is not None else None

    async def renew(self) -> None:
        """Make the snapshot anew. Each web process, each second."""
        room = room_of(self._campaign.current())
        if room is None:
            self._board = None
            return
        async with self._db.read() as tx:
            self._board = await read_board(tx, room, self._clock.now())

    async def step(self) -> None:
        """Move the line on: open, seal, reveal, free what expired, call. The worker, each second; one at a time."""
        version = self._campaign.current()
        room = room_of(version)
        if room is not None and version is not None:
            flash = [offer.sku for offer in version.definition.offers if offer.kind is OfferKind.FLASH]
            await self._controller.step(room, guarded_skus(room, flash), self._clock.now())

    async def steer(self, tx: Tx, command: SteerGate, by: str) -> GateRecord:
        """Record an act of staff; it holds from the next step on. Raises NoWaitingRoom."""
        return await store_gate.record_act(tx, await self._line_id(tx), command, by, self._clock.now())

    async def state_number(self, tx: Tx, command: StateNumber, by: str) -> NumberView:
        """Enter the public number that this draw announced, as it was published; the same again changes nothing.

        Raises NumberNotWanted, NoWaitingRoom.
        """
        line = await store.line(tx, self.room().campaign_id, lock=True)
        if line is None:
            raise NoWaitingRoom("The line is not open yet; nothing was changed.")
        return await state_number(tx, line, command.text, by, self._clock.now())

    async def acts(self, tx: Tx, limit: int = 100) -> list[GateRecord]:
        """Return what staff did with the gate of the current campaign, newest first. Raises NoWaitingRoom."""
        return await store_gate.acts(tx, await self._line_id(tx), limit)

    async def figures(self, tx: Tx) -> GateFigures:
        """Return what a campaign manager watches. Raises NoWaitingRoom."""
        return await figures_of(tx, await self._read_board(tx), self._clock.now())

    async def watch(self, tx: Tx) -> GateWatch:
        """Return all that staff watch of the gate, at most a second old. Raises NoWaitingRoom."""
        now, room, kept = self._clock.now(), self.room(), self._watched
        if kept is None or kept.campaign_id != room.campaign_id or not now - KEPT_FOR < kept.at <= now:
            kept = self._watched = await watch_of(tx, await self._read_board(tx), now)
        return kept

    async def _read_board(self, tx: Tx) -> Board:
        room = self.room()
        board = await read_board(tx, room, self._clock.now())
        if board is None:
            raise NoWaitingRoom(f"The line opens at {room.rules.opens_at:%Y-%m-%d %H:%M} UTC; nothing to see before.")
        return board

    async def receipt(self, tx: Tx, facts: PlaceFacts) -> Receipt:
        """Return what explains this place's rank, with its path to the sealed root."""
        return await receipt_of(tx, facts, self._salt_key)

    async def receipt_for(self, tx: Tx, token: str | None, account_id: UUID) -> Receipt:
        """Return the receipt of a place that this account holds or held, of any campaign, from whatever device.

        Raises PlaceRefused with a `reason`.
        """
        if not token:
            raise place_refused("missing", "This needs a place in line")
        facts = own_place(self._read(token), account_id, await store_proof.campaigns(tx))
        return await self.receipt(tx, facts)

    def is_place_of(self, token: str | None, account_id: UUID, campaign_id: str) -> bool:
        """Return whether a place is this account's in this campaign, one that was used or is over too. No I/O."""
        return bool(token) and is_of(self._read(token or ""), account_id, campaign_id)

    async def draw(self, tx: Tx, campaign_id: str) -> PublishedDraw:
        """Return the draw of a campaign, of one that is over too, as far as it is public. Raises NoWaitingRoom."""
        return await published_draw(tx, campaign_id)

    async def call_list(self, tx: Tx, campaign_id: str, start: int = 0, limit: int = 10_000) -> CallList:
        """Return a part of the calls, in their order. Raises NoWaitingRoom."""
        return await call_list_of(tx, campaign_id, start, limit)

    async def sealed_list(self, tx: Tx, campaign_id: str, start: int = 0, limit: int = 10_000) -> SealedList:
        """Return a part of the sealed list. Raises NotSealed, NoWaitingRoom."""
        return await sealed_list_of(tx, campaign_id, start, limit)

    async def verify(self, tx: Tx, campaign_id: str) -> Verification:
        """Recompute seed hash, root, ranks and the order of admission. Raises NotSealed, NoWaitingRoom."""
        return await verify_line(tx, campaign_id)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of the queue against the database."""
        return await check_line(tx)

    def _required_board(self) -> Board:
        return require_board(self._board, self.room(), self._clock.now)

    async def _line_id(self, tx: Tx) -> int:
        line = await store.line(tx, self.room().campaign_id)
        if line is None:
            raise NoWaitingRoom("The line is not open yet; nothing was changed.")
        return line.line_id


def require_board(board: Board | None, room: Room, now: Callable[[], datetime]) -> Board:
    """Return the board. Raises PlacesNotOpen while nobody can stand in line."""
    if board is None or board.room.campaign_id != room.campaign_id:
        raise not_open(room, now())
    return board


def place_of(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Return the place in a request's raw ASGI headers, whose names are in lower case: the header, then the cookie."""
    for name, value in headers:
        if name == _PLACE_HEADER_ASGI:
            return value.strip().decode("latin-1")
    return cookie_of(headers, PLACE_COOKIE)
