"""The cart on the shop's pages: several goods priced and ordered as one; a line that cannot be is named and kept."""

import re
from collections.abc import AsyncIterator, Mapping

import httpx
import msgspec
import pytest

from tests.app.storefront.conftest import visitor
from tests.app.storefront.test_buying import free, orders
from tests.offer.festivals import coupon, limit, offer
from tests.offer.promotions import amount_off, entry, platform, promotion
from tests.offer.promotions import festival as promoted
from tests.sale.shop import Buyer, open_sale, order, publish
from tidegate.app.compose import App
from tidegate.app.storefront.cart import COOKIE, LINES_MAX
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import Bearer, CampaignDefinition, Gift, GroupBuy, Limit, Measure, Words
from tidegate.offer.pricing.contracts import StepKind
from tidegate.trust.identity.api import SESSION_COOKIE

PRICES = {"KETTLE": 16_000, "TEA": 15_000, "MUG": 4_000, "FEW": 5_000, "ONE": 1_000}
HALF_EACH = (Bearer("platform", 5_000), Bearer("shop", 5_000))


def shops() -> CampaignDefinition:
    """Two shops: 50.00 off from 300.00 on across both, half of it borne by each shop; a coupon of 20.00 from 180.00.

    FEW has 3 units; of ONE a buyer may have one, and of MUG and FEW together four.
    """
    shop_of = {"KETTLE": "kettles", "TEA": "teas", "MUG": "teas"}
    return promoted(
        PRICES,
        [platform("across", amount_off(30_000, 5_000), bearers=HALF_EACH)],
        entries=[
            entry(sku, price * 2, shop=shop_of.get(sku, "")) for sku, price in [*PRICES.items(), ("GROUP", 9_000)]
        ],
        offers=[
            offer(sku, price, quota=3 if sku == "FEW" else 100, per_buyer=1 if sku == "ONE" else 0)
            for sku, price in PRICES.items()
        ],
        coupons=[coupon("SAVE20", threshold=18_000, off=2_000)],
        limits=[limit("small", ["MUG", "FEW"], per_buyer=4)],
    )


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """The two shops, open."""
    await publish(app, shops())
    open_sale(clock)
    async with visitor(app) as client:
        yield client


def kept(shop: httpx.AsyncClient) -> str:
    """What the browser keeps of its cart."""
    return shop.cookies.get(COOKIE) or ""


async def put_in(shop: httpx.AsyncClient, units: Mapping[str, int]) -> None:
    for sku, quantity in units.items():
        answer = await shop.post("/cart/lines", data={"sku": sku, "quantity": str(quantity)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/cart?added=yes")


async def say(shop: httpx.AsyncClient, path: str = "/cart") -> str:
    """A page's text without its marks and its white space."""
    answer = await shop.get(path)
    assert answer.status_code == 200
    return plain(answer.text)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def form(page: httpx.Response, buyer: Buyer, **more: str) -> dict[str, str]:
    """The checkout's form as its page has it, with the buyer's address."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {"do": "place", "coupon": "", "own": "none", "address_id": str(buyer.address_id)} | hidden | more


async def test_an_empty_cart_says_what_it_is_for(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/cart")
    assert answer.headers["cache-control"] == "private, no-store"
    assert "Your cart is empty" in answer.text
    assert (await shop.get("/checkout")).headers["location"] == "/cart"


async def test_adding_changing_removing_and_putting_back(shop: httpx.AsyncClient) -> None:
    await put_in(shop, {"KETTLE": 1, "MUG": 2})
    await put_in(shop, {"MUG": 1})
    assert kept(shop) == "KETTLE:1~MUG:3"
    text = await say(shop)
    assert "Goods KETTLE" in text
    assert "¥280.00" in text
    assert '<span class="head__count figures" data-cart-count>4</span>' in (await shop.get("/cart")).text
    assert (await shop.post("/cart/lines/MUG", data={"quantity": "2"})).headers["location"] == "/cart"
    assert kept(shop) == "KETTLE:1~MUG:2"
    removed = await shop.post("/cart/lines/KETTLE", data={"quantity": "0"})
    assert (removed.headers["location"], kept(shop)) == ("/cart?removed=KETTLE&units=1", "MUG:2")
    page = await shop.get(removed.headers["location"])
    assert "Removed: Goods KETTLE" in page.text
    assert 'name="lines" value="KETTLE:1"' in page.text
    await shop.post("/cart/lines", data={"lines": "KETTLE:1"})
    assert kept(shop) == "MUG:2~KETTLE:1"
    await shop.post("/cart/emptying")
    assert kept(shop) == ""


async def test_the_cart_is_kept_from_other_sites_and_for_thirty_days(shop: httpx.AsyncClient) -> None:
    answer = await shop.post("/cart/lines", data={"sku": "MUG", "quantity": "1"})
    [cookie] = [each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE)]
    assert cookie.lower().startswith("tg_cart=mug:1;")
    assert "SameSite=lax" in cookie
    assert "Max-Age=2592000" in cookie
    foreign = await shop.post("/cart/lines", data={"sku": "TEA"}, headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, kept(shop)) == (403, "MUG:1")


async def test_a_page_that_is_not_left_is_told_the_count(shop: httpx.AsyncClient) -> None:
    headers = {"Accept": "application/json"}
    added = await shop.post("/cart/lines", data={"sku": "TEA", "quantity": "2"}, headers=headers)
    assert (added.status_code, added.json()) == (200, {"count": 2, "said": "It is in your cart.", "text": ""})
    refused = await shop.post("/cart/lines", data={"sku": "NONE"}, headers=headers)
    assert (refused.status_code, refused.json()["count"], kept(shop)) == (409, 2, "TEA:2")


@pytest.mark.parametrize("damaged", ["no cart", "A:0", "A:1~A:1", "x" * 3_000, "<b>:1", "%00%ff"])
async def test_a_damaged_cart_is_an_empty_one_with_a_word(shop: httpx.AsyncClient, damaged: str) -> None:
    headers = {"Cookie": f"{COOKIE}={damaged}"}
    page = await shop.get("/cart", headers=headers)
    assert page.status_code == 200
    assert "Your cart could not be read" in page.text
    assert page.headers["set-cookie"].startswith(f'{COOKIE}="";')
    assert (await shop.get("/", headers=headers)).status_code == 200
    assert (await shop.get("/checkout", headers=headers)).headers["location"] == "/cart"
    added = await shop.post("/cart/lines", data={"sku": "MUG"}, headers=headers)
    assert added.headers["location"] == "/cart?added=yes&lost=yes"
    assert "Your cart could not be read" in (await shop.get(added.headers["location"])).text
    assert kept(shop) == "MUG:1"


async def test_what_is_not_sold_one_by_one_is_not_put_in_and_why(app: App, shop: httpx.AsyncClient) -> None:
    grouped = GroupBuy(sku="GROUP", price=5_000, size=3, fill_seconds=3_600, quota=30, per_buyer=2)
    await publish(app, msgspec.structs.replace(shops(), group_buys=(grouped,)))
    await put_in(shop, {"MUG": 1})
    answer = await shop.post("/cart/lines", data={"sku": "GROUP"})
    assert (answer.status_code, kept(shop)) == (409, "MUG:1")
    assert "A place in a group is ordered on its own" in answer.text
    assert "Goods MUG" in answer.text
    assert "cannot be put in the cart" in (await shop.get("/goods/GROUP")).text
    assert 'formaction="/cart/lines"' not in (await shop.get("/goods/GROUP")).text
    unknown = await shop.post("/cart/lines", data={"sku": "NONE"})
    assert (unknown.status_code, kept(shop)) == (409, "MUG:1")


async def test_a_full_cart_says_so(shop: httpx.AsyncClient) -> None:
    shop.cookies.set(COOKIE, "~".join(f"S{place}:1" for place in range(LINES_MAX)))
    answer = await shop.post("/cart/lines", data={"sku": "MUG"})
    assert answer.status_code == 409
    assert "The cart is full" in answer.text
    assert f"It takes {LINES_MAX} different goods" in answer.text
    assert kept(shop).count("~") == LINES_MAX - 1


async def test_before_the_opening_the_cart_is_filled_and_nothing_is_ordered(app: App) -> None:
    await publish(app, shops())
    async with visitor(app) as early:
        assert 'formaction="/cart/lines"' in (await early.get("/goods/MUG")).text
        await put_in(early, {"MUG": 1})
        text = await say(early)
    assert "You can buy from" in text
    assert "Check out" not in text


async def test_a_little_more_is_hinted_and_then_counts(shop: httpx.AsyncClient) -> None:
    await put_in(shop, {"KETTLE": 1})
    before = await say(shop)
    assert re.search(r"(CN)?¥140\.00 more for (CN)?¥50\.00 off · Promotion across", before)
    await put_in(shop, {"TEA": 1})
    after = await say(shop)
    assert "¥260.00" in after
    assert "-¥50.00" in after


async def test_a_threshold_over_two_shops_is_reached_by_both_and_split_in_the_order(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await put_in(shop, {"KETTLE": 1, "TEA": 1})
    page = await shop.get("/checkout")
    assert "Goods KETTLE" in page.text
    assert "Goods TEA" in page.text
    sent = form(page, buyer)
    assert (sent["lines"], sent["expected_total"]) == ("KETTLE:1~TEA:1", "26000")
    placed = await shop.post("/checkout", data=sent)
    [made] = await orders(app, buyer)
    assert (placed.headers["location"], made.total) == (f"/orders/{made.order_id}", 26_000)
    assert [(line.sku, line.discount, line.payable) for line in made.priced.lines] == [
        ("KETTLE", 2_581, 13_419), ("TEA", 2_419, 12_581),
    ]  # fmt: skip
    [split] = made.priced.reductions
    assert (split.promotion, split.amount, split.lines) == ("across", 5_000, (("KETTLE", 2_581), ("TEA", 2_419)))
    assert sorted((each.bearer, each.shop, each.amount) for each in split.borne) == [
        ("platform", "kettles", 1_291), ("platform", "teas", 1_210),
        ("shop", "kettles", 1_290), ("shop", "teas", 1_209),
    ]  # fmt: skip
    assert kept(shop) == "", "what is ordered leaves the cart"
    assert (await free(app, "KETTLE"), await free(app, "TEA")) == (99, 99)
    again = await shop.post("/checkout", data=sent)
    assert again.headers["location"] == placed.headers["location"]
    assert len(await orders(app, buyer)) == 1


async def test_a_coupon_over_two_goods_that_neither_reaches(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    await put_in(shop, {"TEA": 1, "MUG": 1})
    shown = await shop.post("/checkout", data=form(await shop.get("/checkout"), buyer, do="price", coupon="SAVE20"))
    assert (shown.status_code, 'name="expected_total" value="17000"' in shown.text) == (200, True)
    placed = await shop.post("/checkout", data=form(shown, buyer, coupon="SAVE20"))
    [made] = await orders(app, buyer)
    assert (placed.status_code, made.total, made.coupon) == (303, 17_000, "SAVE20")
    assert [step.amount for step in made.priced.steps if step.kind is StepKind.COUPON] == [-2_000]
    assert sum(line.discount for line in made.priced.lines) == 2_000


async def test_what_is_put_in_beside_the_checkout_stays(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    await put_in(shop, {"TEA": 1, "MUG": 1})
    page = await shop.get("/checkout")
    await put_in(shop, {"MUG": 2, "KETTLE": 1})
    assert (await shop.post("/checkout", data=form(page, buyer))).status_code == 303
    [made] = await orders(app, buyer)
    assert [(line.sku, line.quantity) for line in made.priced.lines] == [("MUG", 1), ("TEA", 1)]
    assert kept(shop) == "MUG:2~KETTLE:1"


async def test_buying_one_product_leaves_the_cart_alone(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    await put_in(shop, {"TEA": 1})
    page = await shop.get("/checkout?sku=MUG")
    assert (await shop.post("/checkout", data=form(page, buyer, quantity="1"))).status_code == 303
    assert (len(await orders(app, buyer)), kept(shop)) == (1, "TEA:1")


async def test_sold_out_between_is_named_changes_nothing_and_the_line_stays(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await put_in(shop, {"TEA": 1, "FEW": 2})
    page = await shop.get("/checkout")
    await app.ordering.place(buyer.account_id, "somebody-1", order(buyer, {"FEW": 2}, 10_000))
    refused = await shop.post("/checkout", data=form(page, buyer))
    assert refused.status_code == 409
    assert "Only 1 are left now" in refused.text
    faulty = re.findall(r"data-faulty>(.*?)</a>", refused.text, re.DOTALL)
    assert [plain(each).strip() for each in faulty] == ["Goods FEW"]
    assert (len(await orders(app, buyer)), await free(app, "TEA"), kept(shop)) == (1, 100, "TEA:1~FEW:2")
    text = await say(shop)
    assert "Fewer are left than you chose Only 1 are left now." in text
    assert "Take 1" in text
    assert "1 line that cannot be ordered now is not counted here." in text
    rest = await shop.get("/checkout")
    assert form(rest, buyer)["lines"] == "TEA:1"
    assert "1 line of your cart cannot be ordered now; it stays there." in rest.text
    assert (await shop.post("/checkout", data=form(rest, buyer))).status_code == 303
    assert kept(shop) == "FEW:2"


async def test_a_line_that_is_gone_is_named_and_kept(app: App, shop: httpx.AsyncClient) -> None:
    await put_in(shop, {"TEA": 1, "MUG": 1})
    await publish(app, msgspec.structs.replace(shops(), offers=shops().offers[:2], limits=()))
    text = await say(shop)
    assert "Goods MUG Not on sale These goods are not on sale in this campaign at present." in text
    assert kept(shop) == "TEA:1~MUG:1"
    shop.cookies.set(COOKIE, "TEA:1~NEVER:1")
    assert "NEVER No longer in the shop" in await say(shop)
    shop.cookies.set(COOKIE, "NEVER:1")
    assert "Nothing in the cart can be ordered now" in await say(shop)
    assert (await shop.get("/checkout")).headers["location"] == "/cart"


async def test_a_limit_is_said_at_the_lines_that_it_counts(shop: httpx.AsyncClient) -> None:
    await put_in(shop, {"ONE": 2, "TEA": 1})
    text = await say(shop)
    assert "At most 1 for each buyer, all orders together." in text
    shop.cookies.set(COOKIE, "MUG:3~FEW:2~TEA:1")
    assert (await say(shop)).count("At most 4 of 2 goods in this cart together for each buyer.") == 2


async def test_a_limit_that_earlier_orders_used_names_its_lines(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await app.ordering.place(buyer.account_id, "earlier-1", order(buyer, {"MUG": 3}, 12_000))
    await put_in(shop, {"TEA": 1, "MUG": 1, "FEW": 1})
    refused = await shop.post("/checkout", data=form(await shop.get("/checkout"), buyer))
    assert refused.status_code == 409
    assert "Your limit is reached" in refused.text
    faulty = re.findall(r"data-faulty>(.*?)</a>", refused.text, re.DOTALL)
    assert [plain(each).strip() for each in faulty] == ["Goods MUG", "Goods FEW"]
    assert (len(await orders(app, buyer)), kept(shop)) == (1, "TEA:1~MUG:1~FEW:1")


async def test_a_limit_by_address_names_its_lines(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    by_address = Limit(name="home", skus=("MUG",), per_buyer=0, per_address=1, label=Words("限购", "Limit"))
    await publish(app, msgspec.structs.replace(shops(), limits=(*shops().limits, by_address)))
    await put_in(shop, {"TEA": 1, "MUG": 2})
    refused = await shop.post("/checkout", data=form(await shop.get("/checkout"), buyer))
    assert refused.status_code == 409
    faulty = re.findall(r"data-faulty>(.*?)</a>", refused.text, re.DOTALL)
    assert [plain(each).strip() for each in faulty] == ["Goods MUG"]
    assert await orders(app, buyer) == []


async def test_a_gift_that_comes_with_it_is_named(app: App, shop: httpx.AsyncClient) -> None:
    gift = promotion("gift", Gift(sku="MUG", reach=2, measure=Measure.PIECES), skus=["TEA"])
    await publish(app, msgspec.structs.replace(shops(), promotions=(*shops().promotions, gift)))
    await put_in(shop, {"TEA": 2})
    assert "Gift: Goods MUG × 1, free with this order" in await say(shop)


async def test_the_cart_outlives_signing_in_and_out(shop: httpx.AsyncClient, buyer: Buyer) -> None:
    shop.cookies.delete(SESSION_COOKIE)
    await put_in(shop, {"TEA": 1, "MUG": 1})
    assert (await shop.get("/checkout")).headers["location"] == "/sign-in?next=/checkout"
    posted = await shop.post("/checkout", data={"lines": "TEA:1~MUG:1", "do": "place"})
    assert posted.headers["location"] == "/sign-in?next=/cart"
    shop.cookies.set(SESSION_COOKIE, buyer.token)
    assert "Goods TEA" in (await shop.get("/checkout")).text
    await shop.post("/sign-out")
    assert kept(shop) == "TEA:1~MUG:1"


async def test_an_order_that_ended_goes_back_into_the_cart_whole(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await put_in(shop, {"TEA": 1, "MUG": 2})
    await shop.post("/checkout", data=form(await shop.get("/checkout"), buyer))
    [made] = await orders(app, buyer)
    await shop.post(f"/orders/{made.order_id}/cancel")
    page = (await shop.get(f"/orders/{made.order_id}")).text
    assert "Order all of it again" in page
    [lines] = re.findall(r'name="lines" value="([^"]*)"', page)
    await shop.post("/cart/lines", data={"lines": lines})
    assert kept(shop) == "MUG:2~TEA:1"


@pytest.mark.usefixtures("shop")
async def test_the_words_are_chinese_too(app: App) -> None:
    async with visitor(app, language="zh") as reader:
        reader.cookies.set(COOKIE, "TEA:1~FEW:4")
        text = await say(reader)
    assert "商品 FEW" in text
    assert "现在只剩 3 件，减少数量即可下单。" in text
    assert "去结算" in text
    assert "再买 ¥150.00" in text


async def test_crawlers_keep_off(shop: httpx.AsyncClient) -> None:
    assert "Disallow: /cart" in (await shop.get("/robots.txt")).text.splitlines()
