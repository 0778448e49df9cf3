"""Group buying on the shop's pages: what is sold, opening, sharing, joining, and what a group's page says."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from tests.app.storefront.conftest import visitor
from tests.sale.groups.company import PRICE, SKU, festival, found, join
from tests.sale.shop import Buyer, buyers, open_sale, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.sale.groups.contracts import Group
from tidegate.trust.identity.api import SESSION_COOKIE


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """An open shop that sells one kettle to groups of three, two units a buyer."""
    await publish(app, festival(per_buyer=2))
    open_sale(clock)
    async with visitor(app) as client:
        yield client


@pytest.fixture
async def buyer(app: App, shop: httpx.AsyncClient) -> Buyer:
    """A shopper with an address, signed in at `shop`."""
    [one] = await buyers(app, 1)
    shop.cookies.set(SESSION_COOKIE, one.token)
    return one


def form(buyer: Buyer, **more: str) -> dict[str, str]:
    usual = {"do": "place", "key": "a-group-key-1", "quantity": "1", "address_id": str(buyer.address_id)}
    return {**usual, "expected_total": str(PRICE), **more}


async def groups_of(app: App, buyer: Buyer) -> list[Group]:
    async with app.db.read() as tx:
        return [group for group, _ in await app.groups.groups_of(tx, buyer.account_id)]


async def test_what_is_sold_to_groups_leads_from_everywhere(shop: httpx.AsyncClient) -> None:
    assert 'href="/groups"' in (await shop.get("/")).text
    page = (await shop.get("/groups")).text
    for said in ("group of 3", "¥59.00", "fills within 24 hours", "300 left", f'href="/groups/open/{SKU}"'):
        assert said in page
    assert f'href="/groups/open/{SKU}"' in (await shop.get(f"/goods/{SKU}")).text
    assert "all paid within 24 hours" in (await shop.get("/rules")).text
    chinese = (await shop.get("/groups", headers={"Accept-Language": "zh"})).text
    assert "3 人团" in chinese
    assert "限时 24 小时" in chinese


async def test_a_campaign_that_sells_to_groups_only_has_its_pages(app: App, clock: ManualClock) -> None:
    made = festival()
    sold = [entry for entry in made.goods if entry.sku == SKU]
    await publish(app, msgspec.structs.replace(made, goods=tuple(sold), offers=(), coupons=(), limits=()))
    open_sale(clock)
    async with visitor(app) as client:
        for path in ("/", "/groups", "/rules", "/search?q=kettle", f"/goods/{SKU}", f"/groups/open/{SKU}"):
            answer = await client.get(path)
            assert answer.status_code in {200, 303}, path
        assert f'href="/groups/open/{SKU}"' in (await client.get("/groups")).text


async def test_open_share_and_join(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    assert f'value="{PRICE}"' in (await shop.get(f"/groups/open/{SKU}")).text
    placed = await shop.post(f"/groups/open/{SKU}", data=form(buyer))
    [group] = await groups_of(app, buyer)
    order_page = (await shop.get(placed.headers["location"])).text
    assert f"/groups/{group.group_id}" in order_page
    mine = (await shop.get(f"/groups/{group.group_id}")).text
    for said in ("3 more and the group price holds", "Pay for my place", "Share this group", "1 place is being paid"):
        assert said in mine
    assert "My groups" in (await shop.get("/groups")).text

    [other] = await buyers(app, 1)
    async with visitor(app) as friend:
        seen = (await friend.get(f"/groups/{group.group_id}")).text
        assert "Join for ¥59.00" in seen
        assert str(buyer.account_id) not in seen
        assert (await friend.get(f"/groups/{group.group_id}/join")).headers["location"].startswith("/sign-in")
        friend.cookies.set(SESSION_COOKIE, other.token)
        joined = await friend.post(f"/groups/{group.group_id}/join", data=form(other))
        assert joined.headers["location"].startswith("/orders/")
        again = await friend.post(f"/groups/{group.group_id}/join", data=form(other, key="a-group-key-2"))
        assert again.status_code == 409
        assert "You are in this group already" in again.text
    now = (await shop.get(f"/groups/{group.group_id}/now")).json()
    assert (now["settled"], now["mark"].count("taken")) == (False, 2)


async def test_what_is_refused_comes_back_with_the_form(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    cheaper = await shop.post(f"/groups/open/{SKU}", data=form(buyer, expected_total="1"))
    assert (cheaper.status_code, "The price has changed" in cheaper.text) == (409, True)
    many = await shop.post(f"/groups/open/{SKU}", data=form(buyer, quantity="3"))
    assert (many.status_code, "Your limit is reached" in many.text) == (409, True)
    empty = await shop.post(f"/groups/open/{SKU}", data=form(buyer, address_id="new"))
    assert empty.status_code == 422
    assert await groups_of(app, buyer) == []
    priced = await shop.post(f"/groups/open/{SKU}", data=form(buyer, quantity="2", do="price"))
    assert f'value="{2 * PRICE}"' in priced.text
    assert (await shop.get("/groups/open/A")).status_code == 404
    assert (await shop.get(f"/groups/{uuid4()}")).status_code == 404


async def test_a_full_and_a_failed_group_say_so(
    app: App, shop: httpx.AsyncClient, clock: ManualClock, buyer: Buyer
) -> None:
    people = await buyers(app, 3)
    first = await found(app, people[0])
    for each in people[1:]:
        await join(app, first.group_id, each)
    assert "All places are taken" in (await shop.get(f"/groups/{first.group_id}")).text
    clock.advance(seconds=24 * 3_600 + 10)
    await app.groups.end_due()
    page = (await shop.get(f"/groups/{first.group_id}")).text
    assert "The group was not filled in time" in page
    assert "Open a group of my own" in page
    assert UUID(str(first.group_id)) not in {each.group_id for each in await groups_of(app, buyer)}
