"""The machine's clock jumps by an hour while people stand in line: no place is lost and nobody goes in twice."""

import msgspec
import pytest

from tests.gate.queue.rooms import (
    ROOM,
    Shopper,
    beat,
    buy,
    enter,
    facts,
    opened_room,
    shoppers,
    stand,
    tick,
    to_the_opening,
)
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import Entered, Place, PlaceKind, QueueState, Standing, Waiting
from tidegate.gate.queue.errors import PlaceSpent

HOUR = 3_600.0
CAP = 4
PURCHASES = 2
MINUTES_MAX = 5


class Crowd(msgspec.Struct, frozen=True):
    """Who stood where when the clock jumped. Of four inside one has an order that waits for its payment."""

    buyer: int
    inside: tuple[int, ...]
    ready: tuple[int, ...]
    called: tuple[int, ...]
    waiting: tuple[int, ...]


async def crowd_of(app: App, clock: ManualClock, people: list[Shopper], places: list[Place]) -> Crowd:
    """Let four in after their window, when others were called in their stead; one of those comes and finds no room."""
    await to_the_opening(app, clock)
    first = _called(app, people, places)
    await tick(app, clock, seconds=ROOM.claim_seconds + 1)
    called = _called(app, people, places)
    second = [each for each in called if each not in first]
    assert (len(first), len(second)) == (CAP, CAP)
    assert [type(await enter(app, people[each], places[each])) for each in first] == [Entered] * CAP
    assert isinstance(await enter(app, people[second[0]], places[second[0]]), Waiting)
    await buy(app, people[first[0]])
    await tick(app, clock)
    waiting = tuple(each for each in range(len(people)) if each not in called)
    return Crowd(first[0], tuple(first[1:]), (second[0],), tuple(second[1:]), waiting)


def _called(app: App, people: list[Shopper], places: list[Place]) -> list[int]:
    views = [app.queue.view(facts(app, *each)) for each in zip(people, places, strict=True)]
    return [number for number, view in enumerate(views) if view.standing is Standing.CALLED]


async def all_go_in(app: App, clock: ManualClock, standing: dict[int, tuple[Shopper, Place]]) -> list[int]:
    """Let all of these ask every second, buy what they are let in for, and go; return the order in which they went in.

    Fails where somebody is still outside after some minutes.
    """
    went: list[int] = []
    for second in range(MINUTES_MAX * 60):
        await tick(app, clock)
        for number, (shopper, place) in [*standing.items()]:
            await beat(app, shopper, place)
            if isinstance(await enter(app, shopper, place), Entered):
                for order in range(PURCHASES):
                    await buy(app, shopper, f"order-{number:03d}-{second:04d}-{order}")
                went.append(number)
                del standing[number]
        assert app.queue.snapshot().snapshot.inside <= CAP  # type: ignore[union-attr]
        if not standing:
            return went
    raise AssertionError(f"{len(standing)} are still outside after {MINUTES_MAX} minutes")


async def holds(app: App) -> None:
    async with app.db.snapshot() as tx:
        checks = await app.queue.check(tx)
        verified = await app.queue.verify(tx, app.queue.room().campaign_id)
    assert [check.name for check in checks if not check.holds] == []
    assert [each.name for each in verified.findings if not each.holds] == []


async def entries(app: App) -> int:
    async with app.db.read() as tx:
        row = await (await tx.execute("select count(*) from queue.entry where entered_at is not null")).fetchone()
    assert row is not None
    return int(row[0])


async def test_an_hour_forward_ends_passes_and_windows_and_everybody_can_come_in(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=CAP, purchases=PURCHASES)
    people = await shoppers(app, 16)
    places = [await stand(app, each) for each in people]
    crowd = await crowd_of(app, clock, people, places)
    await tick(app, clock, seconds=HOUR)
    await tick(app, clock)
    # An order that waits for its payment keeps its pass; the others' ended, and they are told so.
    assert isinstance(await enter(app, people[crowd.buyer], places[crowd.buyer]), Entered)
    for number in crowd.inside:
        with pytest.raises(PlaceSpent) as told:
            await enter(app, people[number], places[number])
        assert told.value.fields["reason"] == "expired"
    # No other place is lost: whoever asks for one has the same.
    for number in (*crowd.ready, *crowd.called, *crowd.waiting):
        assert await stand(app, people[number]) == places[number]
    again = {number: (people[number], await stand(app, people[number])) for number in crowd.inside}
    assert {place.kind for _, place in again.values()} == {PlaceKind.LATE}
    before = await entries(app)
    kept = {number: (people[number], places[number]) for number in (*crowd.ready, *crowd.called, *crowd.waiting)}
    went = await all_go_in(app, clock, {**kept, **again})
    assert sorted(went) == sorted([*kept, *again])
    assert await entries(app) == before + len(went)
    await holds(app)


async def test_an_hour_forward_and_back_again_stops_nobody(app: App, clock: ManualClock) -> None:
    """A clock that was set wrong and then right: what was called and given in that hour does not lie in the future."""
    await opened_room(app, clock, cap=CAP, purchases=PURCHASES)
    people = await shoppers(app, 16)
    places = [await stand(app, each) for each in people]
    crowd = await crowd_of(app, clock, people, places)
    await tick(app, clock, seconds=HOUR)
    for _ in range(3):
        await tick(app, clock)
    called_in_that_hour = [each for each in _called(app, people, places) if each in crowd.waiting]
    assert called_in_that_hour
    let_in = called_in_that_hour[0]
    assert isinstance(await enter(app, people[let_in], places[let_in]), Entered)
    await tick(app, clock, seconds=-HOUR)
    assert app.queue.snapshot().snapshot.state is QueueState.OPEN  # type: ignore[union-attr]
    rest = {
        number: (people[number], places[number])
        for number in (*crowd.ready, *crowd.called, *crowd.waiting)
        if number != let_in
    }
    went = await all_go_in(app, clock, rest)
    assert len(went) == 16 - CAP - 1
    await tick(app, clock, seconds=ROOM.pass_seconds + 2)
    await tick(app, clock)
    with pytest.raises(PlaceSpent) as told:
        await enter(app, people[let_in], places[let_in])
    assert told.value.fields["reason"] == "expired"
    await holds(app)
