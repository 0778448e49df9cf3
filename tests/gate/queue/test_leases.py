"""Signs of life steer the calls: who is away is passed over, nobody waits for him, and he may return."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.queue.rooms import ROOM, beat, enter, facts, opened_room, shoppers, stand, tick, to_the_opening
from tests.gate.queue.test_steering import lane
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import Entered, Standing, Waiting
from tidegate.gate.queue.draw import RANKS
from tidegate.gate.queue.errors import PlaceSpent
from tidegate.gate.queue.presence import away_of
from tidegate.gate.queue.steering import is_called, passed_over, share_out


def _bitmap(places: set[int]) -> bytes:
    width = max(places, default=-1) // 8 + 1
    bits = bytearray(width)
    for place in places:
        bits[place // 8] |= 0x80 >> place % 8
    return bytes(bits)


PLACES = st.sets(st.integers(0, 200))


@given(PLACES, PLACES, PLACES)
def test_away_is_who_was_seen_and_gives_no_sign(seen: set[int], now: set[int], before: set[int]) -> None:
    assert away_of(_bitmap(seen), [_bitmap(now), _bitmap(before)]) == seen - now - before


@given(st.sets(st.integers(0, RANKS - 1), max_size=60), st.integers(0, 40), st.integers(0, 80), st.randoms())
def test_who_is_away_is_passed_over_and_costs_no_call(ranks: set[int], late: int, calls: int, random: object) -> None:
    """Exactly as many of those who are there are called as there are calls, in the order of the published rule."""
    ordered = sorted(ranks)
    here = [each for each in ordered if random.random() < 0.6]  # type: ignore[attr-defined]
    numbers = [each for each in range(1, late + 1) if random.random() < 0.6]  # type: ignore[attr-defined]
    before = [lane(drawn=len(ordered), late=late)]
    [after] = share_out(calls, before, {0: here}, None, {0: numbers})
    called = [each for each in here if is_called(after.lane, rank=each, number=0)]
    called_late = [each for each in numbers if is_called(after.lane, rank=None, number=each)]
    assert len(called) + len(called_late) == after.calls == min(calls, len(here) + len(numbers))
    assert called == here[: len(called)]
    assert called_late == numbers[: len(called_late)]
    assert not called_late or len(called) == len(here)
    reached = sum(is_called(after.lane, rank=each, number=0) for each in ordered)
    reached += sum(is_called(after.lane, rank=None, number=each) for each in range(1, late + 1))
    passed = passed_over(before, [after], {0: ordered}, {0: list(range(1, late + 1))})
    assert passed == reached - after.calls


async def test_nobody_waits_for_who_is_away_and_he_may_return_once(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=4, claim_seconds=600)
    crowd = await shoppers(app, 12)
    places = [await stand(app, each) for each in crowd]
    for shopper, place in zip(crowd, places, strict=True):
        await beat(app, shopper, place)
    await tick(app, clock, seconds=(ROOM.seals_at - clock.now()).total_seconds())
    clock.advance(seconds=50)
    here = crowd[:4]
    for shopper, place in zip(here, places, strict=False):
        await beat(app, shopper, place)
    await tick(app, clock, seconds=10)
    for _ in range(3):
        await tick(app, clock)
    # A long claim window would hold four rooms for whoever ranks first; yet all four who are here are called.
    assert [type(await enter(app, each, place)) for each, place in zip(here, places, strict=False)] == [Entered] * 4
    async with app.db.read() as tx:
        figures = await app.queue.figures(tx)
    assert (figures.called, figures.skipped) == (4 + figures.skipped, figures.called - 4)
    shopper, place = crowd[11], places[11]
    if app.queue.view(facts(app, shopper, place)).standing is not Standing.CALLED:
        await beat(app, shopper, place)
        await app.queue.leave(facts(app, crowd[0], places[0]))
        await tick(app, clock)
    assert app.queue.view(facts(app, shopper, place)).standing is Standing.CALLED
    await app.queue.leave(facts(app, crowd[1], places[1]))
    clock.advance(seconds=700)
    await app.queue.renew()
    assert isinstance(await enter(app, shopper, place), Entered | Waiting)  # after its window, by grace
    await tick(app, clock, seconds=700)
    await tick(app, clock)
    with pytest.raises(PlaceSpent):
        await enter(app, shopper, place)


async def test_where_all_who_wait_are_away_they_are_called_all_the_same(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 3)
    places = [await stand(app, each) for each in crowd]
    for shopper, place in zip(crowd, places, strict=True):
        await beat(app, shopper, place)
    await to_the_opening(app, clock)
    await tick(app, clock)
    assert [type(await enter(app, each, place)) for each, place in zip(crowd, places, strict=True)] == [Entered] * 3


async def test_where_nobody_ever_gave_a_sign_all_are_called(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 3)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    await tick(app, clock)
    assert [type(await enter(app, each, place)) for each, place in zip(crowd, places, strict=True)] == [Entered] * 3


async def test_losing_all_signs_makes_nobody_away(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 3)
    places = [await stand(app, each) for each in crowd]
    for shopper, place in zip(crowd, places, strict=True):
        await beat(app, shopper, place)
    await to_the_opening(app, clock)
    await app.cache.client.flushdb()
    await tick(app, clock)
    assert [type(await enter(app, each, place)) for each, place in zip(crowd, places, strict=True)] == [Entered] * 3
