"""The slow lane: never before those who stand before it, never more than its share, and back by an undo."""

from bisect import bisect_left
from datetime import timedelta
from uuid import uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.queue.rooms import Shopper, enter, facts, opened_room, shoppers, stand, tick, to_the_opening
from tests.gate.queue.test_line import holds
from tests.gate.queue.test_steering import NOW, SHARES, STEPS, lane, lanes_of
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.bots.contracts import PageSignals
from tidegate.gate.queue.checking import slow_faults
from tidegate.gate.queue.contracts import Entered, Place, PlaceKind, PlaceView, Standing, Waiting
from tidegate.gate.queue.draw import RANKS
from tidegate.gate.queue.rows import SLOW, CallRow, LaneRow
from tidegate.gate.queue.steering import share_out, slow_bound
from tidegate.trust.identity.contracts import StaffId

PLACES = st.lists(st.tuples(st.integers(0, 40), st.just(0)), min_size=2, max_size=5)


def with_slow(lanes: list[LaneRow]) -> list[LaneRow]:
    """Make the last lane the slow one, with a small share."""
    return [*lanes[:-1], msgspec.structs.replace(lanes[-1], audience=SLOW, share=5)]


@given(PLACES, SHARES, STEPS, st.booleans())
def test_no_slow_place_is_called_before_one_of_a_better_rank(
    places: list[tuple[int, int]], shares: list[int], steps: list[int], exact: bool
) -> None:
    made, ranks = lanes_of(places, (shares * len(places))[: len(places)])
    lanes, slow = with_slow(made), len(made) - 1
    for calls in steps:
        before = lanes
        lanes = [each.lane for each in share_out(calls, before, ranks if exact else {})]
        assert lanes[slow].threshold == RANKS or lanes[slow].threshold <= slow_bound(before)
        called = ranks[slow][: bisect_left(ranks[slow], lanes[slow].threshold)]
        for other in range(slow):
            waiting = ranks[other][bisect_left(ranks[other], lanes[other].threshold) :]
            assert not called or not waiting or called[-1] < waiting[0]


@given(st.integers(1, 20), st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_the_slow_lane_gets_no_more_than_its_share_while_others_wait(share: int, steps: list[int]) -> None:
    made, ranks = lanes_of([(3_000, 0), (1_000, 0)], [100, share])
    lanes = [made[0], msgspec.structs.replace(made[1], audience=SLOW)]
    given_to = [0, 0]
    for calls in steps:
        after = share_out(calls, lanes, ranks)
        lanes = [each.lane for each in after]
        given_to = [count + each.calls for count, each in zip(given_to, after, strict=True)]
        assert given_to[1] <= share * sum(given_to) / (100 + share) + 1


@given(st.lists(st.integers(0, 40), min_size=40, max_size=60), st.booleans())
def test_everybody_in_the_slow_lane_is_called_in_the_end(steps: list[int], exact: bool) -> None:
    made, ranks = lanes_of([(30, 5), (20, 3)], [100, 5])
    lanes = [made[0], msgspec.structs.replace(made[1], audience=SLOW)]
    for calls in [*steps, *[40] * 10]:
        lanes = [each.lane for each in share_out(calls, lanes, ranks if exact else {})]
    assert [each.waiting for each in lanes] == [0, 0]


def test_the_late_of_the_slow_lane_wait_for_those_who_came_before_them() -> None:
    lanes = [lane(0, 100, 0, 10), msgspec.structs.replace(lane(1, 5, 0, 4), audience=SLOW)]
    after = [each.lane for each in share_out(10, lanes, {}, late_reach=0)]
    assert [each.late_called for each in after] == [10, 0]
    assert [each.lane.late_called for each in share_out(10, after, {}, late_reach=3)] == [10, 3]


def call(number: int, threshold: int, late_called: int = 0) -> CallRow:
    return CallRow(lane=number, threshold=threshold, late_called=late_called, calls=1, called_at=NOW)


def test_a_slow_lane_that_ran_ahead_is_found() -> None:
    lanes = [lane(0, 100, 50, 5), msgspec.structs.replace(lane(1, 5, 5, 3), audience=SLOW)]
    behind = {1: (0, 2), 2: (0, 2)}
    good = [call(0, 1_000), call(1, 900), call(0, RANKS, 2), call(1, RANKS, 2)]
    assert slow_faults(good, lanes, behind) == []
    assert slow_faults([call(0, 1_000), call(1, 1_001)], lanes, behind) == ["call 2 runs ahead"]
    assert slow_faults([call(0, RANKS, 1), call(1, RANKS, 1)], lanes, behind) == ["call 2 runs ahead"]


async def clear(app: App, shopper: Shopper) -> None:
    """Undo what a shopper was decided to be, and let every process hear of it."""
    trapped = PageSignals(website="x", shown_ms=9_000, fingerprint=str(uuid4()))
    session = app.identity.session(shopper.session.token)
    assert session is not None
    await app.bots.challenge(session, trapped, "")
    await app.refresh()
    async with app.db.transaction() as tx:
        found = [each for each in await app.bots.examples(tx) if each.account_id == shopper.session.account_id]
        end = app.clock.now() + timedelta(hours=1)
        await app.bots.undo(tx, StaffId(uuid4()), found[0].decision_id, "a person", end)
    await app.refresh()


async def entering(app: App, crowd: list[Shopper], places: list[Place], came: list[int]) -> list[int]:
    """Let everybody ask who did not come yet; return who entered."""
    answers = {
        number: await enter(app, each, places[number]) for number, each in enumerate(crowd) if number not in came
    }
    return [number for number, answer in answers.items() if isinstance(answer, Entered)]


async def test_a_suspect_place_waits_and_an_undo_puts_it_back_where_its_rank_was(app: App, clock: ManualClock) -> None:
    festival = await opened_room(app, clock, cap=100, per_minute=60)
    crowd = await shoppers(app, 12)
    places = [await stand(app, each, slow=number < 6) for number, each in enumerate(crowd)]
    assert [place.lane for place in places] == [SLOW] * 6 + ["everyone"] * 6
    assert (await stand(app, crowd[0])).token == places[0].token  # what was promised stays
    await to_the_opening(app, clock)
    ranks = {number: app.queue.view(facts(app, crowd[number], places[number])).rank or "" for number in range(12)}
    suspects = sorted(range(6), key=lambda number: ranks[number])
    wronged = suspects[0]
    await clear(app, crowd[wronged])
    await tick(app, clock)
    view = app.queue.view(facts(app, crowd[wronged], places[wronged]))
    assert (view.lane, view.lane_index, view.rank) == ("everyone", 0, ranks[wronged])
    came: dict[int, int] = {}
    for step in range(40):
        came |= dict.fromkeys(await entering(app, crowd, places, list(came)), step)
        await tick(app, clock)
    assert sorted(came) == list(range(12))
    for number in range(12):  # in each lane by rank, and nobody in the slow lane before a better rank of the other
        better = [other for other in (*range(6, 12), wronged) if ranks[other] < ranks[number]]
        assert all(came[other] <= came[number] for other in better)
    worse = [number for number in range(6, 12) if ranks[number] > ranks[wronged]]
    assert all(came[wronged] <= came[number] for number in worse)
    async with app.db.read() as tx:
        verified = await app.queue.verify(tx, festival.id)
        receipt = await app.queue.receipt(tx, facts(app, crowd[wronged], places[wronged]))
    assert [finding for finding in verified.findings if not finding.holds] == []
    assert (receipt.lane, receipt.restored_to) == (SLOW, "everyone")
    await holds(app)


async def test_a_late_suspect_stands_behind_who_came_before_it(app: App, clock: ManualClock) -> None:
    festival = await opened_room(app, clock, cap=100, per_minute=60)
    crowd = await shoppers(app, 6)
    await to_the_opening(app, clock)
    places = [await stand(app, each, slow=number in {0, 3}) for number, each in enumerate(crowd)]
    assert [(place.kind, place.lane, place.number) for place in places[:4]] == [
        (PlaceKind.LATE, SLOW, 1),
        (PlaceKind.LATE, "everyone", 1),
        (PlaceKind.LATE, "everyone", 2),
        (PlaceKind.LATE, SLOW, 2),
    ]
    await clear(app, crowd[3])
    order: list[int] = []
    for _ in range(30):
        await tick(app, clock)
        order += await entering(app, crowd, places, order)
    assert sorted(order) == list(range(6))
    assert order.index(3) <= order.index(4)  # back behind two, before the third
    async with app.db.read() as tx:
        assert (await app.queue.verify(tx, festival.id)).holds
    await holds(app)


async def test_a_file_without_a_slow_share_has_no_slow_lane(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, slow_share=0)
    [shopper] = await shoppers(app, 1)
    assert (await stand(app, shopper, slow=True)).lane == "everyone"


async def test_a_suspect_is_told_a_wait_and_a_chance_that_count_the_others_too(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=1, per_minute=60, quota=3)
    crowd = await shoppers(app, 40)
    places = [await stand(app, each, slow=not number) for number, each in enumerate(crowd)]
    await to_the_opening(app, clock)
    views = [app.queue.view(facts(app, each, place)) for each, place in zip(crowd, places, strict=True)]
    suspect = views[0]
    assert (suspect.lane, suspect.standing, suspect.ahead) == (SLOW, Standing.WAITING, 0)
    before = [each for each in views[1:] if (each.rank or "") < (suspect.rank or "")]  # none in one draw of forty
    assert all(_chance(suspect) <= _chance(each) for each in before)
    assert isinstance(await enter(app, crowd[0], places[0]), Waiting)


def _chance(view: PlaceView) -> int:
    assert view.chance_percent is not None
    return view.chance_percent
