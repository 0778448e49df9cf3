"""What stands beside a price: what a little more would bring, why others do not apply, gifts, and one's own coupon."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import msgspec
import pytest

from tests.app.console.test_pages import enter
from tests.app.console.test_pages import visitor as staff_at
from tests.app.storefront.conftest import visitor
from tests.app.storefront.test_buying import orders, wish
from tests.offer.coupons.festival import unique
from tests.offer.festivals import START, coupon, definition, goods, offer
from tests.offer.promotions import amount_off, cart_of, promotion, rules_of
from tests.offer.slots_made import flash, slot
from tests.sale.shop import Buyer, buyers, open_sale, publish
from tidegate.app.compose import App
from tidegate.app.storefront.advice import advice_of
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import (
    Audience,
    Gift,
    Layer,
    Measure,
    MemberPrice,
    NForM,
    PointsOff,
    Promotion,
    PromotionLimits,
    Words,
)
from tidegate.offer.pricing.contracts import Facts
from tidegate.offer.pricing.rules import explain
from tidegate.trust.identity.api import SESSION_COOKIE
from tidegate.trust.identity.contracts import Role

NEAR = promotion("near", amount_off(9_200, 5_000), skus=["A"])
MUG = promotion("mug", Gift(sku="MUG", reach=8_000, quantity=2), skus=["A"])
PLACES = ("/goods/{}", "/goods/{}/price?quantity=1", "/checkout?sku={}")


@pytest.fixture
async def shop(app: App, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A shop that each test fills itself, in the time of the sale."""
    open_sale(clock)
    async with visitor(app) as client:
        yield client


async def festival(app: App, *promotions: Promotion, mugs: int = 10) -> None:
    """A at 80.00, B at 90.00, and mugs that are given free; with the coupons that promotions ask for."""
    codes = {each.coupon for each in promotions if each.coupon}
    plain = definition(
        [offer("A"), offer("B", 9_000), offer("MUG", 2_000, quota=mugs)],
        entries=[goods("A"), goods("B"), msgspec.structs.replace(goods("MUG", 3_000), name=Words("马克杯", "Mug"))],
        coupons=[coupon(code, threshold=1_000, off=100) for code in sorted(codes)],
    )
    await publish(app, msgspec.structs.replace(plain, promotions=promotions))


def part(html: str, name: str) -> str:
    """What stands in the list of hints and gifts ("told"), or in that of reasons."""
    found = re.search(rf'class="{name}[ "].*?</(?:ul|dl)>', html, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0].partition(">")[2])).strip() if found else ""


async def shown(client: httpx.AsyncClient, name: str, sku: str = "A") -> set[str]:
    """What goods page, fragment and checkout say in a list."""
    return {part((await client.get(place.format(sku))).text, name) for place in PLACES}


@pytest.mark.usefixtures("buyer")
async def test_what_a_little_more_would_bring_is_told_with_amounts(app: App, shop: httpx.AsyncClient) -> None:
    await festival(app, NEAR)
    assert await shown(shop, "told") == {"¥12.00 more for ¥50.00 off · Promotion near"}
    shop.headers["Accept-Language"] = "zh"
    assert await shown(shop, "told") == {"再买 ¥12.00可减 ¥50.00 · 优惠 near"}
    assert part((await shop.get("/goods/A/price?quantity=2")).text, "told") == ""
    assert await shown(shop, "told", "B") == {""}


async def test_a_guest_is_told_too_and_the_page_stays_everybodys(app: App, shop: httpx.AsyncClient) -> None:
    await festival(app, NEAR)
    for place in PLACES[:2]:
        answer = await shop.get(place.format("A"))
        assert part(answer.text, "told") == "¥12.00 more for ¥50.00 off · Promotion near"
        assert "public" in answer.headers["cache-control"]


async def test_only_the_nearest_are_told_and_a_gift_by_its_name(app: App, shop: httpx.AsyncClient) -> None:
    gift = promotion("mug", Gift(sku="MUG", reach=3, measure=Measure.PIECES), skus=["A"])
    far = [promotion(f"far{each}", amount_off(each * 10_000, 100), skus=["A"]) for each in (2, 3, 4, 5)]
    await festival(app, gift, *far)
    page = (await shop.get("/goods/A")).text
    assert part(page, "told") == (
        "¥120.00 more for ¥1.00 off · Promotion far2 2 more pieces for the gift Mug · Promotion mug"
        " ¥220.00 more for ¥1.00 off · Promotion far3"
    )
    assert "Promotion far4 ¥320.00 more for Promotion far4" in part(page, "reasons")
    assert "Promotion far5 ¥420.00 more for Promotion far5" in part(page, "reasons")


@pytest.mark.parametrize(
    "unreachable",
    [
        promotion("p", amount_off(9_200, 5_000), ends_at=START + timedelta(seconds=30)),
        promotion("p", amount_off(9_200, 5_000), starts_at=START + timedelta(days=1)),
        promotion("p", amount_off(9_200, 5_000), audience=(Audience.RETURNING,)),
        promotion("p", amount_off(9_200, 5_000), coupon="SECRET"),
    ],
)
@pytest.mark.usefixtures("buyer")
async def test_what_cannot_be_reached_is_not_hinted_at(
    app: App, shop: httpx.AsyncClient, unreachable: Promotion
) -> None:
    await festival(app, unreachable)
    assert await shown(shop, "told") == {""}
    assert all("Promotion p" in said for said in await shown(shop, "reasons"))


OFF = amount_off(1_000, 100)
WHEN = Words("某条件", "some condition")
REASONS = [
    (promotion("p", OFF, starts_at=START + timedelta(days=1)), "It has not begun yet", "尚未开始"),
    (promotion("p", OFF, ends_at=START + timedelta(seconds=30)), "It is over", "已结束"),
    (promotion("p", OFF, audience=(Audience.RETURNING,)), "It is for other shoppers", "不适用于您的顾客类别"),
    (promotion("p", OFF, tiers=("gold",)), "It is for members of another tier", "仅限指定会员等级"),
    (promotion("p", OFF, coupon="SECRET"), "It needs its coupon", "需使用优惠券"),
    (
        promotion("p", OFF, condition="points > 3", facts=("points",), condition_words=WHEN),
        "Its condition does not hold",
        "不满足活动条件",
    ),
    (promotion("p", NForM(take=9, pay=8)), "8 more pieces for Promotion p", "再买 8 件可享 优惠 p"),
    (promotion("p", OFF, limits=PromotionLimits(total=1)), "Its uses or its budget are used up", "名额或预算已用完"),
    (promotion("p", Gift(sku="MUG", reach=1)), "The gift is out of stock", "赠品已送完"),
    (promotion("p", PointsOff(points=1, share=100), layer=Layer.POINTS), "No points are spent", "未使用积分"),
    (
        promotion("p", OFF, group="one"),
        "It cannot be combined; a better combination was chosen",
        "不能同享，已为您选择更优惠的组合",
    ),
]


@pytest.mark.parametrize(("listed", "english", "chinese"), REASONS)
async def test_each_reason_why_an_offer_does_not_apply_is_told_in_words(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, listed: Promotion, english: str, chinese: str
) -> None:
    near = [promotion(f"near{each}", amount_off(8_000 + each, 100), skus=["A"]) for each in (1, 2, 3)]
    better = promotion("z", amount_off(5_100, 5_000), group="one")
    await festival(app, listed, better, *near, mugs=1)
    if listed.limits.total or isinstance(listed.benefit, Gift):
        [other] = await buyers(app, 1)
        async with visitor(app) as first:
            first.cookies.set(SESSION_COOKIE, other.token)
            total = "3900" if listed.limits.total else "4000"
            assert (await first.post("/checkout", data=wish(other, sku="B", expected_total=total))).status_code == 303
    await app.refresh()
    assert {"Promotion p " + english in said for said in await shown(shop, "reasons")} == {True}
    shop.headers["Accept-Language"] = "zh"
    assert {"优惠 p " + chinese in said for said in await shown(shop, "reasons")} == {True}


async def test_goods_at_their_lowest_price_say_so(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    del buyer
    listed = promotion("p", amount_off(1_000, 100), skus=["A"])
    floored = msgspec.structs.replace(goods("A"), floor=8_000)
    await publish(app, msgspec.structs.replace(definition([offer("A")], entries=[floored]), promotions=(listed,)))
    assert await shown(shop, "reasons") == {"Promotion p The goods are at their lowest price already"}


async def test_what_does_not_go_with_a_flash_price_says_so(
    app: App, shop: httpx.AsyncClient, buyer: Buyer, clock: ManualClock
) -> None:
    del buyer
    member = promotion("m", MemberPrice(prices=(("A", 7_000),)), audience=(Audience.NEW,))
    await festival(app, promotion("p", OFF, skus=["A"]), member, flash(slot("one", 2, 30, 3, 2), stacks_with=()))
    clock.advance(seconds=60)
    own = "It does not go together with the price that the goods have already"
    assert await shown(shop, "reasons") == {f"Promotion m A lower price stands already Promotion p {own}"}
    shop.headers["Accept-Language"] = "zh"
    own = "不与该商品的秒杀价或会员价同享"
    assert await shown(shop, "reasons") == {f"优惠 m 已有更低的价格 优惠 p {own}"}


def test_who_was_not_invited_is_told_so() -> None:
    rules = rules_of({"A": 8_000}, [promotion("p", OFF, segments=("friends",))])
    advice = advice_of(explain(rules, cart_of({"A": 1}), Facts(segments=frozenset())), {}, ())
    assert [(each.label.en, each.why) for each in advice.not_used] == [
        ("Promotion p", Words("仅限受邀顾客", "It is for invited shoppers"))
    ]


def test_what_is_not_known_is_told_as_such() -> None:
    """The check of a campaign file accepts only facts that somebody supplies; versions of before may ask for others."""
    rules = rules_of({"A": 8_000}, [promotion("p", OFF, condition="age > 3", facts=("age",), condition_words=WHEN)])
    [told] = advice_of(explain(rules, cart_of({"A": 1}), Facts(audience=frozenset())), {}, ()).not_used
    assert told.why.en.startswith("What it depends on is not known")
    assert told.why.zh.startswith("缺少判断所需的信息")


async def test_a_guest_is_asked_to_sign_in_where_it_depends_on_who_buys(app: App, shop: httpx.AsyncClient) -> None:
    await festival(app, promotion("p", OFF, audience=(Audience.NEW,)))
    for language, said in (("en", "Sign in to see whether it is for you"), ("zh", "登录后才知道您能否享受")):
        shop.headers["Accept-Language"] = language
        for place in PLACES[:2]:
            page = (await shop.get(place.format("A"))).text
            assert said in part(page, "reasons")
            assert "audience" not in part(page, "reasons")


async def test_a_slots_note_is_not_told_twice(app: App, shop: httpx.AsyncClient, clock: ManualClock) -> None:
    await festival(app, flash(slot("one", 2, 30, 3, 2)))
    clock.advance(seconds=60)
    page = (await shop.get("/goods/A/price?quantity=3")).text
    assert page.count("One account may have 2 in this slot") == 1
    assert part(page, "reasons") == ""


async def test_after_the_sale_nothing_is_advised(app: App, shop: httpx.AsyncClient, clock: ManualClock) -> None:
    await festival(app, NEAR, MUG, promotion("p", OFF, audience=(Audience.NEW,)))
    clock.advance(seconds=4 * 24 * 3_600)
    for place in PLACES[:2]:
        page = (await shop.get(place.format("A"))).text
        assert (part(page, "told"), part(page, "reasons")) == ("", "")


async def test_a_gift_is_named_before_and_after_ordering(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    await festival(app, MUG)
    assert await shown(shop, "told") == {"Gift: Mug × 2, free with this order while stock lasts"}
    shop.headers["Accept-Language"] = "zh"
    assert await shown(shop, "told") == {"赠品：马克杯 × 2，随单赠送，赠完为止"}
    placed = await shop.post("/checkout", data=wish(buyer))
    page = (await shop.get(placed.headers["location"])).text
    assert "免费 2 件" in page
    assert "马克杯" in page
    shop.headers["Accept-Language"] = "en"
    page = (await shop.get(placed.headers["location"])).text
    assert "2 units free" in page
    assert "The gift was gone" not in page
    async with staff_at(app) as browser:
        await enter(app, browser, Role.SUPPORT)
        told = (await browser.get(f"/console{placed.headers['location']}")).text
        assert "2 as gifts" in told
        assert "Gift: Mug × 2, worth ¥60.00" in told


async def test_a_gift_that_was_gone_is_told_by_the_order(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    await festival(app, MUG, mugs=2)
    page = (await shop.get("/checkout?sku=A")).text
    assert hidden(page, "gifts") == "MUG"
    [other] = await buyers(app, 1)
    async with visitor(app) as first:
        first.cookies.set(SESSION_COOKIE, other.token)
        assert (await first.post("/checkout", data=wish(other))).status_code == 303
    placed = await shop.post("/checkout", data=wish(buyer))  # not heard of yet: without the gift
    [order] = await orders(app, buyer)
    assert (order.total, order.priced.gifts_left_off) == (8_000, ("MUG",))
    await app.refresh()  # heard of by now, but the page that was opened before still shows it
    page = (await shop.get("/checkout?sku=A")).text
    assert (hidden(page, "gifts"), "The gift is gone" in page) == ("", False)
    page = (await shop.post("/checkout", data=wish(buyer) | {"gifts": "MUG", "do": "price"})).text
    assert "Mug is out of stock now" in page
    placed = await shop.post("/checkout", data=wish(buyer) | {"gifts": "MUG", "key": "gift-key-2"})
    [order, _] = await orders(app, buyer)
    assert (order.total, order.priced.gifts_left_off) == (8_000, ("MUG",))
    page = (await shop.get(placed.headers["location"])).text
    assert "The gift was gone" in page
    assert "give the order up below: nothing is charged" in page
    assert "Mug was out of stock when your order was taken" in page
    shop.headers["Accept-Language"] = "zh"
    page = (await shop.get(placed.headers["location"])).text
    assert "下单时赠品马克杯已无库存" in page
    async with staff_at(app) as browser:
        await enter(app, browser, Role.SUPPORT)
        told = (await browser.get(f"/console{placed.headers['location']}")).text
        assert "Mug was out of stock when the order was taken" in told


def hidden(page: str, name: str) -> str:
    """The value of a hidden field of the one-click form."""
    return re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)[1]  # type: ignore[index]


async def with_coupons(app: App) -> None:
    """A at 80.00, with 30.00 off from 100.00 on and 5.00 off from 50.00 on, both to be claimed."""
    five = msgspec.structs.replace(unique("FIVE"), threshold=5_000, off=500, label=Words("五元券", "Five off"))
    thirty = msgspec.structs.replace(
        unique("THIRTY"), threshold=10_000, off=3_000, label=Words("三十元券", "Thirty off")
    )
    await publish(app, definition([offer("A")], entries=[goods("A")], coupons=[five, thirty]))


async def test_one_click_orders_with_the_best_coupon_of_ones_own(
    app: App, shop: httpx.AsyncClient, buyer: Buyer
) -> None:
    await with_coupons(app)
    mine = {name: (await app.coupons.take(buyer.account_id, name)).code for name in ("FIVE", "THIRTY")}
    answer = await shop.get("/goods/A")
    assert "private" in answer.headers["cache-control"]
    page = answer.text
    assert "With your coupon “Five off”: saves ¥5.00" in page
    assert 'id="total" class="figures">¥75.00<' in page
    fragment = await shop.get("/goods/A/price?quantity=2")
    assert "private" in fragment.headers["cache-control"]
    assert "With your coupon “Thirty off”: saves ¥30.00" in fragment.text
    assert f'<input id="own" data-fragment type="hidden" value="{mine["THIRTY"]}">' in fragment.text
    assert f'<input id="priced-with" data-fragment type="hidden" value="{mine["THIRTY"]}">' in fragment.text
    names = ("sku", "do", "key", "address_id", "expected_total", "own", "priced_with")
    placed = await shop.post("/checkout", data={name: hidden(page, name) for name in names} | {"quantity": "1"})
    [order] = await orders(app, buyer)
    assert (placed.headers["location"], order.total, order.own_coupon) == (
        f"/orders/{order.order_id}", 7_500, mine["FIVE"],
    )  # fmt: skip
    shop.headers["Accept-Language"] = "zh"
    assert "已用您的优惠券“三十元券”，省 ¥30.00" in (await shop.get("/goods/A/price?quantity=2")).text


async def test_without_a_coupon_one_click_is_as_before(app: App, shop: httpx.AsyncClient, buyer: Buyer) -> None:
    await with_coupons(app)
    page = (await shop.get("/goods/A")).text
    assert (hidden(page, "own"), hidden(page, "priced_with"), hidden(page, "expected_total")) == (
        "none", "none", "8000",
    )  # fmt: skip
    assert "With your coupon" not in page
    assert "public" in (await shop.get("/goods/A/price?quantity=1")).headers["cache-control"]
    async with visitor(app) as guest:
        assert "public" in (await guest.get("/goods/A")).headers["cache-control"]
    assert await orders(app, buyer) == []
