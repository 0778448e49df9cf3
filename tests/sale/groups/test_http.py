"""The doors to groups, over HTTP: what they answer, how they refuse, and that they are limited as orders are."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from tests.app.framework import framework_of
from tests.sale.groups.company import PRICE, SKU, festival
from tests.sale.shop import Buyer, buyers, open_sale, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.admission.contracts import PASS_HEADER, PassWindow
from tidegate.offer.campaign.contracts import LimitedAct, LimitScope, RateLimit


@pytest.fixture
async def client(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a shop whose accounts may place a few orders at once."""
    limit = RateLimit(
        name="orders", act=LimitedAct.PLACE_ORDER, scope=LimitScope.ACCOUNT, quota=1, window_seconds=3_600, burst=3
    )
    await publish(app, msgspec.structs.replace(festival(), rate_limits=(limit,)))
    open_sale(clock)
    transport = httpx.ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as opened:
        yield opened


def headers(app: App, buyer: Buyer, key: str = "http-key-1") -> dict[str, str]:
    """What an order of this buyer is sent with."""
    definition = festival()
    session = app.identity.session(buyer.token)
    assert session is not None
    window = PassWindow(
        campaign_id=definition.id, opens_at=definition.phases[0].starts_at, closes_at=definition.phases[-1].ends_at
    )
    token = app.admission.issue_pass(session.account_id, session.session_id, window).token
    return {"Authorization": f"Bearer {buyer.token}", PASS_HEADER: token, "Idempotency-Key": key}


async def test_open_join_and_look(app: App, client: httpx.AsyncClient) -> None:
    one, two = await buyers(app, 2)
    [offered] = (await client.get("/api/v1/group-offers")).json()["offers"]
    assert (offered["sku"], offered["price"], offered["size"], offered["left"]) == (SKU, PRICE, 3, 300)
    wish = {"sku": SKU, "address_id": str(one.address_id), "expected_total": PRICE}
    opened = await client.post("/api/v1/groups", json=wish, headers=headers(app, one))
    assert opened.status_code == 201
    again = await client.post("/api/v1/groups", json=wish, headers=headers(app, one))
    assert again.json() == opened.json()
    group_id = opened.json()["group_id"]
    place = {"address_id": str(two.address_id), "expected_total": PRICE}
    joined = await client.post(f"/api/v1/groups/{group_id}/seats", json=place, headers=headers(app, two))
    assert (joined.status_code, joined.json()["order"]["total"]) == (201, PRICE)
    public = (await client.get(f"/api/v1/groups/{group_id}")).json()
    assert (public["places_left"], [seat["state"] for seat in public["seats"]]) == (1, ["taken", "taken"])
    assert "order_id" not in public or public["order_id"] is None
    own = (await client.get(f"/api/v1/groups/{group_id}", headers=headers(app, two))).json()
    assert own["order_id"] == joined.json()["order"]["order_id"]
    [mine] = (await client.get("/api/v1/groups", headers=headers(app, two))).json()["groups"]
    assert (mine["seat"], mine["group"]["group_id"]) == ("taken", group_id)


async def test_refusals_are_problem_documents(app: App, client: httpx.AsyncClient) -> None:
    [one] = await buyers(app, 1)
    wish = {"sku": "A", "address_id": str(one.address_id), "expected_total": PRICE}
    other = await client.post("/api/v1/groups", json=wish, headers=headers(app, one))
    assert (other.status_code, other.json()["type"]) == (409, "/problems/not-sold-to-groups")
    without = {**headers(app, one), PASS_HEADER: ""}
    refused = await client.post("/api/v1/groups", json={**wish, "sku": SKU}, headers=without)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/pass-refused")
    unknown = await client.get("/api/v1/groups/018f3f6a-0000-7000-8000-000000000000")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/group-unknown")


async def test_who_asks_too_often_is_refused_as_with_orders(app: App, client: httpx.AsyncClient) -> None:
    one, two = await buyers(app, 2)
    wish = {"sku": SKU, "address_id": str(one.address_id), "expected_total": PRICE}
    opened = (await client.post("/api/v1/groups", json=wish, headers=headers(app, one))).json()
    for _ in range(2):
        await client.post("/api/v1/groups", json=wish, headers=headers(app, one))
    refused = await client.post("/api/v1/groups", json=wish, headers=headers(app, one))
    assert refused.status_code == 429
    place = {"address_id": str(two.address_id), "expected_total": PRICE}
    address = f"/api/v1/groups/{opened['group_id']}/seats"
    statuses = [(await client.post(address, json=place, headers=headers(app, two))).status_code for _ in range(4)]
    assert statuses == [201, 201, 201, 429]
