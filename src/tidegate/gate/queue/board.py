"""The line as one process knows it: read once a second, and made into the snapshot that everybody polls."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from tidegate.base.crypto import digest
from tidegate.base.db import Tx
from tidegate.gate.queue import store, store_gate, store_slow
from tidegate.gate.queue.contracts import (
    DrawView,
    LaneView,
    PlaceFacts,
    PlaceView,
    QueueState,
    Sign,
    Snapshot,
    SnapshotBody,
    Standing,
    StockNews,
    Wait,
)
from tidegate.gate.queue.draw import RANKS, rank, rank_text
from tidegate.gate.queue.forecast import ahead_of, chance_of_goods, wait_for
from tidegate.gate.queue.rows import GateRow, Home, LaneRow, LineRow, Spot
from tidegate.gate.queue.spots import own_spot, spots_of
from tidegate.gate.queue.steering import SKEW, GateSettings, is_called, smoothed
from tidegate.offer.campaign.contracts import CampaignVersion, PhaseName, WaitingRoom, Words

RATE_SECONDS = 60.0
_encode = msgspec.json.Encoder().encode


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign's waiting room, and when the sale that it leads to is open."""

    campaign_id: str
    rules: WaitingRoom
    opens_at: datetime
    closes_at: datetime


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the line."""

    room: Room
    line: LineRow
    lanes: tuple[LaneRow, ...]
    gate: GateRow
    settings: GateSettings
    calls: dict[int, int]
    shut_out: frozenset[UUID]
    homes: dict[int, Home]
    body: SnapshotBody


def room_of(version: CampaignVersion | None) -> Room | None:
    """Return the waiting room of a campaign, or None where it has none."""
    if version is None or version.definition.waiting_room is None:
        return None
    definition = version.definition
    return Room(
        campaign_id=version.campaign_id,
        rules=version.definition.waiting_room,
        opens_at=definition.phase(PhaseName.BURST).starts_at,
        closes_at=definition.phase(PhaseName.WIND_DOWN).ends_at,
    )


async def read_board(tx: Tx, room: Room, now: datetime) -> Board | None:
    """Read the line of a waiting room; None while it is not open yet."""
    line = await store.line(tx, room.campaign_id)
    if line is None:
        return None
    lanes = tuple(await store.lanes(tx, line.line_id))
    gate = await store_gate.gate(tx, line.line_id)
    settings = await store_gate.settings(tx, line.line_id)
    calls = await store.calls_since(tx, line.line_id, now - timedelta(seconds=RATE_SECONDS), now + SKEW)
    shut_out = await store_gate.shut_out(tx, line.line_id, now - timedelta(seconds=room.rules.pass_seconds))
    homes = await store_slow.homes(tx, line.line_id)
    snapshot = _snapshot(room, line, lanes, gate, settings, calls, now)
    body = _encode(snapshot)
    return Board(
        room=room,
        line=line,
        lanes=lanes,
        gate=gate,
        settings=settings,
        calls=calls,
        shut_out=shut_out,
        homes=homes,
        body=SnapshotBody(snapshot, body, f'"{digest(body)[:27]}"'),
    )


def _snapshot(
    room: Room,
    line: LineRow,
    lanes: tuple[LaneRow, ...],
    gate: GateRow,
    settings: GateSettings,
    calls: dict[int, int],
    now: datetime,
) -> Snapshot:
    return Snapshot(
        campaign_id=room.campaign_id,
        state=QueueState(gate.state),
        at=now,
        pre_queue_opens_at=room.rules.opens_at,
        seals_at=room.rules.seals_at,
        opens_at=room.opens_at,
        closes_at=room.closes_at,
        waiting=sum(lane.waiting for lane in lanes),
        present=gate.present,
        inside=gate.inside,
        cap=room.rules.cap,
        per_minute=settings.per_minute or room.rules.per_minute,
        conversion_percent=round(100 * smoothed(gate.bought, gate.ended)),
        stock=StockNews(sellable=gate.sellable, held=gate.held),
        lanes=tuple(
            LaneView(
                name=lane.name,
                label=Words(lane.label_zh, lane.label_en),
                share=lane.share,
                drawn=lane.drawn,
                late=lane.late,
                threshold=rank_text(lane.threshold),
                late_called=lane.late_called,
                waiting=lane.waiting,
                called_per_minute=calls.get(lane.lane, 0) * 60 / RATE_SECONDS,
            )
            for lane in lanes
        ),
        draw=DrawView(
            seed_hash=line.seed_hash.hex(),
            root=line.root.hex() if line.root else None,
            count=line.sealed_count,
            seed=line.seed.hex() if line.seed else None,
            number=line.number,
        ),
        note=settings.note,
    )


def rank_of(line: LineRow, facts: PlaceFacts) -> int | None:
    """Return the rank of a drawn place once the seed is revealed; None before, and for a late place."""
    key = line.key
    if facts.number or key is None or line.root is None:
        return None
    return rank(key, line.root, facts.serial)


def own_spot_of(board: Board, facts: PlaceFacts) -> Spot:
    """Return where the token says that a place stands."""
    return own_spot(facts.lane, rank_of(board.line, facts), facts.number)


def spot_of(board: Board, facts: PlaceFacts) -> Spot:
    """Return where a place is called: at home after an undo, else where its token says."""
    return spots_of(own_spot_of(board, facts), board.homes.get(facts.serial))[0]


def called(board: Board, facts: PlaceFacts) -> bool:
    """Return whether a place was called, as far as the board knows."""
    return any(
        is_called(board.lanes[spot.lane], rank=spot.rank, number=spot.number)
        for spot in spots_of(own_spot_of(board, facts), board.homes.get(facts.serial))
    )


def sign_of(board: Board, facts: PlaceFacts, now: datetime) -> Sign:
    """Return what a sign of life is answered."""
    spot = spot_of(board, facts)
    ahead = ahead_of(board.lanes[spot.lane], rank=spot.rank, number=spot.number)
    return Sign(
        state=board.body.snapshot.state,
        standing=_standing(board, facts),
        lane_index=spot.lane,
        wait=_wait(board, spot, ahead, now),
        chance_percent=_chance(board, spot, ahead),
    )


def view_of(board: Board, facts: PlaceFacts, now: datetime) -> PlaceView:
    """Return where a place stands."""
    spot, snapshot = spot_of(board, facts), board.body.snapshot
    lane = board.lanes[spot.lane]
    ahead = ahead_of(lane, rank=spot.rank, number=spot.number)
    return PlaceView(
        campaign_id=facts.campaign_id,
        state=snapshot.state,
        standing=_standing(board, facts),
        lane=lane.name,
        lane_index=spot.lane,
        number=spot.number,
        kind=facts.kind,
        serial=facts.serial,
        rank=rank_text(spot.rank) if spot.rank is not None else None,
        ahead=ahead,
        wait=_wait(board, spot, ahead, now),
        chance_percent=_chance(board, spot, ahead),
        opens_at=board.room.opens_at,
        note=board.settings.note,
    )


def _standing(board: Board, facts: PlaceFacts) -> Standing:
    state = board.body.snapshot.state
    if state is QueueState.ENDED:
        return Standing.ENDED
    if state is QueueState.NOTHING_LEFT:
        return Standing.NOTHING_LEFT
    if called(board, facts):
        return Standing.CALLED
    return Standing.GATHERING if board.line.seed is None and not facts.number else Standing.WAITING


def _wait(board: Board, spot: Spot, ahead: int | None, now: datetime) -> Wait | None:
    """Return the forecast from the lane's calls of the last minute; before any, from what the file allows.

    The slow lane also waits for those of the other lanes that stand before the place: the later of both counts.
    """
    if ahead is None:
        return None
    until_open = max((board.room.opens_at - now).total_seconds(), 0.0)
    lane = board.lanes[spot.lane]
    others = [each for each in board.lanes if not each.slow] if lane.slow else []
    own = _wait_in(board, [lane], ahead, until_open)
    return max([own, _wait_in(board, others, _others_ahead(board, spot), until_open)], key=_late) if others else own


def _wait_in(board: Board, lanes: Sequence[LaneRow], ahead: int, until_open: float) -> Wait:
    calls = sum(board.calls.get(lane.lane, 0) for lane in lanes)
    if not calls and until_open:
        calls = max(1, board.body.snapshot.per_minute * sum(lane.share for lane in lanes) // 100)
    return wait_for(ahead, calls=calls, seconds=RATE_SECONDS, until_open=until_open)


def _late(wait: Wait) -> float:
    return math.inf if wait.late_seconds is None else wait.late_seconds


def _others_ahead(board: Board, spot: Spot) -> int:
    """Return about how many of the other lanes stand before a place of the slow lane; 0 for a place of any other."""
    if not board.lanes[spot.lane].slow:
        return 0
    rank = RANKS if spot.rank is None else spot.rank
    return sum(ahead_of(lane, rank=rank, number=0) or 0 for lane in board.lanes if not lane.slow)


def _chance(board: Board, spot: Spot, ahead: int | None) -> int | None:
    """Return the chance that something is left: others are called meanwhile, in the proportion of their shares."""
    if ahead is None:
        return None
    gate, lane = board.gate, board.lanes[spot.lane]
    others = sum(each.waiting for each in board.lanes if each.lane != lane.lane)
    before = max(ahead * 100 // lane.share, ahead + _others_ahead(board, spot))
    return chance_of_goods(
        min(before, ahead + others),
        inside=gate.inside,
        sellable=gate.sellable,
        held=gate.held,
        conversion=smoothed(gate.bought, gate.ended),
    )
