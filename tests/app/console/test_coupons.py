"""The console's page of coupons: totals, one code's story, withdrawing and writing out, each for who may."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.offer.coupons.festival import REDUCED, claim, festival, handed_out, unique
from tests.sale.shop import buyers, open_sale, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.coupons.contracts import CouponState
from tidegate.trust.identity.contracts import Role


@pytest.fixture
async def client(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door of a shop with coupons."""
    await publish(app, festival(unique(), unique("PAPER", button=False)))
    open_sale(clock)
    async with visitor(app) as browser:
        yield browser


async def test_totals_and_a_story_are_shown(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.SUPPORT)
    [buyer] = await buyers(app, 1)
    code = (await claim(app, buyer.account_id)).code
    await app.ordering.place(buyer.account_id, "console-key-1", order(buyer, {"POT": 1}, REDUCED, code))
    page = (await client.get(f"/console/coupons?q={code.lower()}")).text
    for said in ("SAVE50", "PAPER", "An order took it", "In an unpaid order", "No codes were made to be handed out"):
        assert said in page
    assert "Withdraw the code" not in page  # an order has it
    assert "There is no such code." in (await client.get("/console/coupons?q=NOTHING")).text
    assert "券模板" in (await client.get("/console/coupons", headers={"Accept-Language": "zh"})).text


async def test_a_code_is_withdrawn_with_a_reason(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.SUPPORT)
    [code] = await handed_out(app, 1, "PAPER")
    refused = await client.post(f"/console/coupons/{code}/revoke", data={"reason": " "})
    assert refused.status_code == 422
    assert "Say why, in words" in refused.text
    done = await client.post(f"/console/coupons/{code}/revoke", data={"reason": "printed twice"})
    assert (done.status_code, done.headers["location"]) == (303, f"/console/coupons?q={code}#code")
    assert "a.support: printed twice" in (await client.get(done.headers["location"])).text
    async with app.db.read() as tx:
        assert (await app.coupons.desk.story(tx, code)).coupon.state is CouponState.REVOKED


async def test_codes_are_written_out_on_record_by_who_may(app: App, client: httpx.AsyncClient) -> None:
    await enter(app, client, Role.CAMPAIGN_MANAGER)
    codes = await handed_out(app, 3, "PAPER")
    async with app.db.read() as tx:
        [batch] = await app.coupons.desk.batches(tx, "double-11")
    address = f"/console/coupons/batches/{batch.batch_id}/export"
    assert (await client.post(address, data={"reason": ""})).status_code == 422
    written = await client.post(address, data={"reason": "for the leaflet"})
    assert written.text.splitlines() == ["code,state", *[f"{code},unclaimed" for code in codes]]
    assert written.headers["cache-control"] == "private, no-store"
    assert "a.campaign-manager" in (await client.get("/console/coupons")).text
    async with visitor(app) as other:
        await enter(app, other, Role.SUPPORT)
        assert (await other.post(address, data={"reason": "curious"})).status_code == 403
    async with app.db.read() as tx:
        assert len(await app.coupons.desk.exports(tx, [batch.batch_id])) == 1
