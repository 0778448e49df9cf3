"""My points: the balance with its story, and points at the checkout."""

import httpx
import msgspec

from tests.app.storefront.conftest import visitor
from tests.app.storefront.test_buying import orders, wish
from tests.offer.festivals import coupon, definition, goods, offer
from tests.sale.ordering.test_points import festival, grant
from tests.sale.shop import Buyer, publish
from tidegate.app.compose import App
from tidegate.offer.campaign.contracts import CampaignDefinition, OfferKind


def _festival() -> CampaignDefinition:
    """The shop's goods and coupon, with points."""
    plain = definition(
        entries=[goods("A"), goods("B"), goods("FLASH", 5_000)],
        offers=[offer("A"), offer("B", 9_000), offer("FLASH", 1_000, kind=OfferKind.FLASH, quota=5, per_buyer=1)],
        coupons=[coupon("TIDE50")],
    )
    with_points = festival()
    return msgspec.structs.replace(plain, promotions=with_points.promotions, earning=with_points.earning)


async def test_points_are_chosen_at_the_checkout_and_shown_with_their_story(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await publish(app, _festival())
    assert 'name="points"' not in (await shop.get("/checkout?sku=A")).text
    await grant(app, buyer, 1_500)
    page = (await shop.get("/checkout?sku=A")).text
    assert 'name="points"' in page
    assert "1,500 points are there" in page
    priced = await shop.post("/checkout", data=wish(buyer, do="price", points="9999"))
    assert "Spends 1,500 points." in priced.text
    assert "Earns 18 points once it is paid." in priced.text  # 65.00 paid: 6 times 3
    assert "65.00" in priced.text
    other = await shop.post("/checkout", data=wish(buyer, points="1500"))  # at the price without them
    assert other.status_code == 409
    answer = await shop.post("/checkout", data=wish(buyer, points="1500", expected_total="6500"))
    assert answer.status_code == 303
    [order] = await orders(app, buyer)
    assert (order.total, order.priced.points_used) == (6_500, 1_500)
    story = (await shop.get("/points")).text
    assert "a start" in story
    assert f"/orders/{order.order_id}" in story
    assert "1,500 points are with orders that wait for payment" in story
    chinese = visitor(app, language="zh")
    chinese.cookies = shop.cookies
    assert "1,500 积分在待付款订单中" in (await chinese.get("/points")).text


async def test_points_belong_to_whoever_is_signed_in(shop: httpx.AsyncClient, buyer: Buyer) -> None:
    assert "No points yet" in (await shop.get("/points")).text
    async with httpx.AsyncClient(transport=shop._transport, base_url=shop.base_url) as stranger:
        assert (await stranger.get("/points", headers={"Accept": "text/html"})).status_code in {303, 401}


async def test_the_published_rules_say_how_points_are_earned_and_spent(app: App, shop: httpx.AsyncClient) -> None:
    await publish(app, _festival())
    rules = (await shop.get("/rules")).text
    assert "earns 3 points, 25 points an order at most" in rules
    assert "100 points pay" in rules
    assert "up to 50 % of what is to pay for the goods" in rules
