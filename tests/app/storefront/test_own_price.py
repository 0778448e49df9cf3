"""One price on the goods page, its fragment, the checkout and the order: that of who is looking."""

import httpx
import msgspec

from tests.app.storefront.conftest import visitor
from tests.app.storefront.test_buying import orders, wish
from tests.offer.festivals import coupon, definition, for_new_shoppers, goods, offer
from tests.offer.promotions import amount_off, promotion
from tests.sale.shop import Buyer, publish
from tidegate.app.compose import App
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    OfferKind,
    PromotionLimits,
)


def _festival() -> CampaignDefinition:
    plain = definition(
        entries=[goods("A"), goods("B"), goods("FLASH", 5_000)],
        offers=[offer("A"), offer("B", 9_000), offer("FLASH", 1_000, kind=OfferKind.FLASH, quota=5, per_buyer=1)],
        coupons=[coupon("TIDE50")],
    )
    return msgspec.structs.replace(plain, promotions=(for_new_shoppers("A"),))


PAGES = ("/goods/A", "/goods/A/price?quantity=1", "/checkout?sku=A")


async def test_a_new_shopper_sees_and_pays_the_price_for_new_shoppers(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await publish(app, _festival())
    async with visitor(app) as guest:
        for page in PAGES[:2]:
            answer = await guest.get(page)
            assert "80.00" in answer.text
            assert "67.66" not in answer.text
    for page in PAGES:
        answer = await shop.get(page)
        assert "67.66" in answer.text
        assert "private" in answer.headers["cache-control"] or "no-store" in answer.headers["cache-control"]
    refused = await shop.post("/checkout", data=wish(buyer))
    assert refused.status_code == 409
    assert await orders(app, buyer) == []
    await shop.post("/checkout", data=wish(buyer, expected_total="6766"))
    [order] = await orders(app, buyer)
    assert order.total == 6_766


async def test_goods_whose_price_is_everybodys_are_kept_for_all(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await publish(app, _festival())
    assert "public" in (await shop.get("/goods/B/price?quantity=1")).headers["cache-control"]


async def test_what_one_shopper_has_used_up_is_kept_from_everybodys_page(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    once = promotion("once", amount_off(5_000, 1_000), skus=["B"], limits=PromotionLimits(per_account=1))
    await publish(app, msgspec.structs.replace(_festival(), promotions=(once,)))
    fragment = "/goods/B/price?quantity=1"
    assert "public" in (await shop.get(fragment)).headers["cache-control"]
    for key, status in (("first-key-1", 303), ("second-key-1", 409)):
        answer = await shop.post("/checkout", data=wish(buyer, sku="B", key=key, expected_total="8000"))
        assert answer.status_code == status
    mine = await shop.get(fragment)
    assert "private" in mine.headers["cache-control"]
    assert "¥90.00</dd>" in mine.text
    assert "Its uses or its budget are used up" in mine.text
    async with visitor(app) as guest:
        answer = await guest.get(fragment)
        assert "public" in answer.headers["cache-control"]
        assert "¥80.00</dd>" in answer.text


async def test_a_page_of_ones_own_promises_nothing_that_one_has_used_up(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    once = promotion("once", amount_off(17_000, 5_000), skus=["B"], limits=PromotionLimits(per_account=1))
    await publish(app, msgspec.structs.replace(_festival(), promotions=(once,)))
    more = "¥80.00 more for ¥50.00 off"
    asked = {"lines": [{"sku": "B", "quantity": 1}], "explain": True}
    await shop.post("/cart/lines", data={"sku": "B", "quantity": "1"})
    for page in ("/checkout?sku=B", "/cart"):
        assert more in (await shop.get(page)).text
    bought = wish(buyer, sku="B", quantity="2", expected_total="13000")
    assert (await shop.post("/checkout", data=bought)).status_code == 303
    for page in ("/checkout?sku=B", "/cart"):
        text = (await shop.get(page)).text
        assert more not in text
        assert "Its uses or its budget are used up" in text
    assert more in (await shop.get("/goods/B/price?quantity=1")).text  # everybody's
    quoted = (await shop.post("/api/v1/quotes", json=asked)).json()
    assert ("hints" in quoted, [each["reason"] for each in quoted["not_applied"]]) == (
        False,
        ["exhausted", "coupon"],
    )
    async with visitor(app) as guest:
        assert len((await guest.post("/api/v1/quotes", json=asked)).json()["hints"]) == 1
    assert "¥180.00</dd>" in (await shop.get("/checkout?sku=B&quantity=2")).text
    again = {**bought, "key": "a-fresh-key-2", "expected_total": "18000"}
    assert (await shop.post("/checkout", data=again)).status_code == 303
    assert sorted(order.total for order in await orders(app, buyer)) == [13_000, 18_000]


async def test_a_coupon_that_one_has_used_up_is_not_promised_again(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    plain = _festival()
    few = msgspec.structs.replace(plain, promotions=(), coupons=(coupon("ONCE", 8_000, 1_000, per_buyer=1),))
    await publish(app, few)
    first = wish(buyer, coupon="ONCE", expected_total="7000")
    assert (await shop.post("/checkout", data=first)).status_code == 303
    page = (await shop.get("/checkout?sku=A&coupon=ONCE")).text
    assert "¥80.00</dd>" in page
    assert "The coupon is used up" in page
