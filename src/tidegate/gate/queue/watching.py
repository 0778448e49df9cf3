"""What staff watch of the gate: why it calls as many as it does, each lane, and what moved in the last half hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from tidegate.base.db import Tx
from tidegate.gate.queue import store, store_gate, store_watch
from tidegate.gate.queue.board import RATE_SECONDS, Board
from tidegate.gate.queue.contracts import (
    Brake,
    GateFigures,
    GateLoop,
    GateWatch,
    LaneFigures,
    Passage,
    QueueState,
)
from tidegate.gate.queue.figures import figures_of
from tidegate.gate.queue.rows import LaneRow, LaneTotals
from tidegate.gate.queue.steering import SKEW, Flow, busy_of, ramped
from tidegate.offer.campaign.contracts import Words

SPAN_SECONDS = 10
SPANS = 180
KEPT_FOR = timedelta(seconds=1)
"""How long a process gives one answer to all who watch: the totals of the lanes cost it a look at every entry."""

_STANDING_STILL = {
    QueueState.GATHERING: Brake.NOT_OPEN,
    QueueState.SEALED: Brake.NOT_OPEN,
    QueueState.ENDED: Brake.ENDED,
    QueueState.NOTHING_LEFT: Brake.NOTHING_LEFT,
    QueueState.PAUSED: Brake.STOCK_HELD,
    QueueState.HELD: Brake.STAFF_HOLD,
}


async def watch_of(tx: Tx, board: Board, now: datetime) -> GateWatch:
    """Return all that staff watch of a line at `now`."""
    figures = await figures_of(tx, board, now)
    since = now - timedelta(seconds=SPAN_SECONDS * SPANS)
    moved = await store_watch.passages(tx, board.line.line_id, since, SPAN_SECONDS)
    totals = await store_watch.lane_totals(tx, board.line.line_id)
    called = await store_watch.calls_in_all(tx, board.line.line_id)
    return GateWatch(
        campaign_id=board.room.campaign_id,
        at=now,
        figures=figures,
        loop=loop_of(board, await _flow(tx, board, figures, now), figures.state),
        lanes=tuple(
            _lane(lane, totals.get(lane.lane), called.get(lane.lane, 0), board.calls.get(lane.lane, 0))
            for lane in board.lanes
        ),
        span_seconds=SPAN_SECONDS,
        passages=whole(moved, inside=figures.inside, now=now),
    )


async def _flow(tx: Tx, board: Board, figures: GateFigures, now: datetime) -> Flow:
    """Return what the controller's next step will know, as far as it decides how many may be called."""
    line_id, rules = board.line.line_id, board.room.rules
    since = now - timedelta(seconds=rules.claim_seconds)
    asked = board.settings.per_minute or rules.per_minute
    return Flow(
        cap=rules.cap,
        inside=figures.inside,
        ready=await store_gate.ready(tx, line_id),
        called_lately=sum((await store.calls_since(tx, line_id, since, now + SKEW)).values()),
        came_lately=await store_gate.came_since(tx, line_id, since, now + SKEW),
        come_share=figures.come_percent / 100,
        conversion=figures.conversion_percent / 100,
        sellable=board.gate.sellable,
        held=board.gate.held,
        waiting=figures.waiting,
        per_minute=ramped(asked, (now - board.room.opens_at).total_seconds(), rules.ramp_seconds),
        load_factor=figures.load_factor,
        credit=0.0,
        seconds=1.0,
    )


def loop_of(board: Board, flow: Flow, state: QueueState) -> GateLoop:
    """Return what the control loop does with this flow, and why."""
    settings, in_file = board.settings, board.room.rules.per_minute
    allowed = flow.per_minute * min(1.0, max(0.0, flow.load_factor)) if state is QueueState.OPEN else 0.0
    return GateLoop(
        brake=brake_of(state, flow, asked=settings.per_minute or in_file, in_file=in_file),
        file_per_minute=in_file,
        asked_per_minute=settings.per_minute or in_file,
        allowed_per_minute=round(allowed),
        expected=round(busy_of(flow)),
        sellable=flow.sellable,
        held=flow.held,
        staff_hold=settings.held,
        closed=settings.closed,
        note=settings.note,
    )


def brake_of(state: QueueState, flow: Flow, *, asked: int, in_file: int) -> Brake:
    """Return what keeps the gate from calling more: no room comes before a slow flow, for it stops all calls."""
    if state in _STANDING_STILL:
        return _STANDING_STILL[state]
    if flow.waiting <= 0:
        return Brake.NOBODY_WAITS
    buyers = flow.sellable / flow.conversion
    if (min(flow.cap, buyers) - busy_of(flow)) / flow.come_share < 1:
        return Brake.CAP if flow.cap <= buyers else Brake.STOCK
    if flow.load_factor < 1:
        return Brake.LOAD
    if asked < in_file:
        return Brake.STAFF_SLOW
    return Brake.RAMP if flow.per_minute < asked else Brake.NOTHING


def whole(moved: Sequence[Passage], *, inside: int, now: datetime) -> tuple[Passage, ...]:
    """Return every span of the last half hour; who was inside is counted back from who is inside now."""
    known = {each.at: each for each in moved}
    newest = int(now.timestamp()) // SPAN_SECONDS * SPAN_SECONDS
    spans: list[Passage] = []
    for at in range(newest, newest - SPAN_SECONDS * SPANS, -SPAN_SECONDS):
        each = known.get(at) or Passage(at=at, called=0, entered=0, bought=0, gone=0)
        spans.append(msgspec.structs.replace(each, inside=max(0, inside)))
        inside -= each.entered - each.bought - each.gone
    return tuple(reversed(spans))


def _lane(lane: LaneRow, totals: LaneTotals | None, called: int, lately: int) -> LaneFigures:
    came = totals.came if totals else 0
    return LaneFigures(
        name=lane.name,
        label=Words(lane.label_zh, lane.label_en),
        share=lane.share,
        waiting=lane.waiting,
        called=called,
        called_per_minute=round(lately * 60 / RATE_SECONDS),
        came=came,
        missed=max(0, called - lately - came),
        inside=totals.inside if totals else 0,
        bought=totals.bought if totals else 0,
        gone=totals.gone if totals else 0,
    )
