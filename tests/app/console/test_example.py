"""The editor's example buyer: read as it is meant, priced with the shop's own facts, explained as the shop explains."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from tests.app.console.test_editor import FILES, PATH
from tests.app.console.test_editor import client as client  # noqa: PLC0414  a fixture
from tests.offer.festivals import START, coupon, definition, goods, offer, version
from tests.offer.promotions import amount_off, promotion
from tests.sale.shop import publish
from tests.trust.identity.conftest import signed_in
from tidegate.app.compose import App
from tidegate.app.console.example import ExampleBuyer, ExampleCart, Known, Priced, price_example
from tidegate.offer.campaign.contracts import Audience, CampaignDefinition, Layer, PointsOff, Words
from tidegate.offer.pricing.contracts import Cart, CartLine, Shortfall
from tidegate.trust.identity.members import read_members

ZONE = ZoneInfo("Asia/Shanghai")


def festival() -> CampaignDefinition:
    """Goods at 80.00: 5.00 off for gold members, 7.00 for returning ones, 3.00 from noon on, points worth 0.01 each."""
    return msgspec.structs.replace(
        definition(
            [offer("A")], entries=[goods("A")], coupons=[coupon(threshold=8_000, off=1_000), coupon("WEAK", 8_000, 100)]
        ),
        promotions=(
            promotion("gold", amount_off(1_000, 500), tiers=("gold",)),
            promotion("back", amount_off(1_000, 700), audience=(Audience.RETURNING,)),
            promotion(
                "vip",
                amount_off(1_000, 900),
                segments=("vip",),
                condition='"returning" in audience',
                condition_words=Words("老客", "returning shoppers"),
                facts=("audience",),
            ),
            promotion("noon", amount_off(1_000, 300), starts_at=START + timedelta(hours=4)),
            promotion("points", PointsOff(points=100, share=5_000), layer=Layer.POINTS),
        ),
        rules=Words("优惠 vip：受邀顾客", "Promotion vip: invited shoppers"),
    )


def priced(buyer: ExampleBuyer, *, typed: str = "") -> Priced:
    found = price_example(version(festival()), ExampleCart((("A", "1"),), typed).read(), buyer, ZONE)
    assert found is not None
    return found


def total(buyer: ExampleBuyer, *, typed: str = "") -> int:
    found = priced(buyer, typed=typed)
    assert found.trace is not None
    return found.trace.order.goods_total - found.trace.order.discount_total


def test_each_promotion_is_for_whom_it_is() -> None:
    assert total(ExampleBuyer()) == 8_000
    assert total(ExampleBuyer(tier="gold", segments="vip", points="100000", held="TIDE50")) == 8_000  # a guest
    assert total(ExampleBuyer(known=Known.NEW)) == 8_000
    assert total(ExampleBuyer(known=Known.NEW, tier="gold")) == 7_500
    assert total(ExampleBuyer(known=Known.RETURNING, tier="gold")) == 6_800
    assert total(ExampleBuyer(known=Known.RETURNING, segments="tea， vip")) == 6_400


def test_the_moment_is_a_local_time_and_the_opening_where_none_is_given() -> None:
    assert priced(ExampleBuyer()).now == START
    noon = ExampleBuyer(moment="2026-11-11T12:00")  # in Shanghai: four hours after midnight in UTC
    assert priced(noon).now == START + timedelta(hours=4)
    assert total(noon) == 7_700
    assert total(ExampleBuyer(moment="2026-11-11T11:59")) == 8_000
    for unreadable in ("soon", "0001-01-01T00:00"):
        assert priced(ExampleBuyer(moment=unreadable)).now == START
    assert not priced(ExampleBuyer(moment="2026-11-11T07:59")).is_open
    assert priced(noon).is_open


def test_the_best_coupon_in_hand_is_used_unless_one_is_typed() -> None:
    buyer = ExampleBuyer(known=Known.NEW, held="WEAK, TIDE50,NONE")
    found = priced(buyer)
    assert [(each.code, each.saving, each.taken) for each in found.held] == [
        ("TIDE50", 1_000, True),
        ("WEAK", 100, False),
        ("NONE", 0, False),
    ]
    assert found.held[2].why_not is not None
    assert total(buyer) == 7_000
    assert total(buyer, typed="WEAK") == 7_900
    assert not any(each.taken for each in priced(buyer, typed="WEAK").held)


def test_points_are_spent_as_far_as_the_rules_allow() -> None:
    found = priced(ExampleBuyer(known=Known.NEW, points="1000000"))
    assert found.trace is not None
    assert found.trace.order.points_used == 400_000  # half of 80.00, at 100 points a cent
    assert total(ExampleBuyer(known=Known.NEW, points="9" * 5_000)) == 4_000
    assert total(ExampleBuyer(known=Known.NEW, points="-5")) == 8_000


def test_what_does_not_apply_is_named_with_its_reason() -> None:
    trace = priced(ExampleBuyer(known=Known.NEW)).trace
    assert trace is not None
    assert {each.promotion: each.reason for each in trace.not_applied} == {
        "gold": Shortfall.TIER,
        "back": Shortfall.AUDIENCE,
        "vip": Shortfall.SEGMENT,
        "noon": Shortfall.NOT_YET,
        "points": Shortfall.NO_POINTS,
        "coupon:TIDE50": Shortfall.COUPON,
        "coupon:WEAK": Shortfall.COUPON,
    }
    guest = priced(ExampleBuyer()).trace
    assert guest is not None
    assert {each.promotion for each in guest.not_applied if each.reason is Shortfall.FACT_MISSING} == {
        "gold",
        "back",
        "vip",
    }


async def test_the_preview_says_what_the_shop_says(app: App) -> None:
    """The same buyer, once as the shop knows him and once as typed: the same facts, the same trace."""
    phone = "13800138000"
    await publish(app, festival())
    opened = await signed_in(app.identity, phone)
    async with app.db.transaction() as tx:
        await app.identity.import_members(
            tx, read_members(f"phone,tier\n{phone},gold\n"), by="lin.wei", reason="a test"
        )
        await app.identity.change_segment(tx, "vip", [phone], by="lin", reason="invited")
    cart, now = Cart((CartLine("A", 1),)), START + timedelta(hours=5)
    facts = await app.pricing.facts_of(cart, opened.account_id, now, points=300)
    shop = app.pricing.explain(cart, facts)
    typed = ExampleBuyer(known=Known.NEW, tier="gold", segments="vip", points="300", moment="2026-11-11T13:00")
    current = app.campaign.current()
    assert current is not None
    preview = price_example(current, cart, typed, ZONE)
    assert preview is not None
    assert preview.trace is not None
    assert preview.trace.not_applied == shop.not_applied
    assert preview.trace.hints == shop.hints
    assert preview.trace.steps == shop.steps
    assert preview.trace.order.trace_hash == shop.order.trace_hash


@pytest.mark.parametrize("script", [True, False])
async def test_the_editor_shows_the_buyers_price(client: httpx.AsyncClient, *, script: bool) -> None:
    promoted = (
        FILES.campaign
        + """
[[promotion]]
id = "gold"
label = { zh = "金卡立减", en = "Gold members" }
kind = "满减"
tiers = ["gold"]
reach = "100.00"
off = "5.00"
"""
    )
    body = {
        "campaign": promoted,
        "goods": FILES.goods,
        "offers": FILES.offers,
        "sku": ["A", "B"],
        "quantity": ["1", "0"],
        "known": "new",
        "tier": "gold",
    }
    if script:
        html = (await client.post(f"{PATH}/check", json=body)).json()["html"]
    else:
        html = (await client.post(PATH, data=body)).text
        assert '<option value="gold">' in html
        assert '<option value="new" selected>' in html
    assert "20.00 more" in html  # 80.00 in the cart, 100.00 are needed
