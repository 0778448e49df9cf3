"""After the purchase over HTTP: the pages of returns and price protection, and their JSON, for the buyer alone."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import msgspec
import pytest

from tests.app.console.test_pages import ORIGIN, visitor
from tests.sale.ordering.conftest import shop
from tests.sale.ordering.test_life import paid, refunded, show
from tests.sale.ordering.test_returns import CART, TOTAL, with_gifts
from tests.sale.payment.conftest import harbour, lantern, two_channels
from tests.sale.shop import Buyer, buyers, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignDefinition, GiftPolicy, PriceProtection
from tidegate.sale.ordering.contracts import OrderState
from tidegate.trust.identity.api import SESSION_COOKIE

__all__ = ["harbour", "lantern", "shop", "two_channels"]


def selling(cup: int = 3_333) -> CampaignDefinition:
    """Cups at this price with gifts that are paid when kept, protected for a week."""
    made = msgspec.structs.replace(with_gifts(GiftPolicy.PAY), price_protection=PriceProtection(days=7))
    offers = [msgspec.structs.replace(each, price=cup) if each.sku == "CUP" else each for each in made.offers]
    return msgspec.structs.replace(made, offers=tuple(offers))


@pytest.fixture
async def buyer(shop: App) -> Buyer:
    """A shopper of a shop that sells cups."""
    await publish(shop, selling())
    [one] = await buyers(shop, 1)
    return one


@pytest.fixture
async def client(shop: App, buyer: Buyer) -> AsyncIterator[httpx.AsyncClient]:
    """The shopper's browser."""
    async with visitor(shop) as opened:
        opened.cookies.set(SESSION_COOKIE, buyer.token)
        yield opened


async def test_a_part_goes_back_for_what_was_shown(
    shop: App, client: httpx.AsyncClient, buyer: Buyer, clock: ManualClock
) -> None:
    order_id = await paid(shop, buyer, CART, TOTAL)
    page = f"/orders/{order_id}/return"
    assert 'name="units-TRAY"' in (await client.get(page)).text
    nothing = await client.post(f"{page}/preview", data={"units-CUP": "0"})
    assert "Nothing is chosen yet" in nothing.text
    units = {"units-CUP": "2", "units-POT": "9", "reason": "too many"}
    shown = await client.post(f"{page}/preview", data=units)
    assert shown.status_code == 200
    assert "Kept for gifts that stay with you" in shown.text
    amount = shown.text.partition('name="amount" value="')[2].partition('"')[0]
    other = await client.post(page, data=units | {"amount": str(int(amount) + 1)})
    assert (other.status_code, "The refund has changed" in other.text) == (409, True)
    assert (await show(shop, order_id)).refunded == 0
    key = shown.text.partition('name="key" value="')[2].partition('"')[0]
    for _ in range(2):  # a second click
        done = await client.post(page, data=units | {"amount": amount, "key": key})
        assert (done.status_code, done.headers["location"]) == (303, f"/orders/{order_id}#returned")
    await refunded(shop, clock)
    assert (await show(shop, order_id)).refunded == int(amount)
    told = (await client.get(f"/orders/{order_id}")).text
    assert "Units given back" in told
    assert "were kept for gifts that stay with you" in told


async def test_json_previews_and_refunds_the_same(shop: App, client: httpx.AsyncClient, buyer: Buyer) -> None:
    order_id = await paid(shop, buyer, CART, TOTAL)
    path = f"/api/v1/orders/{order_id}/refunds"
    body = {"lines": [{"sku": "CUP", "quantity": 3}, {"sku": "POT", "quantity": 2}]}
    plan = (await client.post(f"{path}/preview", json=body)).json()
    assert plan == {
        "amount": TOTAL - 1_500,
        "points": 0,
        "gifts": [{"promotion": "tray", "sku": "TRAY", "units": 1, "value": 1_500}],
        "shipping": 800,
        "withheld": 1_500,
    }
    key = {"Idempotency-Key": "return-of-all-1"}
    changed = await client.post(path, json=body | {"expected_amount": 1}, headers=key)
    assert (changed.status_code, changed.json()["type"].rpartition("/")[2]) == (409, "refund-changed")
    made = await client.post(path, json=body | {"expected_amount": plan["amount"]}, headers=key)
    assert (made.status_code, made.json()["amount"]) == (201, plan["amount"])
    again = await client.post(path, json=body | {"expected_amount": plan["amount"]}, headers=key)
    assert again.json()["refund_id"] == made.json()["refund_id"], "the answer to the first may have been lost"
    assert (await client.post(path, json=body)).status_code == 422, "without a key nothing is given back"
    async with shop.db.transaction() as tx:
        await tx.execute("update ordering.refund set asked_by = 'Lin'")
    [listed] = (await client.get(path)).json()
    assert (listed["withheld"], listed["asked_by"]) == (1_500, "")


async def test_a_reason_that_cannot_be_kept_gives_nothing_back(
    shop: App, client: httpx.AsyncClient, buyer: Buyer
) -> None:
    order_id = await paid(shop, buyer, CART, TOTAL)
    path, reason = f"/api/v1/orders/{order_id}", "too\0many"
    key = {"Idempotency-Key": "one-cup-back"}
    lines = [{"sku": "CUP", "quantity": 1}]
    given_up = await client.post(f"{path}/cancellation", json={"reason": reason})
    given_back = await client.post(f"{path}/refunds", json={"lines": lines, "reason": reason}, headers=key)
    form = await client.post(f"/orders/{order_id}/return", data={"units-CUP": "1", "reason": reason, "amount": "3333"})
    for answer in (given_up, given_back):
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/text-not-allowed")
    assert form.status_code < 500
    order = await show(shop, order_id)
    assert (order.state, order.refunded) == (OrderState.PAID, 0)
    assert (await client.get(f"{path}/refunds")).json() == []


async def test_the_difference_is_shown_given_and_explained(
    shop: App, client: httpx.AsyncClient, buyer: Buyer, clock: ManualClock
) -> None:
    order_id = await paid(shop, buyer, {"CUP": 1}, 3_333 + 800)
    page = f"/orders/{order_id}/protection"
    assert "Nothing is due now" in (await client.get(page)).text
    refused = await client.post(page)
    assert (refused.status_code, "Not cheaper today" in refused.text) == (409, True)
    await publish(shop, selling(cup=3_000))
    assert "It costs less today" in (await client.get(f"/orders/{order_id}")).text
    assert "You get back ¥3.33 now" in (await client.get(page)).text
    look = (await client.get(f"/api/v1/orders/{order_id}/price-protection")).json()["now"]
    assert (look["due"], look["given"], look["open"]) == (333, 0, True)
    done = await client.post(page)
    assert (done.status_code, done.headers["location"]) == (303, f"{page}#given")
    told = (await client.get(page)).text
    assert "The price on that day, step by step" in told
    again = await client.post(f"/api/v1/orders/{order_id}/price-protection")
    assert (again.status_code, again.json()["given"]) == (409, 333)
    await refunded(shop, clock)
    found = await show(shop, order_id)
    assert (found.state, found.refunded) == (OrderState.PAID, 333)
    assert "you keep them" in (await client.get(f"/orders/{order_id}")).text


@pytest.mark.parametrize("path", ["return", "protection"])
async def test_nobody_else_sees_or_gives_back(shop: App, client: httpx.AsyncClient, buyer: Buyer, path: str) -> None:
    order_id = await paid(shop, buyer, {"CUP": 1}, 3_333 + 800)
    [other] = await buyers(shop, 1)
    async with visitor(shop) as stranger:
        stranger.cookies.set(SESSION_COOKIE, other.token)
        assert (await stranger.get(f"/orders/{order_id}/{path}")).status_code == 404
        sent = await stranger.post(f"/orders/{order_id}/{path}", data={"units-CUP": "1", "amount": "3333"})
        assert sent.status_code == 404
    foreign = await client.post(
        f"/orders/{order_id}/{path}", data={"units-CUP": "1"}, headers={"Origin": "http://elsewhere.test"}
    )
    assert foreign.status_code == 403
    assert ORIGIN != "http://elsewhere.test"
    assert await _refunds(shop, order_id) == 0


async def _refunds(shop: App, order_id: UUID) -> int:
    async with shop.db.read() as tx:
        return len(await shop.ordering.refunds_of(tx, order_id))
