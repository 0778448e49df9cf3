"""Pages that everyone may see."""

import re

import httpx
import msgspec
import pytest

from tests.app.storefront.conftest import visitor
from tests.sale.shop import Buyer, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import AmountOff, Bearer, Promotion, Step, Words

PUBLIC_PAGES = ["/", "/?sort=price", "/search?q=goods", "/goods/A", "/rules", "/privacy", "/licence", "/complaint"]


async def test_the_front_page_says_what_is_on_sale_until_when_how_many_and_for_how_much(
    shop: httpx.AsyncClient,
) -> None:
    text = (await shop.get("/")).text
    assert "Double 11" in text
    assert 'data-until="2026-11-14T00:00:00+00:00"' in text
    assert "Goods A" in text
    assert "¥80.00" in text
    assert "<s>¥100.00</s>" in text
    assert "1,000 left" in text
    assert "5 left" in text
    assert 'href="/rules"' in text


@pytest.mark.parametrize("path", PUBLIC_PAGES)
async def test_public_pages_can_be_cached_and_validated(shop: httpx.AsyncClient, path: str) -> None:
    first = await shop.get(path)
    assert first.status_code == 200
    assert first.headers["cache-control"].startswith("public")
    assert {"Accept-Language", "Cookie"} <= set(first.headers["vary"].split(", "))
    again = await shop.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("path", [*PUBLIC_PAGES, "/sign-in", "/nothing/here"])
async def test_every_page_is_guarded(shop: httpx.AsyncClient, path: str) -> None:
    answer = await shop.get(path)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert re.search(r"\sstyle=|<script(?![^>]* src=)|\son[a-z]+=", answer.text) is None
    for entry in ("/rules", "/privacy", "/licence", "/complaint"):
        assert f'href="{entry}"' in answer.text


@pytest.mark.parametrize("path", [*PUBLIC_PAGES, "/sign-in", "/nothing/here"])
async def test_every_page_is_whole_in_chinese(app: App, shop: httpx.AsyncClient, path: str) -> None:
    async with visitor(app, language="zh-CN") as client:
        text = (await client.get(path)).text
    assert '<html lang="zh-Hans-CN"' in text
    assert "我的订单" in text
    assert "My orders" not in text


async def test_the_language_can_be_chosen_by_hand(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/language/zh?next=/goods/A")
    assert (answer.status_code, answer.headers["location"]) == (303, "/goods/A")
    assert "商品 A" in (await shop.get("/goods/A")).text
    elsewhere = await shop.get("/language/zh?next=//evil.example")
    assert elsewhere.headers["location"] == "/"


async def test_a_goods_page_explains_its_price(shop: httpx.AsyncClient) -> None:
    text = (await shop.get("/goods/A")).text
    assert "Goods at list price" in text
    assert "-¥20.00" in text
    assert "You pay" in text
    assert "Buy now" in text


async def test_the_price_of_many_comes_as_a_fragment(shop: httpx.AsyncClient) -> None:
    text = (await shop.get("/goods/A/price?quantity=3")).text
    assert "¥240.00" in text
    assert 'value="24000"' in text


@pytest.mark.parametrize("path", ["/goods/NONE", "/nothing", "/problems/none"])
async def test_an_unknown_address_is_a_page_of_its_own(shop: httpx.AsyncClient, path: str) -> None:
    answer = await shop.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "path",
    ["/?page=0", "/?page=x", "/search?q=a&page=99999", "/goods/A/price?quantity=-1", "/?page=99999999999999999999"],
)
async def test_what_makes_no_sense_is_refused_in_words(shop: httpx.AsyncClient, path: str) -> None:
    answer = await shop.get(path)
    assert 400 <= answer.status_code < 500
    assert "This could not be done" in answer.text


async def test_search_shows_what_is_typed_as_text(shop: httpx.AsyncClient) -> None:
    text = (await shop.get("/search", params={"q": '"><script>alert(1)</script>'})).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


async def test_before_the_sale_one_can_look_but_not_buy(app: App, clock: ManualClock) -> None:
    await publish(app)
    async with visitor(app) as client:
        text = (await client.get("/")).text
        assert "Opens in" in text
        goods = (await client.get("/goods/KTL-1")).text
    assert "The sale has not begun" in goods
    assert "Buy now" not in goods


async def test_after_the_sale_it_says_so(app: App, shop: httpx.AsyncClient, clock: ManualClock) -> None:
    clock.advance(seconds=4 * 86_400)
    assert "The sale is over" in (await shop.get("/goods/B")).text


async def test_without_a_campaign_the_shop_is_closed_in_words(app: App) -> None:
    async with visitor(app) as client:
        for path in ("/", "/rules"):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert "Nothing is on sale right now" in answer.text


async def test_the_rules_are_those_that_price(shop: httpx.AsyncClient) -> None:
    text = (await shop.get("/rules")).text
    for words in ("TIDE50", "¥200.00", "¥50.00", "Goods FLASH", "version 1", "7 days"):
        assert words in text


async def test_a_signed_in_shopper_gets_a_page_of_their_own(shop: httpx.AsyncClient, buyer: Buyer) -> None:
    answer = await shop.get("/goods/A")
    assert answer.headers["cache-control"] == "private, no-store"
    assert "etag" not in answer.headers
    assert str(buyer.address_id) in answer.text
    assert "Order with one click" in answer.text


async def test_the_rules_of_every_version_stay_and_can_be_compared(app: App, shop: httpx.AsyncClient) -> None:
    made = Promotion(
        id="cross-shop",
        label=Words("跨店满减", "Across shops"),
        benefit=AmountOff(steps=(Step(30_000, 5_000),), every=True),
        bearers=(Bearer("platform", 10_000),),
    )
    first = app.campaign.current()
    assert first is not None
    secret = msgspec.structs.replace(first.definition.goods[0], floor=1_234, cost=1_111)
    goods = (secret, *first.definition.goods[1:])
    await publish(app, msgspec.structs.replace(first.definition, promotions=(made,), goods=goods))
    now = (await shop.get("/rules")).text
    assert "¥50.00 off for every" in now
    assert "/rules?version=2&amp;against=1#changes" in now
    then = (await shop.get("/rules?version=1")).text
    assert "These are not the rules of today" in then
    assert "off for every" not in then
    compared = (await shop.get("/rules?version=2&against=1")).text
    assert "What differs from version 1" in compared
    assert "Across shops" in compared
    assert not any(hidden in page for page in (now, compared) for hidden in ("12.34", "11.11", "platform"))
    assert "these two versions have the same rules" in (await shop.get("/rules?version=2&against=2")).text
    assert (await shop.get("/rules?version=3")).status_code == 404
    assert (await shop.get("/rules?all=true")).text.count('href="/goods/') == 3
