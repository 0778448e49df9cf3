"""The campaign's JSON doors."""

from httpx import AsyncClient

from tests.offer.festivals import coupon, definition, offer
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign


async def publish(db: Database, campaign: Campaign, price: int) -> None:
    async with db.transaction() as tx:
        await campaign.publish(tx, definition([offer("KTL-1", price), offer("MUG-1")], coupons=[coupon()]), "Lin Yue")
        await campaign.refresh(tx)


async def test_before_anything_is_published(client: AsyncClient) -> None:
    for path in ("/api/v1/campaign", "/api/v1/campaign/rules"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-campaign")
    assert (await client.get("/api/v1/campaign/versions")).json() == []


async def test_the_current_campaign(client: AsyncClient, db: Database, campaign: Campaign) -> None:
    await publish(db, campaign, 8_000)
    current = (await client.get("/api/v1/campaign")).json()
    assert (current["campaign_id"], current["version"], current["phase"]) == ("double-11", 1, "warm_up")
    assert current["phases"][2]["starts_at"] == "2026-11-11T00:00:00Z"
    assert "owners" not in current


async def test_the_rules_of_every_version_stay(client: AsyncClient, db: Database, campaign: Campaign) -> None:
    for price in (8_000, 7_000):
        await publish(db, campaign, price)
    rules = await client.get("/api/v1/campaign/rules")
    assert rules.json()["offers"][0]["price"] == 7_000
    assert rules.json()["coupons"][0]["code"] == "TIDE50"
    again = await client.get("/api/v1/campaign/rules", headers={"If-None-Match": rules.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    old = await client.get("/api/v1/campaign/rules", params={"version": 1, "offset": 1, "limit": 5})
    assert [each["sku"] for each in old.json()["offers"]] == ["MUG-1"]
    assert (old.json()["version"], old.json()["offers_total"]) == (1, 2)
    missing = await client.get("/api/v1/campaign/rules", params={"version": 9})
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/campaign-unknown")
    for wrong in ({"version": 0}, {"limit": 1_001}, {"offset": -1}, {"campaign_id": "../x"}):
        assert (await client.get("/api/v1/campaign/rules", params=wrong)).status_code == 400
    versions = (await client.get("/api/v1/campaign/versions", params={"campaign_id": "double-11"})).json()
    assert [(each["version"], each["current"]) for each in versions] == [(2, True), (1, False)]
    assert "published_by" not in versions[0]
