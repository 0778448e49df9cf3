"""The controller's decisions: calls follow the ranks without exception, shares are kept, and nothing is exceeded."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tidegate.gate.queue.contracts import GateAct, GateRecord
from tidegate.gate.queue.draw import RANKS, rank
from tidegate.gate.queue.rows import LaneRow
from tidegate.gate.queue.steering import (
    PRIOR_CASES,
    Flow,
    GateSettings,
    allowance,
    is_called,
    ramped,
    settings_of,
    share_out,
    smoothed,
)

SEED, ROOT = bytes(range(32)), sha256(b"a list").digest()
NOW = datetime(2026, 11, 11, tzinfo=UTC)


def lane(number: int = 0, share: int = 100, drawn: int = 0, late: int = 0) -> LaneRow:
    return LaneRow(
        lane=number,
        name=f"lane-{number}",
        label_zh="",
        label_en="",
        share=share,
        audience="everyone",
        drawn=drawn,
        late=late,
        threshold=0,
        late_called=0,
        credit=0,
    )


def lanes_of(places: Sequence[tuple[int, int]], shares: Sequence[int]) -> tuple[list[LaneRow], dict[int, list[int]]]:
    """Return lanes with so many drawn and late places each, and the ranks of the drawn: serials run lane by lane."""
    made, ranks, serial = [], {}, 0
    for number, ((drawn, late), share) in enumerate(zip(places, shares, strict=True)):
        made.append(lane(number, share, drawn, late))
        ranks[number] = sorted(rank(SEED, ROOT, each) for each in range(serial, serial + drawn))
        serial += drawn
    return made, ranks


SHARES = st.lists(st.integers(1, 100), min_size=1, max_size=5)
STEPS = st.lists(st.integers(0, 40), min_size=1, max_size=60)


@given(SHARES, STEPS, st.booleans(), st.data())
def test_calls_follow_the_published_order_without_exception(
    shares: list[int], steps: list[int], exact: bool, data: st.DataObject
) -> None:
    """Whoever is called stays called; in a lane nobody with a higher rank or number is called before a lower one."""
    places = [(data.draw(st.integers(0, 80)), data.draw(st.integers(0, 30))) for _ in shares]
    lanes, ranks = lanes_of(places, shares)
    known = ranks if exact else {}
    order: list[list[tuple[int, int]]] = [[] for _ in lanes]  # (late?, rank or number) in the order of calls
    seen: set[tuple[int, int, int]] = set()
    for calls in steps:
        lanes = [each.lane for each in share_out(calls, lanes, known)]
        for row in lanes:
            fresh = [(0, value) for value in ranks[row.lane] if is_called(row, rank=value, number=0)]
            fresh += [(1, value) for value in range(1, row.late + 1) if is_called(row, rank=None, number=value)]
            order[row.lane] += sorted(each for each in fresh if (row.lane, *each) not in seen)
            assert len(fresh) == len(order[row.lane]), "nobody is taken back"
            seen |= {(row.lane, *each) for each in fresh}
    for called in order:
        assert all(before < after for before, after in pairwise(called))


@given(SHARES, STEPS, st.data())
def test_where_ranks_are_known_exactly_as_many_are_called_as_were_asked_for(
    shares: list[int], steps: list[int], data: st.DataObject
) -> None:
    places = [(data.draw(st.integers(0, 80)), data.draw(st.integers(0, 30))) for _ in shares]
    lanes, ranks = lanes_of(places, shares)
    left = sum(map(sum, places))
    for calls in steps:
        before = [_called(row, ranks) for row in lanes]
        done = share_out(calls, lanes, ranks)
        lanes = [each.lane for each in done]
        assert [_called(row, ranks) - was for row, was in zip(lanes, before, strict=True)] == [e.calls for e in done]
        assert sum(each.calls for each in done) == min(calls, left)
        left -= min(calls, left)


def _called(row: LaneRow, ranks: dict[int, list[int]]) -> int:
    return sum(value < row.threshold for value in ranks[row.lane]) + row.late_called


@given(SHARES, STEPS)
def test_each_lane_keeps_its_share_within_one_call_while_all_have_somebody_waiting(
    shares: list[int], steps: list[int]
) -> None:
    """Smooth weighted round robin keeps each lane within one call of its share for each other lane."""
    lanes = [lane(number, share, late=1_000_000) for number, share in enumerate(shares)]
    total = 0
    for calls in steps:
        lanes = [each.lane for each in share_out(calls, lanes, {})]
        total += calls
        for row in lanes:
            assert abs(row.late_called - total * row.share / sum(shares)) <= max(1, len(shares) - 1)


@given(SHARES, st.integers(0, 200))
def test_a_lane_without_anybody_leaves_its_calls_to_the_others(shares: list[int], calls: int) -> None:
    lanes = [*[lane(number, share, late=500) for number, share in enumerate(shares)], lane(len(shares), 100)]
    done = share_out(calls, lanes, {})
    assert sum(each.calls for each in done) == calls
    assert (done[-1].calls, done[-1].lane.credit) == (0, 0)


def test_a_long_line_is_called_by_its_average_and_to_the_last() -> None:
    """100,000 ranks called in steps of 1,000 without knowing them: each step within six standard deviations."""
    ranks = sorted(rank(SEED, ROOT, serial) for serial in range(100_000))
    row, steps = lane(drawn=100_000), 0
    while row.threshold < RANKS:
        was = sum(value < row.threshold for value in ranks) if steps % 20 == 0 and steps < 100 else None
        row = share_out(1_000, [row], {})[0].lane
        if was is not None:
            assert abs(sum(value < row.threshold for value in ranks) - was - 1_000) < 6 * 1_000**0.5
        steps += 1
    assert steps in {100, 101}


FLOW = Flow(
    cap=100, inside=0, ready=0, called_lately=0, came_lately=0, come_share=1.0, conversion=1.0, sellable=1_000, held=0,
    waiting=1_000, per_minute=6_000.0, load_factor=1.0, credit=0.0, seconds=1.0,
)  # fmt: skip

FLOWS = st.builds(
    Flow,
    cap=st.integers(1, 500),
    inside=st.integers(0, 500),
    ready=st.integers(0, 100),
    called_lately=st.integers(0, 500),
    came_lately=st.integers(0, 500),
    come_share=st.floats(0.05, 1),
    conversion=st.floats(0.05, 1),
    sellable=st.integers(0, 1_000),
    held=st.integers(0, 100),
    waiting=st.integers(0, 1_000),
    per_minute=st.floats(1, 60_000),
    load_factor=st.floats(0, 1),
    credit=st.floats(0, 1),
    seconds=st.floats(-10, 100),
)


@given(FLOWS)
def test_no_more_are_called_than_cap_stock_flow_and_line_allow(flow: Flow) -> None:
    calls, credit = allowance(flow)
    busy = flow.inside + flow.ready
    assert 0 <= calls <= flow.waiting
    assert calls * flow.come_share <= max(0.0, flow.cap - busy) + 1e-6
    assert calls * flow.come_share * flow.conversion <= max(0.0, flow.sellable) + 1e-6
    assert calls <= flow.credit + flow.per_minute * flow.load_factor / 60 * 5 + 1e-6
    assert credit <= 1


def test_what_one_figure_alone_does() -> None:
    assert allowance(FLOW)[0] == 100
    changed = (
        ({"inside": 70}, 30),
        ({"sellable": 5}, 5),
        ({"sellable": 0, "held": 9}, 0),
        ({"sellable": 5, "conversion": 0.1}, 50),
        ({"come_share": 0.5, "waiting": 500, "per_minute": 60_000.0}, 200),
        ({"load_factor": 0.25}, 25),
        ({"per_minute": 600.0}, 10),
        ({"per_minute": 600.0, "seconds": 3_600.0}, 50),  # a worker that was away does not open the flood gate
        ({"per_minute": 600.0, "seconds": -3_600.0}, 0),  # nor does a clock that goes back
        ({"waiting": 3}, 3),
    )
    for figures, calls in changed:
        assert allowance(msgspec.structs.replace(FLOW, **figures))[0] == calls, figures


@given(st.floats(0.02, 0.9))
def test_a_slow_flow_adds_up(per_second: float) -> None:
    """Parts of a call are kept: after 1,000 steps the flow is what was allowed."""
    credit = total = 0.0
    for _ in range(1_000):
        calls, credit = allowance(msgspec.structs.replace(FLOW, per_minute=per_second * 60, credit=credit))
        total += calls
    assert abs(total - 1_000 * per_second) <= 2


def test_gradual_release_rises_to_the_whole_flow() -> None:
    assert [ramped(600, seconds, 100) for seconds in (0, 50, 100, 1_000)] == [60, 330, 600, 600]
    assert ramped(600, 0, 0) == 600


def test_a_measured_share_begins_at_one() -> None:
    assert smoothed(0, 0) == 1
    assert smoothed(0, 20) == PRIOR_CASES / (20 + PRIOR_CASES)
    assert smoothed(0, 10**9) == 0.05


def _act(act: GateAct, per_minute: int | None = None, note: str = "") -> GateRecord:
    return GateRecord(number=1, act=act, per_minute=per_minute, note=note, reason="a test", by="lin.wei", at=NOW)


def test_the_last_word_of_staff_holds() -> None:
    acts = [_act(GateAct.NOTE, note="Soon"), _act(GateAct.HOLD), _act(GateAct.CLOSE), _act(GateAct.SLOW, 60)]
    assert settings_of(acts) == GateSettings(held=False, closed=True, per_minute=60, note="Soon")
    assert settings_of([*acts, _act(GateAct.OPEN)]) == GateSettings(note="Soon")
