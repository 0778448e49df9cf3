"""Buying by forms: the order exists once, for the price that was shown, or nothing has changed."""

import re

import httpx
import pytest

from tests.sale.shop import Buyer, levels
from tidegate.app.compose import App
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.sale.ordering.contracts import Order, OrderState

ADDRESS = {
    "name": "林月",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "street": "文三路 90 号",
}


def wish(buyer: Buyer | None = None, **changes: str) -> dict[str, str]:
    """The checkout's form as the page fills it."""
    usual = {"do": "place", "key": "a-fresh-key-1", "sku": "A", "quantity": "1", "coupon": "", "expected_total": "8000"}
    address = {"address_id": str(buyer.address_id)} if buyer else {"address_id": "new", **ADDRESS}
    return {**usual, **address, **changes}


async def orders(app: App, buyer: Buyer) -> list[Order]:
    async with app.db.read() as tx:
        return await app.ordering.orders_of(tx, buyer.account_id)


async def free(app: App, sku: str) -> int:
    return (await levels(app, CampaignId("double-11"), [sku]))[sku].free


async def test_a_stranger_signs_in_first_and_comes_back(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/checkout?sku=A&quantity=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/checkout%3Fsku%3DA%26quantity%3D2"
    posted = await shop.post("/checkout", data=wish())
    assert posted.headers["location"] == "/sign-in?next=/goods/A"


async def test_one_click_places_the_order(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish(buyer))
    [order] = await orders(app, buyer)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{order.order_id}")
    assert (order.total, order.state, order.address_id) == (8_000, OrderState.PLACED, buyer.address_id)
    assert await free(app, "A") == 999


async def test_the_same_form_twice_is_one_order(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    first = await shop.post("/checkout", data=wish(buyer))
    second = await shop.post("/checkout", data=wish(buyer))
    assert first.headers["location"] == second.headers["location"]
    assert len(await orders(app, buyer)) == 1


async def test_the_form_once_remembers_the_address(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish())
    assert answer.status_code == 303
    assert "To 林*, 杭州市 西湖区" in (await shop.get("/goods/A")).text or "林月" in (await shop.get("/goods/A")).text


async def test_a_faulty_address_comes_back_with_everything_that_was_entered(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    answer = await shop.post("/checkout", data=wish(street="", phone="12", name="林月", quantity="3"))
    assert answer.status_code == 422
    assert "Enter street, house and room." in answer.text
    assert "Enter a phone number for the courier." in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'value="林月"' in answer.text
    assert re.search(r'name="quantity"[^>]*value="3"', answer.text)
    assert await orders(app, buyer) == []


async def test_another_price_than_shown_is_not_charged(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish(buyer, expected_total="7000"))
    assert answer.status_code == 409
    assert "The price has changed" in answer.text
    assert 'name="expected_total" value="8000"' in answer.text
    assert await orders(app, buyer) == []
    assert await free(app, "A") == 1_000


async def test_the_price_is_worked_out_again_without_ordering(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish(buyer, do="price", quantity="3", coupon="TIDE50"))
    assert answer.status_code == 200
    assert "¥190.00" in answer.text
    assert await orders(app, buyer) == []


async def test_a_wrong_coupon_is_said_at_its_field(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish(buyer, coupon="NONE"))
    assert answer.status_code == 422
    assert "This coupon is not valid" in answer.text
    assert 'value="NONE"' in answer.text
    assert await orders(app, buyer) == []


async def test_sold_out_says_so_and_changes_nothing(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish(buyer, quantity="1001", expected_total="8008000"))
    assert answer.status_code == 409
    assert "Only 1000 are left now" in answer.text
    assert await free(app, "A") == 1_000


async def test_a_limit_is_explained(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    flash = {"sku": "FLASH", "expected_total": "1000"}
    assert (await shop.post("/checkout", data=wish(buyer, **flash))).status_code == 303
    answer = await shop.post("/checkout", data=wish(buyer, key="another-key-2", **flash))
    assert answer.status_code == 409
    assert "Your limit is reached" in answer.text
    assert await free(app, "FLASH") == 4


async def test_someone_elses_address_is_refused(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish(buyer, address_id="0197f000-0000-7000-8000-000000000000"))
    assert answer.status_code == 422
    assert "This address is not among yours" in answer.text
    assert await orders(app, buyer) == []


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}])
async def test_a_form_of_another_site_is_refused(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, headers: dict[str, str]
) -> None:
    answer = await shop.post("/checkout", data=wish(buyer), headers=headers)
    assert answer.status_code == 403
    assert await orders(app, buyer) == []


async def test_a_form_that_is_far_too_large_is_refused(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.post("/checkout", data=wish(buyer, street="x" * 100_000))
    assert answer.status_code == 413
    assert "That is too much for one form" in answer.text
    assert await orders(app, buyer) == []


async def test_an_orders_page_tells_the_whole_story_to_its_buyer_only(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await shop.post("/checkout", data=wish(buyer))
    [order] = await orders(app, buyer)
    page = await shop.get(f"/orders/{order.order_id}")
    assert page.headers["cache-control"] == "private, no-store"
    assert "Ordered. Please pay now" in page.text
    assert "Pay ¥80.00" in page.text
    now = (await shop.get(f"/orders/{order.order_id}/now")).json()
    assert now == {"mark": "placed/open///0", "settled": False}
    assert "Goods A" in (await shop.get("/orders")).text
    shop.cookies.clear()
    assert (await shop.get(f"/orders/{order.order_id}")).status_code == 303


async def test_giving_up_frees_the_units_at_once(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    await shop.post("/checkout", data=wish(buyer))
    [order] = await orders(app, buyer)
    answer = await shop.post(f"/orders/{order.order_id}/cancel")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{order.order_id}")
    assert await free(app, "A") == 1_000
    text = (await shop.get(f"/orders/{order.order_id}")).text
    assert "Nothing was charged" in text
    assert "Order again" in text


async def test_with_no_channel_at_hand_the_order_stays_and_can_be_paid_later(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await shop.post("/checkout", data=wish(buyer))
    [order] = await orders(app, buyer)
    answer = await shop.post(f"/orders/{order.order_id}/pay", data={"channel": ""})
    page = answer.text if answer.status_code != 303 else (await shop.get(f"/orders/{order.order_id}")).text
    assert "Nothing was charged" in page
    assert "Pay ¥80.00" in page


async def test_someone_elses_order_cannot_be_seen_paid_or_cancelled(shop: httpx.AsyncClient, buyer: Buyer) -> None:
    strange = "/orders/0197f000-0000-7000-8000-000000000000"
    assert (await shop.get(strange)).status_code == 404
    assert (await shop.get(f"{strange}/now")).status_code == 404
    assert (await shop.post(f"{strange}/pay")).status_code == 404
    assert (await shop.post(f"{strange}/cancel")).status_code == 404
