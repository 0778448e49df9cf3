"""What moves the line on, once a second in one process: open, seal, reveal, free what expired, call."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from tidegate.base.cache import Cache
from tidegate.base.crypto import Vault
from tidegate.base.db import Database, Tx
from tidegate.gate.queue import store, store_gate, store_slow
from tidegate.gate.queue.board import Room, present
from tidegate.gate.queue.contracts import Purchases, QueueState
from tidegate.gate.queue.draw import SEED_BYTES, leaf, merkle_root, rank, seed_hash, subtree_roots
from tidegate.gate.queue.ports import Outlook
from tidegate.gate.queue.rows import CallRow, GateRow, Inside, LaneRow, LineRow
from tidegate.gate.queue.steering import (
    Flow,
    GateSettings,
    LaneCall,
    Ranks,
    allowance,
    ramped,
    share_out,
    smoothed,
    state_at,
)
from tidegate.offer.campaign.contracts import GuardedGoods

_LIST_MAX = 1 << 32
# A line up to this long is called by its exact ranks, sorted once; in a longer one the average is off by little.
EXACT_PLACES_MAX = 50_000


class Controller:
    """Steps of the line. Two workers may both try: the gate's row lock lets one of them."""

    def __init__(
        self,
        db: Database,
        cache: Cache,
        vault: Vault,
        outlook: Outlook,
        cleared: Callable[[], Collection[UUID]],
    ) -> None:
        self._db = db
        self._cache = cache
        self._vault = vault
        self._outlook = outlook
        self._cleared = cleared
        self._ranks: dict[int, Ranks] = {}

    async def step(self, room: Room, skus: Sequence[str] | None, now: datetime) -> None:
        """Move a room's line on to `now`. A clock that went back changes nothing that was called or published."""
        if now < room.rules.opens_at:
            return
        async with self._db.transaction() as tx:
            line = await store.line(tx, room.campaign_id) or await self._opened(tx, room, now)
        line = await self._drawn(line, room, now)
        seen = await present(self._cache, line.line_id, now)
        async with self._db.transaction() as tx:
            gate = await store_gate.lock_gate(tx, line.line_id, wait=False)
            if gate is not None:
                await self._move(tx, room, line, gate, skus, seen, now)

    async def _opened(self, tx: Tx, room: Room, now: datetime) -> LineRow:
        seed = secrets.token_bytes(SEED_BYTES)
        await store.open_line(
            tx,
            room.campaign_id,
            room.rules.lanes,
            room.rules.slow_share,
            seed_sealed=self._vault.seal(seed, room.campaign_id),
            seed_hash=seed_hash(seed),
            now=now,
        )
        line = await store.line(tx, room.campaign_id)
        assert line is not None
        return line

    async def _drawn(self, line: LineRow, room: Room, now: datetime) -> LineRow:
        """Seal the list when it is time, publish its root, and reveal the seed at the opening."""
        if line.sealed_at is None and now >= room.rules.seals_at:
            async with self._db.transaction() as tx:
                await store.line(tx, room.campaign_id, lock=True)  # whoever takes a place holds it too
                await store.seal(tx, line.line_id, now)
        if line.root is None and now >= room.rules.seals_at:
            async with self._db.transaction() as tx:
                listed = await store.sealed(tx, line.line_id, 0, _LIST_MAX)
                parts = await asyncio.to_thread(lambda: subtree_roots([leaf(*each) for each in listed]))
                await store.put_root(tx, line.line_id, merkle_root(parts), parts)
        if line.seed is None and now >= room.opens_at:
            async with self._db.transaction() as tx:
                seed = self._vault.open(line.seed_sealed, room.campaign_id)
                await store.reveal(tx, line.line_id, seed, now)
        async with self._db.transaction() as tx:
            found = await store.line(tx, room.campaign_id)
        assert found is not None
        return found

    async def _move(
        self,
        tx: Tx,
        room: Room,
        line: LineRow,
        gate: GateRow,
        skus: Sequence[str] | None,
        seen: int | None,
        now: datetime,
    ) -> None:
        if cleared := self._cleared():
            await store_slow.restore(tx, line.line_id, cleared, now)
        gate = await self._freed(tx, room, line, gate, now)
        supply = await self._outlook.supply(tx, room.campaign_id, skus)
        seconds = (now - gate.stepped_at).total_seconds() if gate.stepped_at else 1.0
        gate = msgspec.structs.replace(
            gate,
            sellable=supply.sellable,
            held=supply.held,
            stepped_at=max(now, gate.stepped_at or now),
            load_factor=self._outlook.admission_factor(),
            present=seen,
        )
        settings = await store_gate.settings(tx, line.line_id)
        state = state_at(now, line, settings, opens_at=room.opens_at, closes_at=room.closes_at, stock=gate)
        gate = msgspec.structs.replace(gate, state=str(state))
        if state is QueueState.OPEN:
            gate = await self._call(tx, room, line, gate, settings, seconds, now)
        await store_gate.write_gate(tx, line.line_id, gate)

    async def _freed(self, tx: Tx, room: Room, line: LineRow, gate: GateRow, now: datetime) -> GateRow:
        """End the passes that are used up or ran out; skip who came, found no room and did not ask again."""
        inside = await store_gate.inside(tx, line.line_id)
        since = {each.account_id: each.entered_at for each in inside}
        bought = await self._outlook.purchases(tx, room.campaign_id, since) if since else {}
        stays = {each.serial: stay_of(each, bought.get(each.account_id), room, now) for each in inside}
        counts = {each.serial: bought[each.account_id].placed for each in inside if each.account_id in bought}
        buyers = await store_gate.put_purchases(tx, line.line_id, counts)
        absent = await store_gate.absent(tx, line.line_id, now - timedelta(seconds=room.rules.claim_seconds))
        going = {stay: [serial for serial, found in stays.items() if found is stay] for stay in Stay}
        used = await store_gate.end(tx, line.line_id, going[Stay.USED], "used", now)
        ended = used + await store_gate.end(tx, line.line_id, going[Stay.EXPIRED], "expired", now)
        await store_gate.end(tx, line.line_id, list(absent), "skipped", now)
        await store_gate.renew(tx, line.line_id, going[Stay.RENEWED], now + timedelta(seconds=room.rules.pass_seconds))
        final = [serial for serial, returned in absent.items() if returned]
        await store.retire(tx, line.line_id, [*going[Stay.USED], *going[Stay.EXPIRED], *final], now)
        if ended or buyers:
            await store_gate.count(tx, line.line_id, inside=-ended, ended=ended, bought=buyers)
        return msgspec.structs.replace(
            gate, inside=gate.inside - ended, ended=gate.ended + ended, bought=gate.bought + buyers
        )

    async def _call(
        self,
        tx: Tx,
        room: Room,
        line: LineRow,
        gate: GateRow,
        settings: GateSettings,
        seconds: float,
        now: datetime,
    ) -> GateRow:
        lanes = await store.lanes(tx, line.line_id)
        since = now - timedelta(seconds=room.rules.claim_seconds)
        per_minute = settings.per_minute or room.rules.per_minute
        called = sum(lane.called for lane in lanes)
        flow = Flow(
            cap=room.rules.cap,
            inside=gate.inside,
            ready=await store_gate.ready(tx, line.line_id),
            called_lately=sum((await store.calls_since(tx, line.line_id, since)).values()),
            came_lately=await store_gate.came_since(tx, line.line_id, since),
            come_share=smoothed(gate.came, called),
            conversion=smoothed(gate.bought, gate.ended),
            sellable=gate.sellable,
            held=gate.held,
            waiting=sum(lane.waiting for lane in lanes),
            per_minute=ramped(per_minute, (now - room.opens_at).total_seconds(), room.rules.ramp_seconds),
            load_factor=gate.load_factor,
            credit=gate.rate_credit,
            seconds=seconds,
        )
        calls, credit = allowance(flow)
        if calls:
            reach = await _late_reach(tx, line.line_id, lanes)
            after = share_out(calls, lanes, await self._known_ranks(tx, line), reach)
            await _write_calls(tx, line.line_id, lanes, after, now)
        return msgspec.structs.replace(gate, rate_credit=credit)

    async def _known_ranks(self, tx: Tx, line: LineRow) -> Ranks:
        """Return the ranks of a line that is small enough; they are the same in every process and for ever."""
        if line.seed is None or line.root is None or (line.sealed_count or 0) > EXACT_PLACES_MAX:
            return {}
        if line.line_id not in self._ranks:
            found: dict[int, list[int]] = defaultdict(list)
            for serial, lane, _ in await store.sealed(tx, line.line_id, 0, EXACT_PLACES_MAX):
                found[lane].append(rank(line.seed, line.root, serial))
            self._ranks = {line.line_id: {lane: sorted(ranks) for lane, ranks in found.items()}}
        return self._ranks[line.line_id]


class Stay(StrEnum):
    """What becomes of a pass in this step."""

    GOES_ON = "goes-on"
    RENEWED = "renewed"
    USED = "used"
    EXPIRED = "expired"


def stay_of(inside: Inside, bought: Purchases | None, room: Room, now: datetime) -> Stay:
    """Return what becomes of a pass: used up by its purchases, renewed while an order waits for its payment."""
    if bought is not None and bought.placed >= room.rules.purchases:
        return Stay.USED
    if now < inside.expires_at:
        return Stay.GOES_ON
    return Stay.RENEWED if bought is not None and bought.awaiting else Stay.EXPIRED


async def _late_reach(tx: Tx, line_id: int, lanes: Sequence[LaneRow]) -> int | None:
    """Return how far the late of the slow lane may be called; None where none of them waits."""
    slow = next((lane for lane in lanes if lane.slow and lane.late > lane.late_called), None)
    return await store_slow.late_reach(tx, line_id, slow) if slow is not None else None


async def _write_calls(
    tx: Tx, line_id: int, before: Sequence[LaneRow], after: Sequence[LaneCall], now: datetime
) -> None:
    await store.write_lanes(tx, line_id, [each.lane for each in after])
    calls = [
        CallRow(
            lane=old.lane,
            threshold=new.lane.threshold,
            late_called=new.lane.late_called,
            calls=new.calls,
            called_at=now,
        )
        for old, new in zip(before, after, strict=True)
        if new.calls
    ]
    await store.write_calls(tx, line_id, calls)


def guarded_skus(room: Room, flash: Sequence[str]) -> Sequence[str] | None:
    """Return the SKUs that the line stands for; None means all."""
    return list(flash) if room.rules.goods is GuardedGoods.FLASH else None
