"""The console's pages of group buying."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.console.test_pages import enter, visitor
from tests.sale.groups.company import SKU, festival, found, join
from tests.sale.shop import buyers, open_sale, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.trust.identity.contracts import Role


@pytest.fixture
async def client(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the door of a shop that sells a kettle to groups."""
    await publish(app, festival())
    open_sale(clock)
    async with visitor(app) as browser:
        yield browser


async def test_groups_are_listed_filtered_and_shown_with_their_orders(
    app: App, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await enter(app, client, Role.SUPPORT)
    assert "No groups yet" in (await client.get("/console/groups")).text
    one, two = await buyers(app, 2)
    first = await found(app, one)
    second = await join(app, first.group_id, two)
    page = (await client.get("/console/groups")).text
    for said in ("0 / 2 / 3", f"/console/groups/{first.group_id}", f"Goods {SKU}", "298 / 300"):
        assert said in page
    assert "No group fits" in (await client.get("/console/groups?state=filled")).text
    assert str(first.group_id) in (await client.get(f"/console/groups?state=forming&sku={SKU}")).text
    shown = (await client.get(f"/console/groups/{first.group_id}")).text
    for order_id in (first.order.order_id, second.order.order_id):
        assert f"/console/orders/{order_id}" in shown
    clock.advance(seconds=24 * 3_600 + 10)
    await app.groups.end_due()
    await enter(app, client, Role.DIRECTOR)
    assert "未成团" in (await client.get("/console/groups", headers={"Accept-Language": "zh"})).text
    assert (await client.get("/console/groups/018f3f6a-0000-7000-8000-000000000000")).status_code == 404
