"""Prize draws on the pages of shop and console."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.console.test_pages import enter
from tests.app.storefront.conftest import visitor
from tests.sale.draws.festival import festival
from tests.sale.shop import buyers, open_sale, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.trust.identity.api import SESSION_COOKIE
from tidegate.trust.identity.contracts import Role


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """An open shop with a draw."""
    await publish(app, festival())
    await app.draws.step()
    open_sale(clock)
    async with visitor(app) as client:
        yield client


async def test_conditions_hash_and_the_outcome_are_public(
    app: App, shop: httpx.AsyncClient, clock: ManualClock
) -> None:
    assert 'href="/draws"' in (await shop.get("/")).text
    async with app.db.read() as tx:
        [view] = await app.draws.views(tx, "double-11")
    page = (await shop.get("/draws")).text
    for said in ("The draw", "Orders count now", "A pot: 1 of them", "Organiser: Tidegate", view.seed_hash):
        assert said in page
    assert "抽奖机会" in (await shop.get("/draws", headers={"Accept-Language": "zh"})).text
    assert "Organiser: Tidegate" in (await shop.get("/rules")).text
    [buyer] = await buyers(app, 1)
    shop.cookies.set(SESSION_COOKIE, buyer.token)
    assert "No order of yours takes part." in (await shop.get("/draws")).text
    clock.advance(seconds=90_100)
    await app.draws.step()
    done = (await shop.get("/draws")).text
    assert "Nobody took part." in done
    async with app.db.read() as tx:
        [view] = await app.draws.views(tx, "double-11")
    assert view.root is not None
    assert view.root in done
    listed = (await shop.get(f"/api/v1/draws/{view.draw_id}/sealed")).json()
    assert listed == {"entries": []}
    assert (await shop.get("/api/v1/draws")).json()["draws"][0]["state"] == "drawn"
    await enter(app, shop, Role.CAMPAIGN_MANAGER)
    console = (await shop.get("/console/draws")).text
    for said in ("The draw", view.seed_hash, view.root, "50 %"):
        assert said in console
