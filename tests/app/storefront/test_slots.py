"""A flash price in slots on every page that tells a price: front, goods, fragment, checkout, JSON, console, rules."""

import httpx
import msgspec
import pytest

from tests.app.console.test_pages import enter
from tests.app.console.test_pages import visitor as staff_at
from tests.app.storefront.conftest import visitor
from tests.app.storefront.test_buying import orders, wish
from tests.offer.festivals import coupon, definition, goods, offer
from tests.offer.slots_made import flash, slot
from tests.sale.shop import Buyer, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import OfferKind
from tidegate.trust.identity.contracts import Role

ORDINARY, FLASH = "80.00", "50.00"


@pytest.fixture(autouse=True)
async def festival(app: App, shop: httpx.AsyncClient) -> None:
    """One minute into the sale A is at its ordinary price; a slot begins a minute later, and one after that."""
    del shop
    plain = definition(
        [offer("A"), offer("B", 9_000), offer("FLASH", 1_000, kind=OfferKind.FLASH, quota=5, per_buyer=1)],
        entries=[goods("A"), goods("B"), goods("FLASH", 5_000)],
        coupons=[coupon("TIDE50")],
    )
    slots = flash(slot("one", 2, 30, 3, 2), slot("two", 120, 30, 5))
    await publish(app, msgspec.structs.replace(plain, promotions=(slots,)))


async def test_pages_fragment_and_quote_tell_the_same_price_before_within_and_after_a_slot(
    app: App, clock: ManualClock
) -> None:
    for seconds, said, price in (
        (0, "Next slot", ORDINARY),
        (60, "On sale now", FLASH),
        (1_800, "Next slot", ORDINARY),
    ):
        clock.advance(seconds=seconds)
        async with visitor(app) as guest:
            page = (await guest.get("/goods/A")).text
            assert said in page
            assert f'<span class="price__now">¥{price}' in page
            assert f"¥{price}</dd>" in (await guest.get("/goods/A/price?quantity=1")).text
            front = (await guest.get("/")).text
            assert "Flash prices by the hour" in front
            assert f'<span class="price__now">¥{price}' in front
            cart = {"lines": [{"sku": "A", "quantity": 1}]}
            quote = (await guest.post("/api/v1/quotes", json=cart)).json()
            assert quote["total"] == int(price.replace(".", ""))


async def test_more_than_one_may_have_costs_the_ordinary_price_and_says_why(app: App, clock: ManualClock) -> None:
    clock.advance(seconds=60)
    async with visitor(app) as guest:
        two = (await guest.get("/goods/A/price?quantity=2")).text
        three = (await guest.get("/goods/A/price?quantity=3")).text
        assert "¥100.00</dd>" in two
        assert "One account may have 2 in this slot" not in two
        assert "¥240.00</dd>" in three
        assert "One account may have 2 in this slot" in three
    async with visitor(app, language="zh") as guest:
        assert "本场每人限购 2 件" in (await guest.get("/goods/A/price?quantity=3")).text
        page = (await guest.get("/goods/A")).text
        assert "本场剩 3 件" in page
        assert "一场未售完的件数不转入下一场。" in page
        rules = (await guest.get("/rules")).text
        assert "在以下 2 个场次内每件 ¥50.00" in rules
        assert "：3 件，每人限 2 件" in rules


async def test_an_order_takes_a_unit_of_the_slot_and_the_pages_and_the_console_follow(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, clock: ManualClock
) -> None:
    clock.advance(seconds=60)
    assert FLASH in (await shop.get("/checkout?sku=A")).text
    await shop.post("/checkout", data=wish(buyer, quantity="2", expected_total="10000"))
    [order] = await orders(app, buyer)
    assert [line.unit_price for line in order.priced.lines] == [5_000]
    await app.refresh()
    clock.advance(seconds=3)
    slots = (await shop.get("/api/v1/slots?skus=A,B")).json()["slots"]
    assert [(each["name"], each["left"], each["state"], each["price"]) for each in slots] == [
        ("one", 1, "on", 5_000),
        ("two", 5, "next", 5_000),
    ]
    async with visitor(app) as guest:
        assert "1 left in this slot" in (await guest.get("/goods/A")).text
    async with staff_at(app) as browser:
        await enter(app, browser, Role.SUPPORT)
        page = (await browser.get("/console/slots")).text
        assert "flash/one" in page
        cells = page[page.index("flash/one") :].split("</tr>")[0]
        assert [cell.split("</td>")[0] for cell in cells.split('<td class="number">')[1:]] == [
            "¥50.00",
            "3",
            "2",
            "1",
            "2",
        ]


async def test_an_order_whose_slot_is_over_is_shown_the_price_of_now(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, clock: ManualClock
) -> None:
    clock.advance(seconds=60 + 30 * 60)
    refused = await shop.post("/checkout", data=wish(buyer, expected_total="5000"))
    assert refused.status_code == 409
    assert "80.00" in refused.text
    assert await orders(app, buyer) == []
