"""The quote door."""

import pytest
from httpx import AsyncClient

from tests.offer.festivals import coupon, definition, offer
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.pricing.api import Pricing


@pytest.fixture
async def on_sale(db: Database, campaign: Campaign, pricing: Pricing) -> None:
    async with db.transaction() as tx:
        await campaign.publish(tx, definition([offer("KTL-1", per_buyer=5)], coupons=[coupon()]), "Lin Yue")
        await campaign.refresh(tx)
    pricing.refresh()


async def test_a_quote_explains_its_price(client: AsyncClient, on_sale: None) -> None:
    asked = {"lines": [{"sku": "KTL-1", "quantity": 3}], "coupon": "TIDE50"}
    answer = await client.post("/api/v1/quotes", json=asked)
    assert answer.status_code == 200
    quote = answer.json()
    assert (quote["goods_total"], quote["discount_total"], quote["shipping"], quote["total"]) == (
        24_000,
        5_000,
        0,
        19_000,
    )
    assert sum(step["amount"] for step in quote["steps"]) == 19_000
    assert quote["lines"][0]["shares"] == [{"units": 1, "paid": 6_334}, {"units": 2, "paid": 6_333}]
    assert (quote["campaign_id"], quote["rules_version"], len(quote["trace_hash"])) == ("double-11", 1, 64)
    assert "counters" not in quote


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ({"lines": [{"sku": "NONE", "quantity": 1}]}, 404, "/problems/unknown-goods"),
        ({"lines": [{"sku": "KTL-1", "quantity": 6}]}, 409, "/problems/buyer-limit-reached"),
        ({"lines": [{"sku": "KTL-1", "quantity": 1}], "coupon": "TIDE50"}, 409, "/problems/threshold-not-met"),
        ({"lines": [{"sku": "KTL-1", "quantity": 1}], "coupon": "X"}, 422, "/problems/coupon-not-valid"),
        ({"lines": [{"sku": "KTL-1", "quantity": 0}]}, 400, None),
        ({"lines": [{"sku": "KTL-1", "quantity": 1.5}]}, 400, None),
        ({"lines": [{"sku": "KTL-1", "quantity": 10**30}]}, 400, None),
        ({"lines": [{"sku": "K" * 65, "quantity": 1}]}, 400, None),
        ({"lines": []}, 400, None),
        ({"lines": [{"sku": "KTL-1", "quantity": 1}] * 201}, 400, None),
        ({"lines": [{"sku": "KTL-1", "quantity": 1, "price": 1}]}, 400, None),
    ],
)
async def test_what_cannot_be_quoted(
    client: AsyncClient, on_sale: None, asked: dict[str, object], status: int, kind: str | None
) -> None:
    answer = await client.post("/api/v1/quotes", json=asked)
    assert answer.status_code == status
    if kind:
        assert answer.json()["type"] == kind


async def test_without_a_campaign_nothing_is_quoted(client: AsyncClient) -> None:
    answer = await client.post("/api/v1/quotes", json={"lines": [{"sku": "KTL-1", "quantity": 1}]})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-campaign")
