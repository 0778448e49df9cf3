"""What staff watch: the brake that is named agrees with what is called, and spans add up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.gate.queue.rooms import buy, enter, opened_room, shoppers, stand, tick, to_the_opening
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import Brake, GateAct, GateWatch, Passage, QueueState, SteerGate
from tidegate.gate.queue.steering import Flow, allowance
from tidegate.gate.queue.watching import SPAN_SECONDS, SPANS, brake_of, whole

NOW = datetime(2026, 11, 11, 0, 0, 7, tzinfo=UTC)


def flow(**changes: float) -> Flow:
    usual = {
        "cap": 100,
        "inside": 0,
        "ready": 0,
        "called_lately": 0,
        "came_lately": 0,
        "come_share": 1.0,
        "conversion": 1.0,
        "sellable": 1000,
        "held": 0,
        "waiting": 500,
        "per_minute": 60.0,
        "load_factor": 1.0,
        "credit": 0.0,
        "seconds": 1.0,
    }
    return Flow(**(usual | changes))  # type: ignore[arg-type]  # each value has its field's type


def brake(made: Flow, *, asked: int = 60, in_file: int = 60, state: QueueState = QueueState.OPEN) -> Brake:
    return brake_of(state, made, asked=asked, in_file=in_file)


def test_each_brake_has_its_cause() -> None:
    assert brake(flow()) is Brake.NOTHING
    assert brake(flow(waiting=0)) is Brake.NOBODY_WAITS
    assert brake(flow(inside=100)) is Brake.CAP
    assert brake(flow(inside=40, called_lately=60)) is Brake.CAP
    assert brake(flow(inside=50, sellable=50)) is Brake.STOCK
    assert brake(flow(load_factor=0.4)) is Brake.LOAD
    assert brake(flow(per_minute=30.0), asked=30) is Brake.STAFF_SLOW
    assert brake(flow(per_minute=6.0)) is Brake.RAMP
    assert brake(flow(), state=QueueState.HELD) is Brake.STAFF_HOLD
    assert brake(flow(), state=QueueState.PAUSED) is Brake.STOCK_HELD


@given(
    inside=st.integers(0, 120),
    called=st.integers(0, 120),
    sellable=st.integers(1, 200),
    waiting=st.integers(0, 50),
    come=st.floats(0.05, 1.0),
    conversion=st.floats(0.05, 1.0),
)
def test_nobody_is_called_exactly_where_a_brake_that_stops_is_named(
    inside: int, called: int, sellable: int, waiting: int, come: float, conversion: float
) -> None:
    made = flow(
        inside=inside, called_lately=called, sellable=sellable, waiting=waiting, come_share=come, conversion=conversion
    )
    calls, _ = allowance(made)
    stops = brake(made) in {Brake.NOBODY_WAITS, Brake.CAP, Brake.STOCK}
    assert stops == (calls == 0)


MOVES = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


@given(moves=st.lists(MOVES, max_size=12))
def test_who_was_inside_is_counted_back_from_now(moves: list[tuple[int, int, int]]) -> None:
    newest = int(NOW.timestamp()) // SPAN_SECONDS * SPAN_SECONDS
    inside, moved, expected = 0, [], {}
    for place, (entered, buyers, others) in enumerate(moves):
        bought = min(buyers, inside + entered)
        gone = min(others, inside + entered - bought)
        inside += entered - bought - gone
        at = newest - SPAN_SECONDS * (len(moves) - 1 - place)
        expected[at] = inside
        moved.append(Passage(at=at, called=0, entered=entered, bought=bought, gone=gone))
    spans = whole(moved, inside=inside, now=NOW)
    assert len(spans) == SPANS
    assert {each.at: each.inside for each in spans if each.at in expected} == expected
    assert {later.at - earlier.at for earlier, later in pairwise(spans)} == {SPAN_SECONDS}


async def watched(app: App) -> GateWatch:
    async with app.db.read() as tx:
        return await app.queue.watch(tx)


async def test_the_lane_and_the_spans_hold_what_happened(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=10)
    crowd = await shoppers(app, 4)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    await tick(app, clock)
    for shopper, place in zip(crowd[:3], places, strict=False):
        await enter(app, shopper, place)
    await buy(app, crowd[0])
    await tick(app, clock, seconds=2)
    await app.queue.leave(
        app.queue.check_place(places[1].token, crowd[1].session.account_id, crowd[1].session.session_id)
    )
    await tick(app, clock, seconds=2)
    seen = await watched(app)
    lane = seen.lanes[0]
    assert (lane.called, lane.came, lane.inside, lane.bought, lane.gone, lane.missed) == (4, 3, 1, 1, 1, 0)
    assert seen.figures.inside == 1
    assert sum(each.called for each in seen.passages) == 4
    assert sum(each.entered for each in seen.passages) == 3
    assert (sum(each.bought for each in seen.passages), sum(each.gone for each in seen.passages)) == (1, 1)
    assert seen.passages[-1].inside == 1


async def test_a_process_looks_once_a_second_at_most(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    first = await watched(app)
    async with app.db.transaction() as tx:
        await app.queue.steer(tx, SteerGate(act=GateAct.CLOSE, reason="enough"), "lin")
    assert (await watched(app)) is first
    clock.advance(seconds=1)
    later = await watched(app)
    assert (first.loop.closed, later.loop.closed, later.at - first.at) == (False, True, timedelta(seconds=1))
