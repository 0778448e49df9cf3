"""Places beyond a network's number: kept, told of, and behind all that were drawn."""

from hashlib import sha256
from uuid import uuid4

import pytest

from tests.gate.queue.rooms import Shopper, buy, enter, facts, opened_room, shoppers, stand, tick, to_the_opening
from tests.gate.queue.test_line import holds, paid_once
from tests.gate.queue.test_slow_lane import clear
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import AskPlace, Entered, Place, PlaceKind, Standing, Waiting
from tidegate.gate.queue.draw import BEHIND, commitment, leaf, root_from_path
from tidegate.gate.queue.rows import SLOW

MALL = "192.0.2.0/24"


def kinds(places: list[Place]) -> list[tuple[str, PlaceKind, int]]:
    return [(place.lane, place.kind, place.number) for place in places]


async def entered(app: App, crowd: list[Shopper], places: list[Place]) -> list[bool]:
    return [isinstance(await enter(app, each, place), Entered) for each, place in zip(crowd, places, strict=True)]


async def test_places_beyond_a_network_s_number_stand_behind_all_that_are_drawn(app: App, clock: ManualClock) -> None:
    festival = await opened_room(app, clock, per_network=2, cap=100, per_minute=60)
    crowd = await shoppers(app, 9)
    mall = [await stand(app, each, MALL) for each in crowd[:5]]
    homes = [await stand(app, each, f"198.51.{number}.0/24") for number, each in enumerate(crowd[5:8])]
    drawn = ("everyone", PlaceKind.DRAWN, 0)
    assert kinds(mall) == [drawn, drawn, *((SLOW, PlaceKind.LATE, number) for number in (1, 2, 3))]
    assert kinds(homes) == [drawn] * 3
    assert (await stand(app, crowd[4], "203.0.113.0/24")).token == mall[4].token  # asking again changes nothing
    await tick(app, clock)
    assert app.queue.view(facts(app, crowd[4], mall[4])).standing is Standing.WAITING
    await to_the_opening(app, clock)
    latecomer = await stand(app, crowd[8], "203.0.113.0/24")
    assert kinds([latecomer]) == [("everyone", PlaceKind.LATE, 1)]
    places = [*mall, *homes, latecomer]
    await tick(app, clock)  # the opening called the five drawn; then one a second, of the late by the lanes' shares
    assert await entered(app, crowd, places) == [True, True, False, False, False, True, True, True, True]
    for called in (1, 2, 3):
        await tick(app, clock)
        assert (await entered(app, crowd, places))[2:5] == [True] * called + [False] * (3 - called)
    async with app.db.read() as tx:
        assert (await app.queue.verify(tx, festival.id)).holds
    await holds(app)


async def test_they_stand_in_the_sealed_list_and_their_receipt_leads_to_its_root(app: App, clock: ManualClock) -> None:
    festival = await opened_room(app, clock, per_network=1, cap=100)
    crowd = await shoppers(app, 4)
    places = [await stand(app, each, MALL) for each in crowd[:3]]
    places.append(await stand(app, crowd[3], "198.51.100.0/24"))
    await to_the_opening(app, clock)
    async with app.db.read() as tx:
        listed = await app.queue.sealed_list(tx, festival.id)
        mine = await app.queue.receipt(tx, facts(app, crowd[2], places[2]))
    assert [(each.serial, each.lane) for each in listed.places] == [(0, 0), (1, 1 + BEHIND), (2, 1 + BEHIND), (3, 0)]
    made = commitment(bytes.fromhex(mine.salt), mine.account_id, mine.device)
    path = [bytes.fromhex(each) for each in mine.path]
    assert root_from_path(2, 4, leaf(2, mine.lane_index, made), path) == bytes.fromhex(listed.root)
    assert (mine.kind, mine.number, mine.rank) == (PlaceKind.LATE, 2, None)
    assert sha256(bytes.fromhex(listed.seed or "")).hexdigest() == listed.seed_hash


async def test_a_drawn_place_that_is_given_up_makes_room_in_the_draw(app: App, clock: ManualClock) -> None:
    """Who stands behind may give that place up and take one there."""
    await opened_room(app, clock, per_network=1)
    crowd = await shoppers(app, 2)
    first, behind = [await stand(app, each, MALL) for each in crowd]
    assert behind.kind is PlaceKind.LATE
    await tick(app, clock)
    await app.queue.leave(facts(app, crowd[1], behind))
    assert (await stand(app, crowd[1], MALL)).kind is PlaceKind.LATE
    await app.queue.leave(facts(app, crowd[0], first))
    await tick(app, clock)
    await app.queue.leave(facts(app, crowd[1], await stand(app, crowd[1], MALL)))
    assert (await stand(app, crowd[1], MALL)).kind is PlaceKind.DRAWN
    await holds(app)


async def test_whose_way_to_pay_is_known_counts_by_that_and_not_by_the_network(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, per_network=1)
    crowd = await shoppers(app, 4)
    await paid_once(app, clock, [each.session.account_id for each in crowd[:2]])
    places = [await stand(app, each, MALL) for each in crowd]
    assert [place.kind for place in places] == [PlaceKind.DRAWN] * 3 + [PlaceKind.LATE]
    await holds(app)


async def test_an_undo_puts_a_place_with_the_last_of_the_drawn(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, per_network=1, cap=100, per_minute=60)
    crowd = await shoppers(app, 3)
    places = [await stand(app, each, MALL) for each in crowd]
    await clear(app, crowd[2])
    await to_the_opening(app, clock)
    answers = [await enter(app, each, place) for each, place in zip(crowd, places, strict=True)]
    assert isinstance(answers[0], Entered)
    assert isinstance(answers[2], Entered)
    assert isinstance(answers[1], Waiting)


@pytest.mark.parametrize("goods", [1, 5])
async def test_who_stands_behind_is_told_the_truth_about_the_chance(app: App, clock: ManualClock, goods: int) -> None:
    await opened_room(app, clock, per_network=1, quota=goods)
    crowd = await shoppers(app, 2)
    places = [await stand(app, each, MALL) for each in crowd]
    await tick(app, clock)
    view = app.queue.view(facts(app, crowd[1], places[1]))
    assert view.chance_percent == (0 if goods == 1 else 100)
    if goods == 1:
        await to_the_opening(app, clock)
        await tick(app, clock)
        assert isinstance(await enter(app, crowd[0], places[0]), Entered)
        await buy(app, crowd[0])
        await tick(app, clock)
        assert isinstance(await enter(app, crowd[1], places[1]), Waiting)


async def test_a_flood_from_one_network_takes_no_more_of_the_draw(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, per_network=25)
    asks = [AskPlace(account_id=uuid4(), device=uuid4(), network=MALL) for _ in range(300)]
    given = [each for start in (0, 150) for each in await app.queue.take_places(asks[start : start + 150])]
    assert [each.kind for each in given if isinstance(each, Place)] == [PlaceKind.DRAWN] * 25 + [PlaceKind.LATE] * 275
    await holds(app)
