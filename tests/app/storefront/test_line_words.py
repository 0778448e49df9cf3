"""What the page of the line says while nothing can be had, when nothing can be won any more, and to who leaves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.app.storefront.conftest import visitor
from tests.gate.queue.rooms import Shopper, buy, enter, opened_room, shoppers, stand, tick, to_the_opening
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import PLACE_COOKIE, Entered, Place
from tidegate.sale.stock.contracts import Claim
from tidegate.trust.identity.api import SESSION_COOKIE

LEAVE = 'action="/line/leave"'
TAKE = "Take my place"


@asynccontextmanager
async def reader(
    app: App, shopper: Shopper, place: Place | None = None, *, language: str = "en"
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is signed in and, where it has one, holds its place."""
    async with visitor(app, language=language) as client:
        client.cookies.set(SESSION_COOKIE, shopper.session.token)
        if place is not None:
            client.cookies.set(PLACE_COOKIE, place.token)
        yield client


@pytest.mark.parametrize(
    ("language", "paused", "over"),
    [
        ("en", "All that is left is held by orders that are not paid yet.", "Nothing can be won any more"),
        ("zh", "剩下的都在未付款的订单里。", "已经没有可以买到的了"),
    ],
)
async def test_the_page_says_what_the_line_waits_for_and_when_it_is_over(
    app: App, clock: ManualClock, language: str, paused: str, over: str
) -> None:
    await opened_room(app, clock, quota=1, cap=1)
    crowd = [(each, await stand(app, each)) for each in await shoppers(app, 2)]
    await to_the_opening(app, clock)
    await tick(app, clock)
    [winner] = [each for each, place in crowd if isinstance(await enter(app, each, place), Entered)]
    [(loser, place)] = [(each, place) for each, place in crowd if each is not winner]
    placed = await buy(app, winner)
    await tick(app, clock)
    async with reader(app, loser, place, language=language) as client:
        waiting = (await client.get("/line")).text
        assert paused in waiting
        assert f'<h1 id="turn">{over}</h1>' not in waiting
        assert LEAVE in waiting
        async with app.db.transaction() as tx:
            await app.stock.sell(tx, app.queue.room().campaign_id, [Claim(placed.order_id, "A")])
        await tick(app, clock)
        told = (await client.get("/line")).text
    assert f'<h1 id="turn">{over}</h1>' in told
    assert paused not in told
    assert LEAVE not in told
    assert 'data-live=""' in told  # nothing is asked again
    async with reader(app, loser, language=language) as client:
        stranger = (await client.get("/line")).text
    assert f'<h1 id="turn">{over}</h1>' in stranger
    assert '<form action="/line"' not in stranger


async def test_who_leaves_by_the_button_is_out_and_may_come_again(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    await tick(app, clock)
    async with reader(app, shopper) as client:
        taken = await client.post("/line", data={"page": ""})
        assert (taken.status_code, taken.headers["location"]) == (303, "/line")
        first = client.cookies[PLACE_COOKIE]
        assert LEAVE in (await client.get("/line")).text
        left = await client.post("/line/leave")
        assert (left.status_code, left.headers["location"]) == (303, "/line")
        assert PLACE_COOKIE not in client.cookies
        page = (await client.get("/line")).text
        assert TAKE in page
        assert LEAVE not in page
        assert (await client.post("/line/leave")).status_code == 303  # again changes nothing
        await client.post("/line", data={"page": ""})
        second = client.cookies[PLACE_COOKIE]
    serials = [
        app.queue.check_place(each, shopper.session.account_id, shopper.session.session_id).serial
        for each in (first, second)
    ]
    assert serials == [0, 1]


async def test_another_site_makes_nobody_leave(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    place = await stand(app, shopper)
    async with reader(app, shopper, place) as client:
        refused = await client.post("/line/leave", headers={"Origin": "http://elsewhere.test"})
    assert refused.status_code == 403
    assert (await stand(app, shopper)).token == place.token
