"""Taking places: a whole batch in one transaction under the line's lock."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.crypto import Signer, keyed_digest
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.gate.queue import store, store_gate
from tidegate.gate.queue.board import Room
from tidegate.gate.queue.contracts import AskPlace, Place, PlaceFacts, PlaceKind
from tidegate.gate.queue.errors import PlacesClosed, PlacesNotOpen
from tidegate.gate.queue.ports import Audiences, Means
from tidegate.gate.queue.rows import HeldPlace, LaneRow, LineRow
from tidegate.gate.queue.rules import PlaceLedger
from tidegate.gate.queue.tokens import sign_place
from tidegate.offer.campaign.contracts import Audience

_DIGEST_BYTES = 16


class Placing:
    """Gives places in batches."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        signer: Signer,
        salt_key: bytes,
        room: Callable[[], Room],
        audiences: Audiences,
        means: Means,
    ) -> None:
        self._db = db
        self._clock = clock
        self._signer = signer
        self._salt_key = salt_key
        self._room = room
        self._audiences = audiences
        self._means = means

    async def take(self, batch: list[AskPlace]) -> Sequence[Place | Exception]:
        """Give a place to each asker, or say why there is none."""
        room, now = self._room(), self._clock.now()
        if now < room.rules.opens_at:
            return [not_open(room, now)] * len(batch)
        if now >= room.closes_at:
            return [PlacesClosed("The campaign is over; no place was given.", reason="over")] * len(batch)
        async with self._db.transaction() as tx:
            batch = await self._with_means(tx, room, batch)  # before the line is locked
            if any(lane.audience is not Audience.EVERYONE for lane in room.rules.lanes):
                batch = await self._with_audiences(tx, batch)
            line = await store.line(tx, room.campaign_id, lock=True)
            if line is None:
                return [not_open(room, now)] * len(batch)
            if line.sealed_at is None and now >= room.rules.seals_at:
                # Whoever comes first after the sealing time closes the list: nobody late may stand in it, however
                # late the controller's own step is.
                await store.seal(tx, line.line_id, now)
            lanes = await store.lanes(tx, line.line_id)
            ledger = await self._ledger(tx, room, line, lanes, batch, now)
            closed = (await store_gate.settings(tx, line.line_id)).closed
            taken = [_closed_to_new(ledger, ask) if closed else ledger.take(ask) for ask in batch]
            if ledger.new:
                await store.write_places(tx, line.line_id, ledger.new, now)
            await store.move_places(tx, line.line_id, ledger.moved, now)
        return [each if isinstance(each, Refusal) else self._place(room, lanes, each) for each in taken]

    async def _with_means(self, tx: Tx, room: Room, batch: Sequence[AskPlace]) -> list[AskPlace]:
        """Return the asks with the browser and the way to pay of each, as far as they are known: two statements.

        As digests for this line alone: by what it keeps, nobody is known again in another.
        """
        devices = await self._means.devices_of(tx, [ask.device for ask in batch])
        payers = await self._means.payers_of(tx, [ask.account_id for ask in batch])
        return [
            msgspec.structs.replace(
                ask,
                browser=self._digest(room, "browser", devices[ask.device].bytes),
                instrument=self._digest(room, "payer", payers[ask.account_id].encode())
                if ask.account_id in payers
                else None,
            )
            for ask in batch
        ]

    def _digest(self, room: Room, kind: str, name: bytes) -> bytes:
        return keyed_digest(self._salt_key, f"{room.campaign_id}/{kind}:".encode() + name)[:_DIGEST_BYTES]

    async def _with_audiences(self, tx: Tx, batch: Sequence[AskPlace]) -> list[AskPlace]:
        """Return the asks with the audiences that their accounts belong to: two statements a batch, no more later."""
        found = await self._audiences.audiences(tx, [ask.account_id for ask in batch])
        return [msgspec.structs.replace(ask, audiences=ask.audiences | found[ask.account_id]) for ask in batch]

    async def _ledger(
        self, tx: Tx, room: Room, line: LineRow, lanes: Sequence[LaneRow], batch: Sequence[AskPlace], now: datetime
    ) -> PlaceLedger:
        held = await store.held(
            tx,
            line.line_id,
            [ask.account_id for ask in batch],
            [ask.browser for ask in batch if ask.browser is not None],
            [ask.instrument for ask in batch if ask.instrument is not None],
        )
        networks = await store.networks(tx, line.line_id, {ask.network for ask in batch if ask.network is not None})
        return PlaceLedger(
            line,
            lanes,
            held,
            networks,
            now=now,
            seals_at=room.rules.seals_at,
            per_network=room.rules.per_network,
            behind=room.rules.places_behind,
            salt_key=self._salt_key,
        )

    def _place(self, room: Room, lanes: Sequence[LaneRow], held: HeldPlace) -> Place:
        kind = PlaceKind.LATE if held.number else PlaceKind.DRAWN
        facts = PlaceFacts(
            campaign_id=room.campaign_id,
            account_id=held.account_id,
            device=held.device,
            lane=held.lane,
            kind=kind,
            serial=held.serial,
            number=held.number,
            joined_at=held.joined_at,
        )
        return Place(
            token=sign_place(self._signer, facts),
            campaign_id=room.campaign_id,
            lane=lanes[held.lane].name,
            kind=kind,
            serial=held.serial,
            number=held.number,
            joined_at=held.joined_at,
        )


def not_open(room: Room, now: datetime) -> PlacesNotOpen:
    """Return the refusal of who comes before the line is open."""
    wait = max(1, -int(-(room.rules.opens_at - now).total_seconds() // 1))
    return PlacesNotOpen(
        "The line is not open yet; no place was given. Come back when it opens.",
        opens_at=room.rules.opens_at,
        retry_after=wait,
    )


def _closed_to_new(ledger: PlaceLedger, ask: AskPlace) -> HeldPlace | Refusal:
    """Return the place that the asker holds; nobody gets a new one."""
    known = ledger.known(ask)
    if known is not None:
        return known
    return PlacesClosed(
        "No more places are given; you hold none. Who stands in line already is served.", reason="staff"
    )
