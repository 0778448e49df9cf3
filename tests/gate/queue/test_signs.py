"""Signs of life at the door that the page uses: a few bytes, before the framework, never refused for overload."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient, Response

from tests.app.api.serving import served
from tests.app.framework import framework_of
from tests.gate.queue.rooms import ROOM, Shopper, facts, opened_room, shoppers, stand, tick, to_the_opening
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import PLACE_COOKIE, PLACE_HEADER, AskPlace, Place
from tidegate.gate.queue.presence import away, present
from tidegate.trust.identity.api import SESSION_COOKIE

SIGNS = "/api/v1/places/current/signs"
BYTES_MAX = 200


class Doors:
    """The shop's real server, which answers signs before the framework, and the documented door behind it."""

    def __init__(self, hot: AsyncClient, ordinary: AsyncClient) -> None:
        self.hot, self.ordinary = hot, ordinary

    async def both(self, headers: dict[str, str]) -> tuple[Response, Response]:
        """Give the same sign at both."""
        return await self.hot.post(SIGNS, headers=headers), await self.ordinary.post(SIGNS, headers=headers)


@pytest.fixture
async def doors(app: App) -> AsyncIterator[Doors]:
    site = framework_of(app)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(served(Front(app, site)))
        hot = await stack.enter_async_context(AsyncClient(base_url=f"http://127.0.0.1:{port}"))
        transport = ASGITransport(app=site)  # type: ignore[arg-type]  # narrower than httpx's
        ordinary = await stack.enter_async_context(AsyncClient(transport=transport, base_url="http://shop.example.com"))
        yield Doors(hot, ordinary)


def as_page(shopper: Shopper, place: str) -> dict[str, str]:
    """What a browser sends along by itself."""
    return {"Cookie": f"tg_language=en; {SESSION_COOKIE}={shopper.session.token}; {PLACE_COOKIE}={place}"}


def as_client(shopper: Shopper, place: str) -> dict[str, str]:
    """What a program sends."""
    return {"Authorization": f"Bearer {shopper.session.token}", PLACE_HEADER: place}


async def line_id(app: App) -> int:
    async with app.db.read() as tx:
        [(found,)] = await (await tx.execute("select line_id from queue.line")).fetchall()
    return int(found)


async def gone(app: App, clock: ManualClock) -> frozenset[int]:
    return await away(app.cache, await line_id(app), clock.now())


@pytest.mark.parametrize("sent", [as_page, as_client])
async def test_a_sign_keeps_the_lease_and_says_where_the_place_stands(
    app: App, clock: ManualClock, doors: Doors, sent: Callable[[Shopper, str], dict[str, str]]
) -> None:
    await opened_room(app, clock)
    lively, silent = await shoppers(app, 2)
    places = [await stand(app, each) for each in (lively, silent)]
    await tick(app, clock)
    for turn in range(6):
        for shopper, place in zip((lively, silent), places, strict=True):
            if shopper is lively or not turn:
                answer = await doors.hot.post(SIGNS, headers=sent(shopper, place.token))
                assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
                assert len(answer.content) <= BYTES_MAX
        await app.queue.write_signs()
        clock.advance(seconds=25)
    told = answer.json()
    assert (told["state"], told["standing"], told["inside"], told["lane_index"]) == ("gathering", "gathering", False, 0)
    assert await gone(app, clock) == {places[1].serial}
    assert await present(app.cache, await line_id(app), clock.now()) == 1


async def test_both_doors_say_the_same_from_the_draw_to_the_pass(app: App, clock: ManualClock, doors: Doors) -> None:
    await opened_room(app, clock, cap=1, per_minute=6_000)
    first, second = await shoppers(app, 2)
    places = [await stand(app, each) for each in (first, second)]
    crowd = list(zip((first, second), places, strict=True))
    await tick(app, clock)
    for shopper, place in crowd:
        hot, ordinary = await doors.both(as_page(shopper, place.token))
        assert hot.json() == ordinary.json()
    await to_the_opening(app, clock)
    await tick(app, clock)
    answers = [(await doors.both(as_page(shopper, place.token))) for shopper, place in crowd]
    assert all(hot.json() == ordinary.json() for hot, ordinary in answers)
    assert [hot.json()["standing"] for hot, _ in answers].count("called") == 1
    assert [hot.json()["inside"] for hot, _ in answers].count(True) == 1
    [waiting] = [hot.json() for hot, _ in answers if hot.json()["standing"] == "waiting"]
    view = next(
        app.queue.view(facts(app, shopper, place))
        for (shopper, place), (hot, _) in zip(crowd, answers, strict=True)
        if not hot.json()["inside"]
    )
    assert waiting["chance_percent"] == view.chance_percent
    assert waiting["wait"] == msgspec.to_builtins(view.wait)
    let_in = next(each for each, (hot, _) in zip(crowd, answers, strict=True) if hot.json()["inside"])
    assert (await doors.hot.post("/api/v1/passes", headers=as_client(let_in[0], let_in[1].token))).status_code == 201


async def test_a_pass_that_ended_is_told_by_both(app: App, clock: ManualClock, doors: Doors) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    place = await stand(app, shopper)
    await to_the_opening(app, clock)
    await tick(app, clock)
    assert (await doors.hot.post(SIGNS, headers=as_page(shopper, place.token))).json()["inside"]
    await tick(app, clock, seconds=ROOM.pass_seconds + 1)
    answers = await doors.both(as_page(shopper, place.token))
    assert [(each.status_code, each.json()["type"], each.json()["reason"]) for each in answers] == [
        (409, "/problems/place-spent", "expired")
    ] * 2


def _forged(place: str) -> str:
    return ("A" if place[0] != "A" else "B") + place[1:]


@pytest.mark.parametrize(
    ("place_of", "reason"),
    [
        (lambda mine, _: _forged(mine), "forged"),
        (lambda mine, _: mine + "AAAA", "forged"),
        (lambda mine, _: mine[:-4], "forged"),
        (lambda _, others: others, "other-account"),
        (lambda *_: "", "missing"),
    ],
)
async def test_a_place_that_is_not_the_sender_s_is_refused_by_both_and_notes_nothing(
    app: App, clock: ManualClock, doors: Doors, place_of: Callable[[str, str], str], reason: str
) -> None:
    await opened_room(app, clock)
    mine, other = await shoppers(app, 2)
    places = [await stand(app, each) for each in (mine, other)]
    await tick(app, clock)
    sent = place_of(places[0].token, places[1].token)
    for headers in (as_page(mine, sent), as_client(mine, sent)):
        answers = await doors.both(headers)
        assert [(each.status_code, each.json()["reason"]) for each in answers] == [(403, reason)] * 2
        assert answers[0].json() == answers[1].json()
    await app.queue.write_signs()
    assert await present(app.cache, await line_id(app), clock.now()) == 0


async def test_a_place_of_another_device_or_an_earlier_sign_in_is_refused_by_both(
    app: App, clock: ManualClock, doors: Doors
) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    elsewhere = AskPlace(account_id=shopper.session.account_id, device=shopper.session.account_id)
    place: Place = await app.queue.take_place(elsewhere)
    await tick(app, clock)
    moved = await doors.both(as_page(shopper, place.token))
    assert [(each.status_code, each.json()["reason"]) for each in moved] == [(403, "other-device")] * 2
    clock.advance(seconds=timedelta(days=400).total_seconds())
    expired = await doors.both(as_page(shopper, place.token))
    assert [(each.status_code, each.json()["type"]) for each in expired] == [(401, "/problems/not-signed-in")] * 2


async def test_without_a_line_there_is_no_place_to_keep(app: App, doors: Doors) -> None:
    [shopper] = await shoppers(app, 1)
    answers = await doors.both(as_page(shopper, "A" * 104))
    assert [(each.status_code, each.json()["type"]) for each in answers] == [(404, "/problems/no-waiting-room")] * 2


async def test_overload_refuses_pages_and_makes_nobody_away(app: App, clock: ManualClock, doors: Doors) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 30)  # of many cohorts
    places = [await stand(app, each) for each in crowd]
    await tick(app, clock)
    for _ in range(40):
        for kind in range(4):
            for _ in range(100):
                app.load.asks(kind, 0.0)
        app.load.waited("loop", 5.0)
        app.load.close_window(1e9)
    for _ in range(4):
        pages = [await doors.hot.get("/line", headers=as_page(each, "")) for each in crowd[:5]]
        assert [page.status_code for page in pages] == [503] * 5
        signs = [
            await doors.hot.post(SIGNS, headers=as_page(shopper, place.token))
            for shopper, place in zip(crowd, places, strict=True)
        ]
        assert [sign.status_code for sign in signs] == [200] * 30
        await app.queue.write_signs()
        clock.advance(seconds=25)
    assert await gone(app, clock) == frozenset()


async def test_signs_do_not_count_for_what_the_shop_carries(app: App, clock: ManualClock, doors: Doors) -> None:
    """They are none of those whom the load control lets in, so they are none of those who were served."""
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    place = await stand(app, shopper)
    await tick(app, clock)
    for _ in range(5):
        assert (await doors.hot.post(SIGNS, headers=as_page(shopper, place.token))).status_code == 200
    assert (sum(app.load._asked), app.load._served) == (0, 0)
    assert (await doors.hot.get("/api/v1/queue")).status_code == 200
    assert app.load._served == 1
