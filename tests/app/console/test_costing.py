"""The editor shows what a draft would cost on the orders that the shop has had."""

import msgspec

from tests.app.console.test_editor import PATH
from tests.app.console.test_pages import enter, visitor
from tests.offer.festivals import definition, goods, offer
from tests.offer.promotions import amount_off, promotion
from tests.sale.ordering.conftest import shop
from tests.sale.ordering.test_life import paid, placed
from tests.sale.payment.conftest import harbour, lantern, two_channels
from tests.sale.shop import buyers, publish
from tidegate.app.compose import App
from tidegate.app.console.costing import past_cost
from tidegate.offer.campaign.api import write_definition
from tidegate.offer.campaign.contracts import Audience, CampaignDefinition, PriceProtection
from tidegate.trust.identity.contracts import Role

__all__ = ["harbour", "lantern", "shop", "two_channels"]


def _sold() -> CampaignDefinition:
    return definition([offer("A", 8_000), offer("B", 9_000)], entries=[goods("A"), goods("B")])


def _planned() -> CampaignDefinition:
    """Ten yuan off two for members: nobody need be one to be counted as one. A difference is given back for a week."""
    cut = promotion("cut", amount_off(16_000, 1_000), audience=(Audience.MEMBERS,))
    return msgspec.structs.replace(_sold(), promotions=(cut,), price_protection=PriceProtection(days=7))


async def test_check_shows_what_each_promotion_costs_on_paid_orders(shop: App) -> None:
    await publish(shop, _sold())
    one, two, three = await buyers(shop, 3)
    files = write_definition(_planned())
    texts = {"campaign": files.campaign, "goods": files.goods, "offers": files.offers}
    form = {**texts, "sku": ["A", ""], "quantity": ["1", "1"]}
    assert await past_cost(shop.db, shop.ordering, _planned()) is None
    await placed(shop, three, {"A": 9}, 72_000)  # never paid
    await paid(shop, one, {"A": 2}, 16_000)
    await paid(shop, two, {"A": 1, "B": 1}, 17_000)
    async with visitor(shop) as client:
        await enter(shop, client, Role.CAMPAIGN_MANAGER)
        for language, words in (
            (
                "en",
                (
                    "What it would cost on past orders",
                    "2 have goods",
                    "Everybody is a member.",
                    "Price protection",
                    "no lower price later",
                ),
            ),
            (
                "zh",
                ("按以往订单估算的成本", "2 个含本活动在售的商品", "人人都是会员。", "价格保护", "没有更低的后续价格"),
            ),
        ):
            page = await client.post(PATH, data=form, headers={"Accept-Language": language})
            assert [word for word in words if word not in page.text] == []
        typed = await client.post(f"{PATH}/check", json=form)
        # It is reckoned when asked for, not at each key.
        assert (typed.status_code, "past orders" in typed.json()["html"]) == (200, False)
    report = await past_cost(shop.db, shop.ordering, _planned())
    assert report is not None
    assert {each.rule: (each.orders, each.units, each.off) for each in report.promotions} == {
        "cut": (2, 4, 2_000),
        "offers": (2, 4, 3 * 2_000 + 1_000),
    }
    assert report.paid == 16_000 + 17_000 - 2_000
    assert [(each.asked, each.off, each.days) for each in report.promised] == [(4, 0, 7)]
