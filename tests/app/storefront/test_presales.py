"""A presale on the shop's pages and over JSON: reserve, pay deposit and balance, give up; with real channels."""

import re
from datetime import timedelta

import httpx

from tests.app.storefront.conftest import visitor
from tests.sale.ordering.conftest import shop as shop  # noqa: PLC0414 fixtures are found by their names
from tests.sale.payment.conftest import harbour as harbour  # noqa: PLC0414
from tests.sale.payment.conftest import lantern as lantern  # noqa: PLC0414
from tests.sale.payment.conftest import two_channels as two_channels  # noqa: PLC0414
from tests.sale.presale.presales_made import SKU, deliver, festival, presale, show, to_balance
from tests.sale.shop import Buyer, broken, buyers, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.sale.presale.contracts import Reservation, ReservationState
from tidegate.trust.identity.api import SESSION_COOKIE

SHORT = timedelta(minutes=10)
"""No longer than a session lasts without its shopper doing anything."""
WISH = {"sku": SKU, "quantity": "2", "deposit": "10000", "balance": "80000", "agree": "yes"}


async def signed_in(app: App, *, language: str = "en") -> tuple[httpx.AsyncClient, Buyer]:
    await publish(app, festival(presale(day=SHORT)))
    [buyer] = await buyers(app, 1)
    client = visitor(app, language=language)
    client.cookies.set(SESSION_COOKIE, buyer.token)
    return client, buyer


async def newest(app: App, buyer: Buyer) -> Reservation:
    async with app.db.read() as tx:
        return (await app.presales.reservations_of(tx, buyer.account_id))[0]


async def test_from_the_goods_to_the_order(shop: App, clock: ManualClock) -> None:
    client, buyer = await signed_in(shop)
    async with client:
        assert "1 product in presale" in (await client.get("/")).text
        assert f'href="/presales/{SKU}"' in (await client.get("/presales")).text
        assert f'href="/presales/{SKU}"' in (await client.get(f"/goods/{SKU}")).text
        page = (await client.get(f"/presales/{SKU}")).text
        assert "Deposit ¥100.00 counts for ¥200.00" in page
        assert "¥900.00" in page
        key = re.search(r'name="key" value="(\w+)"', page)
        assert key is not None
        made = await client.post("/reservations", data={**WISH, "key": key[1]})
        assert made.headers["location"] == f"/reservations/{(await newest(shop, buyer)).reservation_id}"
        here = made.headers["location"]
        assert "Pay the deposit of ¥200.00" in (await client.get(here)).text
        assert (await client.post(f"{here}/deposit", data={})).headers["location"] == here
        await deliver(shop)
        assert "The balance comes later" in (await client.get(here)).text
        to_balance(clock, SHORT)
        assert "Pay the balance of ¥1,600.00" in (await client.get(here)).text
        await client.post(f"{here}/balance", data={"address_id": str(buyer.address_id)})
        await deliver(shop)
        assert "It is an order now" in (await client.get(here)).text
        order = (await client.get(here.replace("reservations", "orders"))).text
        assert "Of this ¥200.00 were paid as the deposit" in order
        assert "Paid" in (await client.get("/reservations")).text
        await client.post(f"{here.replace('reservations', 'orders')}/cancel", data={})
        order = (await client.get(here.replace("reservations", "orders"))).text
        assert "Refund of ¥1,600.00 begun" in order
        assert "Refund of ¥200.00 begun" in order
        assert (await client.get(f"{here}/now")).json()["settled"] is True
    assert await broken(shop) == []


async def test_nobody_reserves_without_agreeing_and_nobody_loses_a_deposit_by_mistake(shop: App) -> None:
    client, buyer = await signed_in(shop)
    async with client:
        refused = await client.post("/reservations", data={**WISH, "agree": "", "key": "a-presale-key-1"})
        assert (refused.status_code, "Please agree first" in refused.text) == (422, True)
        made = await client.post("/reservations", data={**WISH, "key": "a-presale-key-1"})
        here = made.headers["location"]
        await client.post(f"{here}/deposit", data={})
        await deliver(shop)
        refused = await client.post(f"{here}/give-up", data={})
        assert (refused.status_code, "The deposit would be lost" in refused.text) == (409, True)
        found = await newest(shop, buyer)
        assert found.state is ReservationState.DEPOSITED
        assert (await client.post(f"{here}/give-up", data={"agree": "yes"})).status_code == 303
        assert "The deposit is lost" in (await client.get(here)).text
    assert (await show(shop, found.reservation_id)).state is ReservationState.FORFEITED


async def test_a_wrong_address_is_marked_where_it_is_wrong(shop: App, clock: ManualClock) -> None:
    client, buyer = await signed_in(shop)
    entered = {
        "name": "林月",
        "phone": "12",
        "province": "浙江省",
        "city": "杭州市",
        "district": "西湖区",
        "street": "文三路",
    }
    async with client:
        here = (await client.post("/reservations", data={**WISH, "key": "a-presale-key-1"})).headers["location"]
        await client.post(f"{here}/deposit", data={})
        await deliver(shop)
        to_balance(clock, SHORT)
        refused = await client.post(f"{here}/balance", data={"address_id": "new", **entered})
    assert refused.status_code == 422
    assert [name for name in entered if f'name="{name}"' in refused.text] == list(entered)
    assert re.findall(r'name="(\w+)"[^>]*aria-invalid="true"', refused.text) == ["phone"]
    assert 'value="文三路"' in refused.text
    assert "Your address is stored encrypted" in refused.text
    assert (await newest(shop, buyer)).state is ReservationState.DEPOSITED


async def test_a_stranger_signs_in_first_and_sees_nobody_elses(shop: App) -> None:
    client, buyer = await signed_in(shop, language="zh")
    async with client, visitor(shop) as stranger:
        asked = await stranger.post("/reservations", data={**WISH, "key": "a-presale-key-1"})
        assert asked.headers["location"] == f"/sign-in?next=/presales/{SKU}"
        made = await client.post("/reservations", data={**WISH, "key": "a-presale-key-1"})
        page = (await client.get(made.headers["location"])).text
        assert "付定金 ¥200.00" in page
        [other] = await buyers(shop, 1)
        stranger.cookies.set(SESSION_COOKIE, other.token)
        assert (await stranger.get(made.headers["location"])).status_code == 404
    assert (await newest(shop, buyer)).state is ReservationState.RESERVED


async def test_over_json(shop: App, clock: ManualClock) -> None:
    client, buyer = await signed_in(shop)
    client.headers["Accept"] = "application/json"
    async with client:
        [offered] = (await client.get("/api/v1/presales")).json()["presales"]
        assert (offered["in_all"], offered["left"]) == (90_000, 10)
        body = {"sku": SKU, "quantity": 1, "expected_deposit": 10_000, "expected_balance": 80_000}
        key = {"Idempotency-Key": "a-presale-key-1"}
        made = (await client.post("/api/v1/presales/reservations", json=body, headers=key)).json()
        again = (await client.post("/api/v1/presales/reservations", json=body, headers=key)).json()
        assert made["reservation_id"] == again["reservation_id"]
        here = f"/api/v1/presales/reservations/{made['reservation_id']}"
        assert (await client.post(f"{here}/deposit")).json()["state"] == "captured"
        await deliver(shop)
        early = await client.post(f"{here}/balance", json={"address_id": str(buyer.address_id)})
        assert (early.status_code, early.json()["type"]) == (409, "/problems/balance-not-due")
        kept = await client.post(f"{here}/cancellation")
        assert (kept.status_code, kept.json()["type"]) == (409, "/problems/deposit-would-be-lost")
        to_balance(clock, SHORT)
        paid = await client.post(f"{here}/balance", json={"address_id": str(buyer.address_id)})
        assert paid.json()["amount"] == 80_000
        await deliver(shop)
        assert (await client.get(here)).json()["state"] == "completed"
        [row] = (await client.get("/api/v1/presales/reservations")).json()["reservations"]
        assert row["reservation_id"] == made["reservation_id"]
    assert await broken(shop) == []
