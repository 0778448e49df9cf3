"""What a campaign manager watches of the line."""

from datetime import datetime, timedelta

from tidegate.base.db import Tx
from tidegate.gate.queue import store_gate
from tidegate.gate.queue.board import RATE_SECONDS, Board
from tidegate.gate.queue.contracts import GateFigures
from tidegate.gate.queue.steering import smoothed


async def figures_of(tx: Tx, board: Board, now: datetime) -> GateFigures:
    """Return the figures of a line at `now`; those who were called and did not come in time count as skipped."""
    gate, lanes, line_id = board.gate, board.lanes, board.line.line_id
    entered, ended = await store_gate.moved_since(tx, line_id, now - timedelta(seconds=RATE_SECONDS))
    lately = sum(board.calls.values())
    return GateFigures(
        state=board.body.snapshot.state,
        places=board.line.next_serial,
        waiting=sum(lane.waiting for lane in lanes),
        present=gate.present,
        inside=gate.inside,
        cap=board.room.rules.cap,
        called=gate.called + gate.passed,
        came=gate.came,
        entered=gate.entered,
        returned=gate.returned,
        skipped=max(0, gate.called - lately - gate.came) + gate.passed,
        bought=gate.bought,
        left=gate.left_line,
        called_per_minute=lately,
        entered_per_minute=entered,
        ended_per_minute=ended,
        load_factor=gate.load_factor,
        come_percent=round(100 * smoothed(gate.came, gate.called)),
        conversion_percent=round(100 * smoothed(gate.bought, gate.ended)),
    )
