"""Coupons on the shop's pages: claimed, chosen at the checkout, changed or left off, and back after giving up."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from tests.app.storefront.conftest import visitor
from tests.app.storefront.test_buying import orders
from tests.offer.coupons.festival import OFF, PRICE, REDUCED, festival, handed_out, unique
from tests.sale.shop import Buyer, buyers, open_sale, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import Audience, Shipping
from tidegate.offer.coupons.contracts import CouponState, Kept
from tidegate.trust.identity.api import SESSION_COOKIE


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A shop with two coupons to claim, one of which asks for more than one pot costs."""
    far = unique("FAR90", per_account=1)
    await publish(app, festival(unique(per_account=2), far, unique("PAPER", button=False)))
    open_sale(clock)
    async with visitor(app) as client:
        yield client


@pytest.fixture
async def buyer(app: App, shop: httpx.AsyncClient) -> Buyer:
    """A shopper with an address, signed in at `shop`."""
    [one] = await buyers(app, 1)
    shop.cookies.set(SESSION_COOKIE, one.token)
    return one


async def mine(app: App, buyer: Buyer) -> list[Kept]:
    async with app.db.read() as tx:
        return await app.coupons.kept_by(tx, buyer.account_id)


def form(buyer: Buyer, **more: str) -> dict[str, str]:
    usual = {"do": "place", "key": "a-coupon-key-1", "sku": "POT", "quantity": "1", "coupon": "", "own": "none"}
    return {**usual, "address_id": str(buyer.address_id), "expected_total": str(PRICE), **more}


async def test_a_stranger_signs_in_before_claiming(shop: httpx.AsyncClient) -> None:
    front = await shop.get("/")
    assert 'action="/coupons/claims"' in front.text
    assert "PAPER" not in front.text
    answer = await shop.post("/coupons/claims", data={"coupon": "SAVE50"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/coupons")
    assert (await shop.get("/coupons")).headers["location"] == "/sign-in?next=/coupons"


async def test_claim_buy_with_it_cancel_and_it_is_back(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    claimed = await shop.post("/coupons/claims", data={"coupon": "SAVE50"})
    [kept] = await mine(app, buyer)
    assert claimed.headers["location"] == f"/coupons?claimed={kept.code}"
    page = (await shop.get(claimed.headers["location"])).text
    assert "It is yours" in page
    assert kept.code in page
    checkout = (await shop.get("/checkout?sku=POT")).text
    assert f'value="{kept.code}" checked' in checkout
    assert f'name="expected_total" value="{REDUCED}"' in checkout
    placed = await shop.post(
        "/checkout", data=form(buyer, own=kept.code, priced_with=kept.code, expected_total=str(REDUCED))
    )
    [order] = await orders(app, buyer)
    assert (placed.headers["location"], order.total, order.own_coupon) == (
        f"/orders/{order.order_id}", PRICE - OFF, kept.code,
    )  # fmt: skip
    assert "In an order that waits for payment" in (await shop.get("/coupons")).text
    again = (await shop.get("/checkout?sku=POT")).text
    assert "In another order of yours" in again
    assert f'value="{kept.code}" disabled' in again
    await shop.post(f"/orders/{order.order_id}/cancel")
    assert [each.state for each in await mine(app, buyer)] == [CouponState.RETURNED]
    assert "came back" in (await shop.get("/coupons")).text


async def test_the_coupon_can_be_left_off_and_another_price_is_shown_first(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await shop.post("/coupons/claims", data={"coupon": "SAVE50"})
    [kept] = await mine(app, buyer)
    changed = await shop.post(
        "/checkout", data=form(buyer, own="none", priced_with=kept.code, expected_total=str(REDUCED))
    )
    assert "Please check your order" in changed.text
    assert f'name="expected_total" value="{PRICE}"' in changed.text
    assert await orders(app, buyer) == []
    placed = await shop.post("/checkout", data=form(buyer, priced_with="none"))
    assert placed.status_code == 303
    assert [order.own_coupon for order in await orders(app, buyer)] == [None]


async def test_a_coupon_that_saves_nothing_cannot_be_chosen_and_says_why(app: App, clock: ManualClock) -> None:
    made = msgspec.structs.replace(festival(), shipping=Shipping(fee=OFF, free_from=PRICE))
    await publish(app, made)
    open_sale(clock)
    [one] = await buyers(app, 1)
    async with visitor(app) as client:
        client.cookies.set(SESSION_COOKIE, one.token)
        await client.post("/coupons/claims", data={"coupon": "SAVE50"})
        [kept] = await mine(app, one)
        page = (await client.get("/checkout?sku=POT")).text
        chosen = await client.post("/checkout", data=form(one, own=kept.code, priced_with=kept.code))
        placed = await client.post("/checkout", data=form(one))
    assert f'value="{kept.code}" disabled' in page
    assert "The coupon saves nothing here" in page
    assert f'name="expected_total" value="{PRICE}"' in page
    assert (chosen.status_code, placed.status_code) == (409, 303)
    assert [each.own_coupon for each in await orders(app, one)] == [None]
    assert [each.state for each in await mine(app, one)] == [CouponState.UNUSED]


async def test_a_coupon_for_each_audience_is_shown_with_whom_it_is_for(app: App, clock: ManualClock) -> None:
    words = {"new": "for new customers", "returning": "for returning customers", "members": "for members"}
    chinese = {"new": "新客专享", "returning": "老客专享", "members": "会员专享"}
    offered = [unique(f"FOR{number}", audience=[each]) for number, each in enumerate(Audience)]
    offered.append(unique("FORALL", audience=[*Audience]))
    await publish(app, festival(*offered))
    open_sale(clock)
    [one] = await buyers(app, 1)
    for language, said in (("en", words), ("zh", chinese)):
        async with visitor(app, language=language) as client:
            assert (await client.get("/")).status_code == 200
            client.cookies.set(SESSION_COOKIE, one.token)
            page = await client.get("/coupons")
        assert page.status_code == 200
        assert {each: page.text.count(said[each]) for each in said} == dict.fromkeys(said, 1)


async def test_a_code_from_paper_is_claimed_where_it_is_typed(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    [code] = await handed_out(app, 1, "PAPER")
    shown = await shop.post("/checkout", data=form(buyer, do="price", coupon=code.lower()))
    assert f'value="{code}" checked' in shown.text
    assert [each.code for each in await mine(app, buyer)] == [code]
    wrong = code[:-1] + ("A" if code[-1] != "A" else "C")
    refused = await shop.post("/checkout", data=form(buyer, coupon=wrong))
    assert refused.status_code == 422
    assert "This code has a typing error" in refused.text
    assert await orders(app, buyer) == []


async def test_what_is_refused_says_why_in_both_languages(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    for _ in range(2):
        await shop.post("/coupons/claims", data={"coupon": "SAVE50"})
    refused = await shop.post("/coupons/claims", data={"coupon": "SAVE50"})
    assert refused.status_code == 409
    assert "You have claimed this coupon" in refused.text
    refused = await shop.post("/coupons/claims", data={"coupon": "NOTHING"}, headers={"Accept-Language": "zh"})
    assert "没有可领取的这种优惠券" in refused.text
    assert 'value="NOTHING"' in refused.text
    assert len(await mine(app, buyer)) == 2


async def test_the_door_for_programs_claims_and_lists(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    headers = {"Authorization": f"Bearer {buyer.token}"}
    claimed = await shop.post("/api/v1/coupons/claims", json={"coupon": "FAR90"}, headers=headers)
    assert claimed.status_code == 201
    assert claimed.json()["state"] == "unused"
    listed = await shop.get("/api/v1/coupons", headers=headers)
    assert listed.json()["coupons"] == [claimed.json()]
    again = await shop.post("/api/v1/coupons/claims", json={"coupon": "FAR90"}, headers=headers)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/coupon-claim-limit-reached")
    quote = await shop.post(
        "/api/v1/quotes",
        json={"lines": [{"sku": "POT", "quantity": 1}], "coupon": claimed.json()["code"]},
        headers=headers,
    )
    assert quote.json()["total"] == REDUCED
