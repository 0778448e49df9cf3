"""How many are called now, of which lanes, and what the line is told: the controller's decisions, pure.

One loop: what the cap has free, the flow that is allowed (ramp, load, staff), and what can still be won. Shares of
those who come and of those who buy are measured; before, everybody is expected to come and to buy.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tidegate.gate.queue.contracts import GateAct, GateRecord, QueueState
from tidegate.gate.queue.draw import RANKS
from tidegate.gate.queue.rows import GateRow, LaneRow, LineRow

# How many cases the expectation before all measurement weighs.
PRIOR_CASES = 20
STEP_SECONDS_MAX = 5.0
SKEW = timedelta(seconds=STEP_SECONDS_MAX)
"""How far the clocks of two machines may be apart; what lies further ahead was written by a clock that was wrong."""
_SHARE_MIN = 0.05


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the acts of staff come to: the last word on each thing holds."""

    held: bool = False
    closed: bool = False
    per_minute: int | None = None
    note: str = ""


def settings_of(acts: Sequence[GateRecord]) -> GateSettings:
    """Return what the acts, oldest first, come to. Open takes back hold, slow and close; a note stands beside them."""
    settings = GateSettings()
    for act in acts:
        match act.act:
            case GateAct.HOLD:
                settings = msgspec.structs.replace(settings, held=True)
            case GateAct.SLOW:
                settings = msgspec.structs.replace(settings, held=False, per_minute=act.per_minute)
            case GateAct.CLOSE:
                settings = msgspec.structs.replace(settings, closed=True)
            case GateAct.NOTE:
                settings = msgspec.structs.replace(settings, note=act.note)
            case GateAct.OPEN:
                settings = GateSettings(note=settings.note)
    return settings


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """What one step knows. Counts are of shoppers, `sellable` and `held` of units; times are seconds."""

    cap: int
    inside: int
    ready: int  # came, and wait for room
    called_lately: int  # within the claim window
    came_lately: int
    come_share: float
    conversion: float
    sellable: int
    held: int
    waiting: int
    per_minute: float
    load_factor: float
    credit: float
    seconds: float


def state_at(
    now: datetime, line: LineRow, settings: GateSettings, *, opens_at: datetime, closes_at: datetime, stock: GateRow
) -> QueueState:
    """Return what the line does now; what can be won comes before what staff do, for nobody waits for nothing."""
    if now >= closes_at:
        return QueueState.ENDED
    if line.seed is None or now < opens_at:
        return QueueState.GATHERING if line.sealed_at is None else QueueState.SEALED
    if stock.sellable <= 0:
        return QueueState.PAUSED if stock.held > 0 else QueueState.NOTHING_LEFT
    return QueueState.HELD if settings.held else QueueState.OPEN


def smoothed(hits: int, cases: int) -> float:
    """Return a measured share, drawn towards 1 while there are few cases; never below 5 %."""
    return min(1.0, max(_SHARE_MIN, (hits + PRIOR_CASES) / (cases + PRIOR_CASES)))


def ramped(per_minute: int, open_seconds: float, ramp_seconds: int) -> float:
    """Return the allowed flow: it rises in a line from a tenth at the opening to all of it at the ramp's end."""
    if ramp_seconds <= 0 or open_seconds >= ramp_seconds:
        return float(per_minute)
    return per_minute * (0.1 + 0.9 * max(0.0, open_seconds) / ramp_seconds)


def busy_of(flow: Flow) -> float:
    """Return how many are inside, or wait for room, or were called and are expected to come."""
    return flow.inside + flow.ready + max(0.0, flow.come_share * flow.called_lately - flow.came_lately)


def allowance(flow: Flow) -> tuple[int, float]:
    """Return how many to call now, and the part of a call that is kept for the next step.

    No more than the cap can take if as many come as came so far, no more than what is left can serve if as many buy,
    and no more than the flow allows.
    """
    if flow.sellable <= 0:
        return 0, 0.0
    busy = busy_of(flow)
    room = min(flow.cap - busy, flow.sellable / flow.conversion - busy) / flow.come_share
    seconds = min(max(flow.seconds, 0.0), STEP_SECONDS_MAX)
    earned = flow.credit + flow.per_minute * min(1.0, max(0.0, flow.load_factor)) / 60 * seconds
    calls = max(0, min(math.floor(room + 1e-9), math.floor(earned + 1e-9), flow.waiting))
    # What could not be used now is not saved up: a long pause is not followed by a flood.
    return calls, min(earned - calls, 1.0)


class LaneCall(msgspec.Struct, frozen=True):
    """A lane after a step, and how many of it the step called."""

    lane: LaneRow
    calls: int


Ranks = Mapping[int, Sequence[int]]
"""The ranks of each lane's drawn places in ascending order, where the line is small enough to know them all."""
Numbers = Mapping[int, Sequence[int]]
"""The numbers of each lane's late places that are not called yet, in ascending order, where they are known."""


def share_out(
    calls: int, lanes: Sequence[LaneRow], ranks: Ranks, late_reach: int | None = None, numbers: Numbers | None = None
) -> list[LaneCall]:
    """Return the lanes after so many calls: smooth weighted round robin over those in which somebody waits.

    At every moment each lane has its share within one call, as long as it has somebody waiting. A lane without anybody
    leaves its calls to the others and saves nothing up. Where ranks and numbers are known, exactly as many are called,
    and places that are left out of them are passed over; otherwise the threshold rises by as much of the range as
    holds so many on average. The slow lane is called no further than the others were before this step: its drawn up to
    their thresholds, its late up to `late_reach`.
    """
    numbers, bound = numbers or {}, slow_bound(lanes)
    waiting = [_callable(lane, ranks, numbers, bound, late_reach) for lane in lanes]
    credits_ = [lane.credit if count else 0 for lane, count in zip(lanes, waiting, strict=True)]
    given = [0] * len(lanes)
    for _ in range(min(calls, sum(waiting))):
        able = [place for place, lane_waiting in enumerate(waiting) if given[place] < lane_waiting]
        for place in able:
            credits_[place] += lanes[place].share
        chosen = max(able, key=lambda place: (credits_[place], -place))
        credits_[chosen] -= sum(lanes[place].share for place in able)
        given[chosen] += 1
    return [
        LaneCall(
            _called(lane, count, credit if left > count else 0, ranks, numbers, bound if lane.slow else RANKS), count
        )
        for lane, count, credit, left in zip(lanes, given, credits_, waiting, strict=True)
    ]


def slow_bound(lanes: Sequence[LaneRow]) -> int:
    """Return the threshold that the slow lane may not pass: the lowest of the lanes that still have drawn places."""
    return min((lane.threshold for lane in lanes if not lane.slow and lane.drawn), default=RANKS)


def _callable(lane: LaneRow, ranks: Ranks, numbers: Numbers, bound: int, late_reach: int | None) -> int:
    """Return how many of a lane may be called now."""
    if not lane.slow:
        return _drawn_left(lane, ranks) + _late_left(lane, numbers)
    if bound == RANKS:
        return _drawn_left(lane, ranks) + _late_left(lane, numbers, late_reach)
    known = ranks.get(lane.lane)
    if known is not None:
        return max(0, bisect_left(known, bound) - bisect_left(known, lane.threshold))
    return lane.drawn * max(0, bound - lane.threshold) // RANKS


def _drawn_left(lane: LaneRow, ranks: Ranks) -> int:
    known = ranks.get(lane.lane)
    return lane.drawn_waiting if known is None else len(known) - bisect_left(known, lane.threshold)


def _late_left(lane: LaneRow, numbers: Numbers, reach: int | None = None) -> int:
    """Return how many late places wait, of those with numbers up to `reach`."""
    most, known = lane.late if reach is None else min(reach, lane.late), numbers.get(lane.lane)
    if known is None:
        return max(0, most - lane.late_called)
    return max(0, bisect_right(known, most) - bisect_right(known, lane.late_called))


def _called(lane: LaneRow, calls: int, credit: int, ranks: Ranks, numbers: Numbers, bound: int) -> LaneRow:
    """Return a lane after so many calls: its threshold rises over the drawn up to the bound, then the late number."""
    left, known = _drawn_left(lane, ranks), ranks.get(lane.lane)
    threshold, late_called = lane.threshold, lane.late_called
    if calls and calls >= left and bound == RANKS:
        threshold, late_called = RANKS, _late_called(lane, calls - left, numbers)
    elif calls and known is not None:
        threshold = known[len(known) - left + calls - 1] + 1
    elif calls:
        threshold = min(threshold + calls * RANKS // lane.drawn, bound)
    return msgspec.structs.replace(lane, threshold=threshold, late_called=late_called, credit=credit)


def _late_called(lane: LaneRow, calls: int, numbers: Numbers) -> int:
    """Return the number up to which the late are called after so many calls of them."""
    known = numbers.get(lane.lane)
    if not calls or known is None:
        return lane.late_called + calls
    return known[bisect_right(known, lane.late_called) + calls - 1]


def passed_over(before: Sequence[LaneRow], after: Sequence[LaneCall], ranks: Ranks, numbers: Numbers) -> int:
    """Return how many places were passed over: those between the old and new calls, of which these are all."""
    reached = 0
    for old, new in zip(before, after, strict=True):
        drawn, late = ranks.get(old.lane, ()), numbers.get(old.lane, ())
        reached += bisect_left(drawn, new.lane.threshold) - bisect_left(drawn, old.threshold)
        reached += bisect_right(late, new.lane.late_called) - bisect_right(late, old.late_called)
    return reached - sum(each.calls for each in after) if reached else 0


def is_called(lane: LaneRow, *, rank: int | None, number: int) -> bool:
    """Return whether a place is called: a drawn one by its rank, a late one by its number."""
    return number <= lane.late_called if number else rank is not None and rank < lane.threshold
