"""What moves the line on, once a second in one process: open, seal, reveal, free what expired, call."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from tidegate.base.cache import Cache
from tidegate.base.db import Database, Tx
from tidegate.gate.queue import store, store_gate, store_slow
from tidegate.gate.queue.board import Room
from tidegate.gate.queue.contracts import Purchases, QueueState
from tidegate.gate.queue.draw import rank
from tidegate.gate.queue.drawing import Drawing
from tidegate.gate.queue.ports import Outlook
from tidegate.gate.queue.presence import Signs, Watch
from tidegate.gate.queue.rows import CallRow, GateRow, Inside, LaneRow, LineRow
from tidegate.gate.queue.steering import (
    SKEW,
    Flow,
    GateSettings,
    allowance,
    passed_over,
    ramped,
    share_out,
    smoothed,
    state_at,
)
from tidegate.offer.campaign.contracts import GuardedGoods

# A line up to this long is called by its exact ranks, sorted once; in a longer one the average is off by little.
EXACT_PLACES_MAX = 50_000
Places = Mapping[int, Sequence[tuple[int, int]]]
"""Of each lane: rank or number, and serial, in ascending order."""


class Controller:
    """Steps of the line. Two workers may both try: the gate's row lock lets one after the other, and the second finds
    that no time has passed.
    """

    def __init__(
        self,
        db: Database,
        cache: Cache,
        drawing: Drawing,
        outlook: Outlook,
        cleared: Callable[[], Collection[UUID]],
    ) -> None:
        self._db = db
        self._watch = Watch(cache)
        self._drawing = drawing
        self._outlook = outlook
        self._cleared = cleared
        self._ranks: dict[int, Places] = {}

    async def step(self, room: Room, skus: Sequence[str] | None, now: datetime) -> None:
        """Move a room's line on to `now`. A clock that went back changes nothing that was called or published."""
        if now < room.rules.opens_at:
            return
        async with self._db.transaction() as tx:
            line = await store.line(tx, room.campaign_id) or await self._drawing.opened(tx, room, now)
        line = await self._drawing.go_on(line, room, now)
        signs = await self._watch.signs(line.line_id, now, each=line.next_serial <= EXACT_PLACES_MAX)
        async with self._db.transaction() as tx:
            # Waited for: while many go in the lock is seldom free, and a step left out calls nobody.
            gate = await store_gate.lock_gate(tx, line.line_id)
            await self._move(tx, room, line, gate, skus, signs, now)
        if room.rules.per_network:
            await self._networks_freed(room, line)

    async def _networks_freed(self, room: Room, line: LineRow) -> None:
        """Give back what places that were given up count of their networks: under the line's lock, as taking is."""
        async with self._db.transaction() as tx:
            await store.line(tx, room.campaign_id, lock=True)
            await store.give_back_networks(tx, line.line_id)

    async def _move(
        self,
        tx: Tx,
        room: Room,
        line: LineRow,
        gate: GateRow,
        skus: Sequence[str] | None,
        signs: Signs,
        now: datetime,
    ) -> None:
        if cleared := self._cleared():
            await store_slow.restore(tx, line.line_id, cleared, now)
        gate = await _set_back(tx, room, line, gate, now)
        gate = await self._freed(tx, room, line, gate, now)
        supply = await self._outlook.supply(tx, room.campaign_id, skus)
        seconds = (now - gate.stepped_at).total_seconds() if gate.stepped_at else 1.0
        gate = msgspec.structs.replace(
            gate,
            sellable=supply.sellable,
            held=supply.held,
            stepped_at=max(now, gate.stepped_at or now),
            load_factor=self._outlook.admission_factor(),
            present=signs.present,
        )
        settings = await store_gate.settings(tx, line.line_id)
        state = state_at(now, line, settings, opens_at=room.opens_at, closes_at=room.closes_at, stock=gate)
        gate = msgspec.structs.replace(gate, state=str(state))
        if state is QueueState.OPEN:
            gate = await self._call(tx, room, line, gate, settings, seconds, signs, now)
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
        signs: Signs,
        now: datetime,
    ) -> GateRow:
        lanes = await store.lanes(tx, line.line_id)
        since = now - timedelta(seconds=room.rules.claim_seconds)
        per_minute = settings.per_minute or room.rules.per_minute
        flow = Flow(
            cap=room.rules.cap,
            inside=gate.inside,
            ready=await store_gate.ready(tx, line.line_id),
            called_lately=sum((await store.calls_since(tx, line.line_id, since, now + SKEW)).values()),
            came_lately=await store_gate.came_since(tx, line.line_id, since, now + SKEW),
            come_share=smoothed(gate.came, gate.called),
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
            await self._write_calls(tx, line, lanes, calls, signs, now)
        return msgspec.structs.replace(gate, rate_credit=credit)

    async def _write_calls(
        self, tx: Tx, line: LineRow, lanes: Sequence[LaneRow], calls: int, signs: Signs, now: datetime
    ) -> None:
        drawn, late = await self._drawn_places(tx, line), await _late_places(tx, line)
        ranks, numbers = _without(drawn, frozenset()), _without(late, frozenset())
        reach = await _late_reach(tx, line.line_id, lanes)
        after = share_out(calls, lanes, _without(drawn, signs.away), reach, _without(late, signs.away))
        if not any(each.calls for each in after):
            # Nobody who is here may be called: then who is away is, or the slow lane would wait behind them for ever.
            after = share_out(calls, lanes, ranks, reach, numbers)
        passed = passed_over(lanes, after, ranks, numbers)
        await store.write_lanes(tx, line.line_id, [each.lane for each in after])
        rows = [
            CallRow(
                lane=each.lane.lane,
                threshold=each.lane.threshold,
                late_called=each.lane.late_called,
                calls=each.calls,
                called_at=now,
            )
            for each in after
            if each.calls
        ]
        await store.write_calls(tx, line.line_id, rows)
        await store_gate.count(tx, line.line_id, called=sum(row.calls for row in rows), passed=passed)

    async def _drawn_places(self, tx: Tx, line: LineRow) -> Places:
        """Return the ranks of a line that is small enough; they are the same in every process and for ever."""
        key = line.key
        if key is None or line.root is None or (line.sealed_count or 0) > EXACT_PLACES_MAX:
            return {}
        if line.line_id not in self._ranks:
            found: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for serial, lane in await store.drawn(tx, line.line_id, EXACT_PLACES_MAX):
                found[lane].append((rank(key, line.root, serial), serial))
            self._ranks = {line.line_id: {lane: sorted(places) for lane, places in found.items()}}
        return self._ranks[line.line_id]


async def _late_places(tx: Tx, line: LineRow) -> Places:
    """Return the numbers of the late who wait, in a line that is small enough."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    if line.next_serial <= EXACT_PLACES_MAX:
        for lane, number, serial in await store.late_waiting(tx, line.line_id):
            found[lane].append((number, serial))
    return found


def _without(places: Places, away: frozenset[int]) -> dict[int, list[int]]:
    """Return the ranks or numbers of places whose serial is not among those."""
    return {lane: [order for order, serial in each if serial not in away] for lane, each in places.items()}


async def _set_back(tx: Tx, room: Room, line: LineRow, gate: GateRow, now: datetime) -> GateRow:
    """Return the gate as one that was stepped by this clock: one that was ahead and was set right stops nothing.

    What was called, given and published by it stays; no pass outlives the others for having been given then.
    """
    if gate.stepped_at is None or gate.stepped_at <= now + SKEW:
        return gate
    await store_gate.set_back(tx, line.line_id, now, now + timedelta(seconds=room.rules.pass_seconds))
    return msgspec.structs.replace(gate, stepped_at=now)


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


def guarded_skus(room: Room, flash: Sequence[str]) -> Sequence[str] | None:
    """Return the SKUs that the line stands for; None means all."""
    return list(flash) if room.rules.goods is GuardedGoods.FLASH else None
