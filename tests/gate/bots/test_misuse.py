"""Forged, shared, used and expired passes, places and answers: each is refused at its door and counted by reason."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient, Response

from tests.app.framework import framework_of
from tests.gate.bots.test_work import solved
from tests.gate.queue.rooms import Shopper, buy, opened_room, shoppers, tick, to_the_opening
from tests.gate.queue.test_doors import headers
from tidegate.app.api.hot import Front
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.metrics import exposition
from tidegate.gate.admission.contracts import PASS_HEADER
from tidegate.gate.bots.contracts import Challenge, Misuse, TokenKind
from tidegate.gate.bots.misuse import REASONS
from tidegate.gate.bots.work import LIFE
from tidegate.offer.campaign.contracts import WorkAsked


@pytest.fixture
async def door(app: App) -> AsyncIterator[AsyncClient]:
    """The doors as the server opens them: the shortcut, and behind it the framework."""
    transport = ASGITransport(app=Front(app, framework_of(app)))  # type: ignore[arg-type]  # narrower than httpx's
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as opened:
        yield opened


async def counted(app: App) -> dict[tuple[str, str], int]:
    """Write what was counted, and return all of it by token and reason."""
    await app.refresh()
    async with app.db.read() as tx:
        return {(each.token, each.reason): each.times for each in await app.bots.misuse(tx, app.clock.now() - DAY)}


DAY = timedelta(days=1)


def altered(token: str) -> str:
    return token[:40] + ("A" if token[40] != "A" else "B") + token[41:]


async def order(door: AsyncClient, shopper: Shopper, token: str) -> Response:
    body = {"lines": [{"sku": "A", "quantity": 1}], "address_id": str(shopper.buyer.address_id), "expected_total": 1}
    sent = {**headers(shopper), PASS_HEADER: token, "Idempotency-Key": "a-key-of-tests-01"}
    return await door.post("/api/v1/orders", json=body, headers=sent)


async def place_of(door: AsyncClient, shopper: Shopper) -> str:
    return str((await door.post("/api/v1/places", json={}, headers=headers(shopper))).json()["token"])


async def test_places(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock)
    mine, thief = await shoppers(app, 2)
    place = await place_of(door, mine)
    await tick(app, clock)
    for sent, shopper in (("", mine), ("nonsense", mine), (altered(place), mine), (place, thief)):
        seen = await door.get("/api/v1/places/current", headers=headers(shopper, sent))
        assert (seen.status_code, seen.json()["type"]) == (403, "/problems/place-refused")
    assert (await door.get("/api/v1/places/current", headers=headers(mine, place))).status_code == 200
    assert await counted(app) == {("place", "forged"): 2, ("place", "shared"): 1}


async def test_passes_and_places_that_were_used(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock)
    mine, thief = await shoppers(app, 2)
    place = await place_of(door, mine)
    await to_the_opening(app, clock)
    await tick(app, clock)
    given = (await door.post("/api/v1/passes", headers=headers(mine, place))).json()["token"]
    for sent, shopper in (("", mine), ("nonsense", mine), (altered(given), mine), (given, thief)):
        refused = await order(door, shopper, sent)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/pass-refused")
    await buy(app, mine)
    await tick(app, clock)
    assert (await order(door, mine, given)).json()["type"] == "/problems/pass-spent"
    used = await door.post("/api/v1/passes", headers=headers(mine, place))
    assert (used.status_code, used.json()["type"]) == (409, "/problems/place-spent")
    expected = {("pass", "forged"): 2, ("pass", "shared"): 1, ("pass", "used"): 1, ("place", "used"): 1}
    assert await counted(app) == expected
    clock.advance(seconds=601)
    assert (await order(door, mine, given)).json()["reason"] == "expired"
    assert await counted(app) == {**expected, ("pass", "expired"): 1}


async def test_answers(app: App, clock: ManualClock, door: AsyncClient) -> None:
    await opened_room(app, clock, work=WorkAsked.ALWAYS)
    mine, thief = await shoppers(app, 2)
    asked = await door.post("/api/v1/challenges", json={"shown_ms": 4_000}, headers=headers(mine))
    good = solved(Challenge(**asked.json())).work

    async def answered(shopper: Shopper, work: str) -> int:
        sent = {"work": work} if work else {}
        return (await door.post("/api/v1/places", json=sent, headers=headers(shopper))).status_code

    assert [await answered(mine, each) for each in ("", "nonsense", good, good)] == [403, 403, 201, 403]
    assert await answered(thief, good) == 403
    clock.advance(seconds=LIFE.total_seconds())
    assert await answered(mine, good) == 403
    kinds = ("forged", "shared", "used", "expired")
    assert await counted(app) == {("answer", kind): 1 for kind in kinds}


async def test_a_browser_that_kept_a_place_of_a_former_sign_in_is_not_counted(
    app: App, clock: ManualClock, door: AsyncClient
) -> None:
    await opened_room(app, clock)
    mine, other = await shoppers(app, 2)
    place = await place_of(door, mine)
    cookies = {"Cookie": f"tg_session={other.session.token}; tg_place={place}"}
    assert (await door.get("/line", headers=cookies)).status_code == 200
    assert await counted(app) == {}


async def test_they_are_metrics_of_a_closed_set_and_go_after_thirty_days(app: App, clock: ManualClock) -> None:
    before = _metrics()
    for reason in (*REASONS, "missing", "early", "given-up", "invented"):
        for token in TokenKind:
            app.bots.misused(token, reason)
    grown = {name: value - before.get(name, 0) for name, value in _metrics().items() if value != before.get(name, 0)}
    times = Counter(REASONS.values())
    assert grown == {(token.value, reason.value): times[reason] for token in TokenKind for reason in Misuse}
    assert sum((await counted(app)).values()) == len(TokenKind) * len(REASONS)
    clock.advance(seconds=31 * 86_400)
    async with app.db.transaction() as tx:
        assert await app.bots.tidy(tx) == len(grown)


def _metrics() -> dict[tuple[str, str], float]:
    found = {}
    for line in exposition().decode().splitlines():
        if line.startswith("tidegate_token_misuse_total"):
            labels = dict(each.split("=") for each in line[line.index("{") + 1 : line.index("}")].split(","))
            found[labels["token"].strip('"'), labels["reason"].strip('"')] = float(line.split()[-1])
    return found
