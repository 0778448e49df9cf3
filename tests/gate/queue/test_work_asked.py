"""Of whom a waiting room asks work for a place, at every door: nobody, suspects or everybody; never for an order."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import altcha
import pytest
from httpx import ASGITransport, AsyncClient, Response

from tests.app.framework import framework_of
from tests.gate.bots.test_work import solved
from tests.gate.queue.rooms import Shopper, opened_room, shoppers, tick, to_the_opening
from tests.gate.queue.test_doors import headers
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.admission.contracts import PASS_HEADER
from tidegate.gate.bots.contracts import Challenge, Evidence
from tidegate.gate.bots.rules import CALM_CHALLENGES_PER_SECOND
from tidegate.gate.defence.contracts import StartDefence
from tidegate.offer.campaign.contracts import WorkAsked
from tidegate.trust.identity.contracts import Role

ADDRESS = "198.51.100.1"
PERSON = {"fingerprint": "a-browser", "shown_ms": 4_000}


@pytest.fixture
async def hot(app: App) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=Front(app, framework_of(app)))  # type: ignore[arg-type]  # narrower than httpx's
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as opened:
        yield opened


@pytest.fixture
async def ordinary(app: App) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as opened:
        yield opened


@pytest.fixture(params=["hot", "ordinary"])
def door(request: pytest.FixtureRequest, hot: AsyncClient, ordinary: AsyncClient) -> AsyncClient:
    """The shortcut and the documented door, one after the other."""
    return hot if request.param == "hot" else ordinary


async def take(door: AsyncClient, shopper: Shopper, **answer: str) -> Response:
    return await door.post("/api/v1/places", json=answer, headers=headers(shopper))


async def challenged(door: AsyncClient, shopper: Shopper) -> Challenge:
    return Challenge(**(await door.post("/api/v1/challenges", json=PERSON, headers=headers(shopper))).json())


async def suspect(app: App, shopper: Shopper, *honeypots: Evidence) -> Shopper:
    """Let a shopper touch what no person sees."""
    session = app.identity.require_session(shopper.session.token)
    for honeypot in honeypots or (Evidence.HONEYPOT_GOODS,):
        await app.bots.touched(honeypot, ADDRESS, session)
    return shopper


async def attacked(app: App) -> None:
    """Start the defence that asks everybody for work."""
    async with app.db.transaction() as tx:
        officer = await app.identity.add_staff(tx, "shen.bo", Role.RISK, "a long enough password")
        await app.defences.start(tx, officer, "flood", StartDefence(reason="scrapers", minutes=30))
    await app.refresh()


def browser(shopper: Shopper, cookies: str = "") -> dict[str, str]:
    return {
        "Cookie": f"tg_session={shopper.session.token}{cookies}",
        "Sec-Fetch-Site": "same-origin",
        "Accept-Language": "en",
    }


async def test_suspects_pay_and_nobody_else_does(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock)
    one, doubtful, honest = await shoppers(app, 3)
    await suspect(app, one)
    await suspect(app, doubtful, Evidence.HONEYPOT_LINK)  # 40 points: below the threshold
    assert [(await take(door, each)).status_code for each in (doubtful, honest)] == [201, 201]
    refused = await take(door, one)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/work-refused")
    assert refused.json()["reason"] == "missing"
    async with app.db.read() as tx:
        assert (await app.queue.figures(tx)).places == 2
    answer = solved(await challenged(door, one)).work
    assert (await take(door, honest, work=answer)).json()["lane"] == "everyone"  # not asked, so not judged nor spent
    given = await take(door, one, work=answer)
    assert (given.status_code, given.json()["lane"]) == (201, "slow")
    again = await take(door, one, work=answer)
    assert (again.status_code, again.json()["reason"]) == (403, "used")


async def test_each_in_a_batch_gets_his_own_answer(app: App, clock: ManualClock) -> None:
    """Suspects who pay, suspects who do not and shoppers who ask at once."""
    await opened_room(app, clock)
    paying, idle, honest, lender = await shoppers(app, 4)
    for each in (paying, idle, lender):
        await suspect(app, each)
    transport = ASGITransport(app=Front(app, framework_of(app)))  # type: ignore[arg-type]
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as client:
        answer = solved(await challenged(client, paying)).work
        answers = await asyncio.gather(
            take(client, idle),
            take(client, paying, work=answer),
            take(client, honest),
            take(client, lender, work=answer),
        )
    assert [each.status_code for each in answers] == [403, 201, 201, 403]
    assert [answers[place].json()["reason"] for place in (0, 3)] == ["missing", "other-session"]
    assert [answers[place].json()["lane"] for place in (1, 2)] == ["slow", "everyone"]


async def test_a_suspect_waits_instead_twice_as_long(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock)
    one, *_ = await shoppers(app, 1)
    await suspect(app, one)
    ticket = (await challenged(door, one)).wait_ticket
    clock.advance(seconds=119)
    early = await take(door, one, wait_ticket=ticket)
    assert (early.status_code, early.json()["reason"], early.headers["retry-after"]) == (403, "early", "1")
    clock.advance(seconds=1)
    assert (await take(door, one, wait_ticket=ticket)).status_code == 201


async def test_the_harder_it_is_the_more_speaks_against_a_visit(app: App, clock: ManualClock, hot: AsyncClient) -> None:
    await opened_room(app, clock)
    three, four = await shoppers(app, 2)
    await suspect(app, three)
    await suspect(app, four, Evidence.HONEYPOT_GOODS, Evidence.HONEYPOT_LINK)
    counters = [_counter(await challenged(hot, each)) for each in (three, four)]
    assert 48 <= counters[0] < 96
    assert 64 <= counters[1] < 128


def _counter(challenge: Challenge) -> int:
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge.work))
    assert solution is not None
    return int(solution.counter)


async def test_an_undo_takes_the_price_away(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock)
    [one] = await shoppers(app, 1)
    await suspect(app, one)
    assert (await take(door, one)).status_code == 403
    async with app.db.transaction() as tx:
        officer = await app.identity.add_staff(tx, "officer", Role.RISK, "a long enough password")
        end = clock.now().replace(microsecond=0)
        await app.bots.undo_account(tx, officer.staff_id, one.session.account_id, "a person", end + timedelta(hours=1))
    await app.refresh()
    given = await take(door, one)
    assert (given.status_code, given.json()["lane"]) == (201, "everyone")


async def test_a_file_may_ask_nobody_but_in_an_attack(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock, work=WorkAsked.ATTACK)
    one, honest = await shoppers(app, 2)
    await suspect(app, one)
    assert (await take(door, one)).json()["lane"] == "slow"
    await attacked(app)
    refused = await take(door, honest)
    assert (refused.status_code, refused.json()["reason"]) == (403, "missing")
    assert (await take(door, honest, work=solved(await challenged(door, honest)).work)).status_code == 201


async def test_a_file_may_ask_everybody(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock, work=WorkAsked.ALWAYS)
    [honest] = await shoppers(app, 1)
    refused = await take(door, honest)
    assert (refused.status_code, refused.json()["reason"]) == (403, "missing")
    assert not app.bots.pending  # refused before anything was weighed
    given = await take(door, honest, work=solved(await challenged(door, honest)).work)
    assert (given.status_code, given.json()["lane"]) == (201, "everyone")


async def test_the_work_of_everybody_rises_with_the_load(app: App, clock: ManualClock, hot: AsyncClient) -> None:
    await opened_room(app, clock, work=WorkAsked.ALWAYS)
    calm, crowded = await shoppers(app, 2)
    assert 16 <= _counter(await challenged(hot, calm)) < 32
    window = int(clock.now().timestamp()) // 10
    await app.cache.client.set(f"bots:load:{window}", CALM_CHALLENGES_PER_SECOND * 10 * 4 + 1)
    assert 64 <= _counter(await challenged(hot, crowded)) < 128


async def test_a_buy_call_never_asks_for_work(app: App, clock: ManualClock, door: AsyncClient) -> None:
    """With a pass an order is taken, in an attack, in a room that asks everybody, and of a suspect."""
    await opened_room(app, clock, work=WorkAsked.ALWAYS)
    honest, one = await shoppers(app, 2)
    for each in (honest, await suspect(app, one)):
        place = (await take(door, each, work=solved(await challenged(door, each)).work)).json()["token"]
        app.queue.beat(app.queue.check_place(place, each.session.account_id, each.session.session_id))
    await to_the_opening(app, clock)
    await tick(app, clock, seconds=5)
    await attacked(app)
    for each in (honest, one):
        place = (await take(door, each, work=solved(await challenged(door, each)).work)).json()["token"]
        given = await door.post("/api/v1/passes", headers=headers(each, place))
        assert given.status_code == 201, given.text
        order = {
            "lines": [{"sku": "A", "quantity": 1}],
            "address_id": str(each.buyer.address_id),
            "expected_total": 8_000,
        }
        sent = {**headers(each), PASS_HEADER: given.json()["token"], "Idempotency-Key": f"k-{each.session.session_id}"}
        answer = await door.post("/api/v1/orders", json=order, headers=sent)
        assert answer.status_code == 201, answer.text


# The page


async def test_the_page_tells_a_suspect_what_the_place_costs(app: App, clock: ManualClock, hot: AsyncClient) -> None:
    await opened_room(app, clock)
    [one] = await shoppers(app, 1)
    await suspect(app, one)
    plain = await hot.get("/line", headers=browser(one))
    assert "data-challenge" not in plain.text
    asked = await hot.post("/line", headers=browser(one))
    assert asked.status_code == 403
    assert "It looks as if a program asked for this place" in asked.text
    assert 'data-challenge="/api/v1/challenges"' in asked.text
    assert 'role="alert"' not in asked.text  # it is no fault of anybody's
    answer = solved(await challenged(hot, one)).work
    given = await hot.post("/line", data={"work": answer}, headers=browser(one))
    assert (given.status_code, given.headers["location"]) == (303, "/line")


async def test_whom_most_speaks_against_may_ask_as_often_as_a_place_takes(
    app: App, clock: ManualClock, door: AsyncClient
) -> None:
    """His rates are a quarter, and still he may ask, fetch the work and ask with it, without a pause."""
    await opened_room(app, clock)
    [one] = await shoppers(app, 1)
    await suspect(app, one, Evidence.HONEYPOT_GOODS, Evidence.HONEYPOT_LINK)
    assert (await take(door, one)).status_code == 403
    answer = solved(await challenged(door, one)).work
    assert app.bots.rate_factor(one.session.account_id) == 0.25
    assert (await take(door, one, work=answer)).status_code == 201
    assert (await take(door, one, work=answer)).status_code == 429


async def test_a_wrong_answer_is_said_to_be_one(app: App, clock: ManualClock, hot: AsyncClient) -> None:
    await opened_room(app, clock)
    [one] = await shoppers(app, 1)
    await suspect(app, one)
    wrong = await hot.post("/line", data={"work": "no answer of ours"}, headers=browser(one))
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (403, True)
    assert 'data-challenge="/api/v1/challenges"' in wrong.text


async def test_what_a_suspect_s_page_said_is_remembered_when_the_next_form_says_nothing(
    app: App, clock: ManualClock, hot: AsyncClient
) -> None:
    await opened_room(app, clock)
    [one] = await shoppers(app, 1)
    told = {"automation": "yes", "headless": "yes"}
    assert (await hot.post("/line", data=told, headers=browser(one))).status_code == 403
    assert (await hot.post("/line", headers=browser(one))).status_code == 403


@pytest.mark.parametrize(
    ("work", "words"),
    [("always", "Each place costs a little work"), ("attack", "Many programs ask for places just now")],
)
async def test_the_page_says_why_everybody_works(
    app: App, clock: ManualClock, hot: AsyncClient, work: str, words: str
) -> None:
    await opened_room(app, clock, work=WorkAsked(work))
    if work == "attack":
        await attacked(app)
    [honest] = await shoppers(app, 1)
    page = await hot.get("/line", headers=browser(honest))
    assert words in page.text
    refused = await hot.post("/line", headers=browser(honest))
    assert (refused.status_code, 'role="alert"' in refused.text) == (403, True)
    answer = solved(await challenged(hot, honest)).work
    assert (await hot.post("/line", data={"work": answer}, headers=browser(honest))).status_code == 303


async def test_without_scripts_the_wait_is_a_form_and_a_page_that_loads_itself_again(
    app: App, clock: ManualClock, hot: AsyncClient
) -> None:
    await opened_room(app, clock, work=WorkAsked.ALWAYS)
    [honest] = await shoppers(app, 1)
    page = (await hot.get("/line", headers=browser(honest))).text
    assert re.search(r'<button [^>]*formaction="/line/wait"', page)
    begun = await hot.post("/line/wait", headers=browser(honest))
    assert (begun.status_code, begun.headers["location"]) == (303, "/line")
    ticket = begun.cookies["tg_wait"]
    waiting = browser(honest, f"; tg_wait={ticket}")

    clock.advance(seconds=20)
    page = (await hot.get("/line", headers=waiting)).text
    assert '<meta http-equiv="refresh" content="42;url=/line">' in page
    assert "You chose to wait" in page
    assert "Take my place" not in page
    pressed_again = await hot.post("/line/wait", headers=waiting)
    assert pressed_again.status_code == 303
    assert "tg_wait" not in pressed_again.cookies  # the wait that was begun goes on

    clock.advance(seconds=40)
    page = (await hot.get("/line", headers=waiting)).text
    assert "http-equiv" not in page
    [hidden] = re.findall(r'name="wait_ticket" value="([^"]+)"', page)
    assert hidden == ticket
    given = await hot.post("/line", data={"wait_ticket": hidden}, headers=waiting)
    assert given.status_code == 303
    assert 'tg_wait=""' in "".join(given.headers.get_list("set-cookie"))


async def test_a_wait_that_came_to_nothing_is_begun_anew(app: App, clock: ManualClock, hot: AsyncClient) -> None:
    await opened_room(app, clock, work=WorkAsked.ALWAYS)
    honest, thief = await shoppers(app, 2)
    ticket = (await hot.post("/line/wait", headers=browser(honest))).cookies["tg_wait"]
    clock.advance(seconds=60)
    stolen = browser(thief, f"; tg_wait={ticket}")
    assert 'formaction="/line/wait"' in (await hot.get("/line", headers=stolen)).text
    assert (await hot.post("/line", data={"wait_ticket": ticket}, headers=stolen)).status_code == 403
    clock.advance(seconds=241)
    late = browser(honest, f"; tg_wait={ticket}")
    assert 'formaction="/line/wait"' in (await hot.get("/line", headers=late)).text
    expired = await hot.post("/line", data={"wait_ticket": ticket}, headers=late)
    assert (expired.status_code, 'formaction="/line/wait"' in expired.text) == (403, True)
    assert (await hot.post("/line/wait", headers=late)).cookies["tg_wait"] != ticket


async def test_a_wait_needs_a_session_and_is_limited_as_places_are(
    app: App, clock: ManualClock, hot: AsyncClient
) -> None:
    await opened_room(app, clock, work=WorkAsked.ALWAYS)
    [honest] = await shoppers(app, 1)
    nobody = await hot.post("/line/wait", headers={"Sec-Fetch-Site": "same-origin"})
    assert nobody.headers["location"] == "/sign-in?next=/line"
    foreign = await hot.post("/line/wait", headers={**browser(honest), "Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    statuses = [(await hot.post("/line/wait", headers=browser(honest))).status_code for _ in range(20)]
    assert set(statuses) == {303, 429}
