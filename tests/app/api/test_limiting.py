"""The doors that are limited: each answers 429 with which limit and when to come back, and did nothing then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient
from litestar.routes import HTTPRoute

from tests.app.framework import framework_of
from tests.offer.festivals import definition, offer
from tests.sale.shop import Buyer, buyers, open_sale, order, publish
from tidegate.app.api.application import build
from tidegate.app.api.hot import Front
from tidegate.app.api.limiting import ACTS
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.admission.contracts import PASS_HEADER, PassWindow
from tidegate.gate.limits.contracts import LimitedAct, LimitScope, RateLimit
from tidegate.offer.campaign.contracts import PhaseName


def one_a_day(act: LimitedAct, scope: LimitScope = LimitScope.ADDRESS) -> RateLimit:
    return RateLimit(
        name=f"{act}-{scope}".replace("_", "-"), act=act, scope=scope, quota=1, window_seconds=86_400, burst=1
    )


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> App:
    """A sale where everything may be done once a day from one address, and an order placed once by an account."""
    stated = (*(one_a_day(act) for act in LimitedAct), one_a_day(LimitedAct.PLACE_ORDER, LimitScope.ACCOUNT))
    await publish(app, msgspec.structs.replace(definition([offer("A", quota=50)]), rate_limits=stated))
    open_sale(clock)
    return app


@asynccontextmanager
async def from_address(app: App, address: str) -> AsyncIterator[AsyncClient]:
    """A client at that address; what it writes into X-Forwarded-For is not believed."""
    transport = ASGITransport(Front(app, framework_of(app)), client=(address, 40_000))  # type: ignore[arg-type]
    async with AsyncClient(
        transport=transport, base_url="http://shop", headers={"X-Forwarded-For": "192.0.2.99"}
    ) as client:
        yield client


async def test_a_search_too_many_says_which_limit_and_when_to_come_back(shop: App) -> None:
    async with from_address(shop, "203.0.113.7") as client, from_address(shop, "203.0.113.8") as other:
        assert (await client.get("/api/v1/search?q=A")).status_code == 200
        refused = await client.get("/api/v1/search?q=A")
        assert refused.status_code == 429
        wait = refused.json()["retry_after"]
        assert 86_390 < wait <= 86_400
        assert refused.headers["Retry-After"] == str(wait)
        assert refused.headers["RateLimit-Policy"] == '"search-address";q=1;w=86400'
        assert refused.headers["RateLimit"] == f'"search-address";r=0;t={wait}'
        assert refused.headers["Cache-Control"] == "no-store"
        assert refused.json()["rate_limit"] == {
            "name": "search-address", "scope": "address", "quota": 1, "window_seconds": 86_400, "remaining": 0,
        }  # fmt: skip
        assert "was not looked at and changed nothing" in refused.json()["detail"]
        assert (await other.get("/api/v1/search?q=A")).status_code == 200


@pytest.mark.parametrize("again", ["/api/v1/search/", "/api/v1//search", "/search", "/search/"])
async def test_another_spelling_is_no_way_around(shop: App, again: str) -> None:
    async with from_address(shop, "203.0.113.7") as client:
        assert (await client.get("/api/v1/search?q=A")).status_code == 200
        assert (await client.get(again + "?q=A")).status_code in {404, 429}


async def test_a_person_gets_a_page(shop: App) -> None:
    async with from_address(shop, "203.0.113.7") as client:
        assert (await client.get("/search?q=A", headers={"Accept-Language": "zh-CN"})).status_code == 200
        refused = await client.get("/search?q=A", headers={"Accept-Language": "zh-CN", "Accept": "text/html"})
    assert refused.status_code == 429
    assert refused.headers["RateLimit"].startswith('"search-address";r=0;t=')
    assert "请求过于频繁" in refused.text
    assert f"请在 {refused.headers['Retry-After']} 秒后再试" in refused.text


async def test_codes_and_sign_ins_are_limited_before_anybody_is_known(shop: App) -> None:
    async with from_address(shop, "203.0.113.7") as client:
        first = await client.post("/api/v1/codes", json={"phone": "+8613800138000"})
        assert first.status_code == 202
        assert (await client.post("/api/v1/codes", json={"phone": "+8613800138001"})).status_code == 429
        wrong = {"phone": "+8613800138000", "code": "000000"}
        assert (await client.post("/api/v1/sessions", json=wrong)).status_code not in {201, 429}
        assert (await client.post("/api/v1/sessions", json=wrong)).status_code == 429
        staff = {"name": "lin.wei", "password": "a guess"}
        assert (await client.post("/api/v1/staff/sessions", json=staff)).status_code == 429


def ordering(app: App, buyer: Buyer) -> dict[str, str]:
    """What a buyer's order carries in its headers."""
    session = app.identity.require_session(buyer.token)
    version = app.campaign.current()
    assert version is not None
    window = PassWindow(
        campaign_id=version.campaign_id,
        opens_at=version.definition.phase(PhaseName.WARM_UP).starts_at,
        closes_at=version.definition.phase(PhaseName.WIND_DOWN).ends_at,
    )
    token = app.admission.issue_pass(session.account_id, session.session_id, window).token
    return {"Authorization": f"Bearer {buyer.token}", PASS_HEADER: token, "Content-Type": "application/json"}


async def placed(client: AsyncClient, app: App, buyer: Buyer, key: str, total: int = 8_000) -> int:
    body = msgspec.json.encode(order(buyer, {"A": 1}, total))
    headers = {**ordering(app, buyer), "Idempotency-Key": key}
    return (await client.post("/api/v1/orders", content=body, headers=headers)).status_code


async def test_orders_are_limited_by_account_and_by_address(shop: App) -> None:
    one, two = await buyers(shop, 2)
    async with from_address(shop, "203.0.113.7") as client, from_address(shop, "203.0.113.8") as other:
        assert await placed(client, shop, one, "first-key-1") == 201
        assert await placed(other, shop, one, "second-key-1") == 429
        assert await placed(client, shop, two, "third-key-1") == 429
        assert await placed(other, shop, two, "fourth-key-1") == 201
    async with shop.db.read() as tx:
        levels = await shop.stock.levels(tx, shop.pricing.rules.campaign_id, ["A"])
    assert levels["A"].held == 2


async def test_an_order_that_is_refused_is_counted_too(shop: App) -> None:
    [buyer] = await buyers(shop, 1)
    async with from_address(shop, "203.0.113.7") as client:
        assert await placed(client, shop, buyer, "first-key-1", total=7_999) == 409
        assert await placed(client, shop, buyer, "second-key-1") == 429


async def test_a_pass_is_taken_once(shop: App) -> None:
    [buyer] = await buyers(shop, 1)
    async with from_address(shop, "203.0.113.7") as client:
        headers = {"Authorization": f"Bearer {buyer.token}"}
        assert (await client.post("/api/v1/passes", headers=headers)).status_code == 201
        assert (await client.post("/api/v1/passes", headers=headers)).status_code == 429


async def test_a_trusted_proxy_says_who_asks_and_nobody_else(shop: App) -> None:
    async def search(client: AsyncClient, forwarded: str) -> int:
        return (await client.get("/api/v1/search?q=A", headers={"X-Forwarded-For": forwarded})).status_code

    front = build(shop, ["10.0.0.0/8"])
    behind, mapped, around = (
        ASGITransport(front, client=(address, 40_000))  # type: ignore[arg-type]  # narrower than httpx's
        for address in ("10.0.0.1", "::ffff:10.0.0.1", "203.0.113.50")
    )
    async with (
        AsyncClient(transport=behind, base_url="http://shop") as proxy,
        AsyncClient(transport=mapped, base_url="http://shop") as same_proxy,
        AsyncClient(transport=around, base_url="http://shop") as stranger,
    ):
        assert await search(proxy, "203.0.113.7") == 200
        assert await search(proxy, "203.0.113.8") == 200
        assert await search(proxy, "192.0.2.1, 203.0.113.7") == 429
        assert await search(proxy, "203.0.113.7:40001") == 429
        assert await search(same_proxy, "203.0.113.8") == 429
        assert await search(same_proxy, "203.0.113.9") == 200
        assert await search(stranger, "203.0.113.60") == 200
        assert await search(stranger, "203.0.113.61") == 429


def test_every_limited_address_is_a_door(app: App) -> None:
    known = {
        (method, route.path_format)
        for route in framework_of(app).routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
    }
    assert set(ACTS) <= known
