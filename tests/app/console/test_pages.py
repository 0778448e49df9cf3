"""The console's pages over HTTP: who may enter, what each shows, how personal data is masked, shown and recorded."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from tests.app.framework import framework_of
from tests.offer.festivals import definition as festival
from tests.offer.festivals import goods, offer
from tests.sale.shop import Buyer, buyers, open_sale, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts
from tidegate.trust.identity.contracts import Role

ORIGIN = "http://console.test"
PASSWORD = "a long enough password"


def visitor(app: App, language: str = "en") -> httpx.AsyncClient:
    headers = {"Accept": "text/html", "Accept-Language": language, "Origin": ORIGIN}
    transport = httpx.ASGITransport(app=framework_of(app))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)


async def enter(app: App, client: httpx.AsyncClient, role: Role) -> None:
    async with app.db.transaction() as tx:
        await app.identity.add_staff(tx, f"a.{role.value}", role, PASSWORD)
    form = {"name": f"a.{role.value}", "password": PASSWORD, "to": "/console/orders"}
    answer = await client.post("/console/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/orders")


@pytest.fixture
async def client(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door of a shop whose sale is open."""
    await publish(app, festival(entries=[goods("A"), goods("B")], offers=[offer("A"), offer("B", 9_000)]))
    open_sale(clock)
    async with visitor(app) as opened:
        yield opened


@pytest.fixture
async def buyer(app: App, client: httpx.AsyncClient) -> Buyer:
    """A shopper with an address."""
    [one] = await buyers(app, 1)
    return one


async def place(app: App, buyer: Buyer) -> UUID:
    """Place an order for one A at its price."""
    quote = app.pricing.price(Cart((CartLine("A", 1),)), Facts(buyer=buyer.account_id))
    placed = await app.ordering.place(buyer.account_id, f"key-{uuid4().hex}", order(buyer, {"A": 1}, quote.total))
    return placed.order_id


PAGES = (
    "/console",
    "/console/orders",
    "/console/payments",
    "/console/campaign",
    "/console/stock",
    "/console/gate",
    "/console/bots",
    "/console/defences",
    "/console/invariants",
)


@pytest.mark.parametrize("path", PAGES)
async def test_who_is_not_signed_in_is_led_to_the_door_and_back(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/sign-in?to={path.replace('/', '%2F')}"


async def test_a_wrong_password_keeps_the_name_and_says_why(client: httpx.AsyncClient) -> None:
    answer = await client.post("/console/sign-in", data={"name": "nobody", "password": "wrong", "to": "/console"})
    assert answer.status_code == 401
    assert 'value="nobody"' in answer.text
    assert "Name or password is not right." in answer.text
    assert "set-cookie" not in answer.headers


async def test_the_door_leads_nowhere_else(app: App, client: httpx.AsyncClient) -> None:
    async with app.db.transaction() as tx:
        await app.identity.add_staff(tx, "lin.wei", Role.DIRECTOR, PASSWORD)
    form = {"name": "lin.wei", "password": PASSWORD, "to": "//elsewhere.example/console"}
    assert (await client.post("/console/sign-in", data=form)).headers["location"] == "/console"


async def test_a_form_from_another_site_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/console/sign-in", data={"name": "a"}, headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_page_opens_in_both_languages(app: App, clock: ManualClock, language: str) -> None:
    await publish(app)
    open_sale(clock)
    async with visitor(app, language) as client:
        await enter(app, client, Role.DIRECTOR)
        await app.monitor.sample(app.db)
        for path in (*PAGES, "/console?wall=1"):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert f'lang="{"zh-Hans-CN" if language == "zh" else "en"}"' in answer.text
            assert answer.headers["cache-control"] == "private, no-store"
            assert "style=" not in answer.text


async def test_an_empty_shop_says_what_comes_next(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.DIRECTOR)
    assert "No orders yet" in (await client.get("/console/orders")).text
    assert "No order fits" in (await client.get("/console/orders?q=nothing")).text
    assert "Not examined yet" in (await client.get("/console/invariants")).text
    assert "The ledger is empty" in (await client.get("/console/payments")).text


async def test_orders_are_found_by_number_sku_state_and_never_by_chance(
    app: App, client: httpx.AsyncClient, buyer: Buyer
) -> None:
    order_id = await place(app, buyer)
    await enter(app, client, Role.SUPPORT)
    for query in ("", f"?q={str(order_id)[:13]}", "?q=A", "?state=placed", "?sort=largest", "?state=nonsense"):
        assert f"/console/orders/{order_id}" in (await client.get(f"/console/orders{query}")).text, query
    for query in ("?q=B", "?state=paid", "?q=%2B8613800131299"):
        assert f"/console/orders/{order_id}" not in (await client.get(f"/console/orders{query}")).text, query


async def test_the_story_tells_price_hold_and_payment(app: App, client: httpx.AsyncClient, buyer: Buyer) -> None:
    order_id = await place(app, buyer)
    await enter(app, client, Role.DIRECTOR)
    page = (await client.get(f"/console/orders/{order_id}")).text
    for words in ("Why it costs that", "Step by step", "1 unit held for this order", "No payment was tried yet."):
        assert words in page
    assert "Your role does not include personal data." in page


async def test_personal_data_is_masked_until_a_purpose_is_stated_and_the_look_is_recorded(
    app: App, client: httpx.AsyncClient, buyer: Buyer
) -> None:
    order_id = await place(app, buyer)
    await enter(app, client, Role.SUPPORT)
    path = f"/console/orders/{order_id}"
    async with app.db.read() as tx:
        saved = (await app.identity.addresses(tx, buyer.account_id))[0].address  # type: ignore[arg-type]
    assert saved.street not in (await client.get(path)).text
    refused = await client.post(f"{path}/reveal", data={"purpose": ""})
    assert (refused.status_code, saved.street in refused.text) == (422, False)
    shown = await client.post(f"{path}/reveal", data={"purpose": "the carrier asks"})
    assert (shown.status_code, saved.street in shown.text) == (200, True)
    async with app.db.read() as tx:
        looks = await app.identity.views(tx, subject=f"order:{order_id}")
    assert [(look.staff_name, look.purpose) for look in looks] == [("a.support", "the carrier asks")]
    assert saved.street not in (await client.get(path)).text


async def test_who_may_not_see_personal_data_cannot_reveal_it(
    app: App, client: httpx.AsyncClient, buyer: Buyer
) -> None:
    order_id = await place(app, buyer)
    await enter(app, client, Role.DIRECTOR)
    answer = await client.post(f"/console/orders/{order_id}/reveal", data={"purpose": "curious"})
    assert answer.status_code == 403
    async with app.db.read() as tx:
        assert await app.identity.views(tx, subject=f"order:{order_id}") == []


async def test_the_export_masks_buyers_by_role(app: App, client: httpx.AsyncClient, buyer: Buyer) -> None:
    order_id = await place(app, buyer)
    await enter(app, client, Role.DIRECTOR)
    masked = await client.get("/console/orders.csv")
    assert masked.headers["content-type"] == "text/csv; charset=utf-8"
    assert str(order_id) in masked.text
    assert str(buyer.account_id) not in masked.text
    client.cookies.clear()
    await enter(app, client, Role.SUPPORT)
    assert str(buyer.account_id) in (await client.get("/console/orders.csv")).text


async def test_a_role_sees_only_its_rooms(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.FULFILMENT)
    answer = await client.get("/console/payments")
    assert answer.status_code == 403
    assert "Not permitted" in answer.text
    assert 'href="/console/payments"' not in (await client.get("/console")).text


async def test_an_examination_on_demand_is_kept(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.ENGINEER)
    assert (await client.post("/console/invariants")).status_code == 303
    page = (await client.get("/console/invariants")).text
    assert "monitor: minutes equal the sum of their seconds" in page


async def test_an_order_is_priced_again_on_its_page(app: App, client: httpx.AsyncClient, buyer: Buyer) -> None:
    order_id = await place(app, buyer)
    await enter(app, client, Role.SUPPORT)
    page = f"/console/orders/{order_id}"
    shown = (await client.get(page)).text
    assert "Priced again" not in shown
    assert 'href="/rules?version=1"' in shown
    assert "Priced again: the same to the cent" in (await client.get(f"{page}?again=true")).text
    async with app.db.transaction() as tx:
        await tx.execute("update ordering.orders set total = total + 1")
    differing = (await client.get(f"{page}?again=true")).text
    assert "Priced again: not the same" in differing
    assert "Total: kept " in differing
    chinese = (await client.get(f"{page}?again=true", headers={"Accept-Language": "zh-CN"})).text
    assert "重新计价：不一致" in chinese


async def test_an_unknown_order_is_a_page_that_says_so(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.DIRECTOR)
    answer = await client.get(f"/console/orders/{uuid4()}")
    assert (answer.status_code, "Order not found" in answer.text) == (404, True)
    assert (await client.get("/console/orders?page=0")).status_code in {400, 422}


async def test_the_live_figures_are_for_staff_only(app: App, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/monitor/live")).status_code in {303, 401}
    await enter(app, client, Role.DIRECTOR)
    await app.monitor.sample(app.db)
    live = (await client.get("/api/v1/monitor/live")).json()
    assert (live["measured"], live["cache_up"], len(live["points"])) == (True, True, 1)
    assert [figure["key"] for figure in live["figures"]] == ["orders", "gmv", "payment_success", "p99", "awaiting"]


async def test_signing_out_ends_the_session(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.DIRECTOR)
    token = client.cookies["tg_staff"]
    assert (await client.post("/console/sign-out")).headers["location"] == "/console/sign-in"
    client.cookies.set("tg_staff", token)
    assert (await client.get("/console")).status_code == 303
