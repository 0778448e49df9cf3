"""The JSON doors of the line: snapshot, place, pass, staff; work for a place while an attack is on."""

from collections.abc import AsyncIterator

import pytest
from httpx import ASGITransport, AsyncClient, Response

from tests.app.framework import framework_of
from tests.gate.queue.rooms import Shopper, buy, opened_room, shoppers, tick, to_the_opening
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.admission.contracts import PASS_HEADER
from tidegate.gate.bots.contracts import Evidence
from tidegate.gate.defence.contracts import StartDefence, UndoDefence
from tidegate.gate.queue.contracts import PLACE_HEADER
from tidegate.offer.campaign.contracts import WorkAsked
from tidegate.trust.identity.contracts import Role


@pytest.fixture
async def client(app: App) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=Front(app, framework_of(app)))  # type: ignore[arg-type]  # narrower than httpx's
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as opened:
        yield opened


def headers(shopper: Shopper, place: str = "") -> dict[str, str]:
    signed_in = {"Authorization": f"Bearer {shopper.session.token}"}
    return {**signed_in, PLACE_HEADER: place} if place else signed_in


async def take(client: AsyncClient, shopper: Shopper) -> Response:
    return await client.post("/api/v1/places", json={}, headers=headers(shopper))


async def test_without_a_line_there_is_nothing_to_see(client: AsyncClient) -> None:
    assert (await client.get("/api/v1/queue")).status_code == 404


async def test_from_the_place_to_the_order(client: AsyncClient, app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    place = (await take(client, shopper)).json()["token"]
    assert (await take(client, shopper)).json()["token"] == place
    await tick(app, clock)
    seen = await client.get("/api/v1/queue")
    assert seen.headers["cache-control"].startswith("public, max-age=1")
    unchanged = await client.get("/api/v1/queue", headers={"If-None-Match": seen.headers["etag"]})
    assert (seen.json()["waiting"], unchanged.status_code, unchanged.content) == (1, 304, b"")
    mine = headers(shopper, place)
    assert (await client.get("/api/v1/places/current", headers=mine)).json()["standing"] == "gathering"
    early = await client.post("/api/v1/passes", headers=mine)
    assert (early.status_code, early.json()["reason"]) == (202, "not-called")
    assert int(early.headers["retry-after"]) > 0
    await to_the_opening(app, clock)
    await tick(app, clock)
    given = await client.post("/api/v1/passes", headers=mine)
    assert given.status_code == 201
    receipt = (await client.get("/api/v1/places/current/receipt", headers=mine)).json()
    assert receipt["rank"] is not None
    assert receipt["entered_at"] is not None
    await buy(app, shopper)
    await tick(app, clock)
    spent = {**mine, PASS_HEADER: given.json()["token"], "Idempotency-Key": "k-00000001"}
    wish = {"lines": [{"sku": "A", "quantity": 1}], "address_id": str(shopper.buyer.address_id), "expected_total": 1}
    for spelled in ("/api/v1/orders", "/api/v1/orders/", "/api/v1//orders", "//api/v1/orders", "/api/v1/%6frders/"):
        order = await client.post(f"http://shop.example.com{spelled}", headers=spent, json=wish)
        assert (order.status_code, order.json()["type"]) == (403, "/problems/pass-spent"), spelled
    async with AsyncClient(transport=ASGITransport(app=framework_of(app)), base_url="http://shop") as ordinary:  # type: ignore[arg-type]  # as above
        order = await ordinary.post("/api/v1/orders", headers=spent, json=wish)
    assert (order.status_code, order.json()["type"]) == (403, "/problems/pass-spent")
    sealed = await client.get("/api/v1/queue/sealed", params={"campaign_id": app.queue.room().campaign_id})
    assert len(sealed.json()["places"]) == 1
    assert (await client.delete("/api/v1/places/current", headers=mine)).status_code == 204


async def test_an_attack_makes_a_place_cost_work(client: AsyncClient, app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    async with app.db.transaction() as tx:
        officer = await app.identity.add_staff(tx, "shen.bo", Role.RISK, "a long enough password")
        await app.defences.start(tx, officer, "flood", StartDefence(reason="scrapers", minutes=5))
    await app.refresh()
    refused = await take(client, shopper)
    assert (refused.status_code, refused.json()["reason"]) == (403, "missing")
    async with app.db.transaction() as tx:
        await app.defences.undo(tx, officer, "flood", UndoDefence(reason="it was the press"))
    await app.refresh()
    assert (await take(client, shopper)).status_code == 201


async def test_the_gate_is_for_staff(client: AsyncClient, app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    for path in ("/api/v1/queue/figures", "/api/v1/queue/watch", "/api/v1/queue/acts"):
        assert (await client.get(path, headers=headers(shopper))).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{}", 201), (b'{"work": ""}', 201), (b"", 400), (b"{", 400), (b'{"work": 1}', 422), (b'{"surprise": 1}', 422)],
)
async def test_the_shortcut_answers_as_the_documented_door(
    app: App, clock: ManualClock, client: AsyncClient, body: bytes, status: int
) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    site = ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    async with AsyncClient(transport=site, base_url="http://shop.example.com") as ordinary:
        said = {**headers(shopper), "Content-Type": "application/json"}
        answers = [await each.post("/api/v1/places", content=body, headers=said) for each in (client, ordinary)]
        stranger = [await each.post("/api/v1/places", json={}) for each in (client, ordinary)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert [answer.status_code for answer in stranger] == [401, 401]
    if status == 201:
        assert answers[0].json() == answers[1].json()
    else:
        assert answers[0].json()["type"] == answers[1].json()["type"]
        assert answers[0].json()["detail"]


async def test_the_shortcut_is_limited_as_the_documented_door_is(
    app: App, clock: ManualClock, client: AsyncClient
) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    answers = [await take(client, shopper) for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) > 0
    assert {answer.json()["token"] for answer in answers if answer.status_code == 201} == {answers[0].json()["token"]}


async def test_a_suspect_s_place_is_given_in_the_slow_lane_at_every_door(
    client: AsyncClient, app: App, clock: ManualClock
) -> None:
    await opened_room(app, clock, work=WorkAsked.ATTACK)
    hot, page, honest = await shoppers(app, 3)
    for suspect in (hot, page):
        session = app.identity.require_session(suspect.session.token)
        await app.bots.touched(Evidence.HONEYPOT_GOODS, "198.51.100.1", session)
    lanes = [(await take(client, each)).json()["lane"] for each in (hot, honest)]
    assert lanes == ["slow", "everyone"]
    browser = {"Cookie": f"tg_session={page.session.token}", "Sec-Fetch-Site": "same-origin"}
    given = await client.post("/line", data={"page": "x" * 5_000, "automation": "maybe"}, headers=browser)
    assert (given.status_code, given.headers["location"]) == (303, "/line")
    place = app.queue.check_place(given.cookies["tg_place"], page.session.account_id, page.session.session_id)
    assert app.queue.view(place).lane == "slow"
    seen = (await client.get("/api/v1/queue")).json()["lanes"]
    assert [(lane["name"], lane["share"]) for lane in seen] == [("everyone", 100), ("slow", 5)]


@pytest.mark.parametrize("body", ["[]", '{"slow": false}', '{"work": 7}', '{"lane": "everyone"}', "{", ""])
async def test_nobody_chooses_a_lane(client: AsyncClient, app: App, clock: ManualClock, body: str) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    refused = await client.post("/api/v1/places", content=body, headers=headers(shopper))
    assert refused.status_code in {400, 422}
    assert not app.bots.pending
