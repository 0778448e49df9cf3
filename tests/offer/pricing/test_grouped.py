"""What groups pay: the group price alone, within the limits, and never to who orders alone."""

from uuid import UUID

import msgspec
import pytest

from tests.offer.festivals import coupon, definition, goods, limit, offer, version
from tidegate.offer.campaign.contracts import CampaignDefinition, GroupBuy, Shipping
from tidegate.offer.pricing.contracts import Cart, CartLine, CounterUse, Facts, PricedOrder, RuleSet, StepKind
from tidegate.offer.pricing.errors import BuyerLimitReached, CouponNotValid, NotOnOffer
from tidegate.offer.pricing.grouped import compile_group_rules
from tidegate.offer.pricing.rules import compile_rules, price_order

BUYER = UUID(int=7)


def festival(per_buyer: int = 0) -> CampaignDefinition:
    plain = definition(
        [offer("A")],
        entries=[goods("A"), goods("G")],
        coupons=[coupon("TIDE50", threshold=1_000, off=500)],
        limits=[limit("all", (), per_buyer=3)],
        shipping=Shipping(fee=800, free_from=10_000),
    )
    group_buy = GroupBuy(sku="G", price=5_900, size=3, fill_seconds=3_600, quota=30, per_buyer=per_buyer)
    return msgspec.structs.replace(plain, group_buys=(group_buy,))


def group_rules(of: CampaignDefinition) -> RuleSet:
    return compile_group_rules(version(of), compile_rules(version(of)))


def priced(of: CampaignDefinition, quantity: int, code: str | None = None) -> PricedOrder:
    return price_order(group_rules(of), Cart((CartLine("G", quantity),), code), Facts(buyer=BUYER))


def test_the_group_price_is_explained_and_shipping_is_as_for_any_order() -> None:
    order = priced(festival(), 1)
    assert [(step.kind, step.amount) for step in order.steps] == [
        (StepKind.LIST_PRICE, 10_000),
        (StepKind.OFFER, -4_100),
        (StepKind.SHIPPING, 800),
    ]
    assert order.steps[1].label.en == "Group price: Goods G"
    assert (order.total, priced(festival(), 2).total) == (6_700, 11_800)


def test_limits_count_and_no_coupon_applies() -> None:
    order = priced(festival(per_buyer=2), 2)
    assert order.counters == (
        CounterUse(f"double-11/limit:all:{BUYER.hex}", 2, 3),
        CounterUse(f"double-11/offer:G:{BUYER.hex}", 2, 2),
    )
    with pytest.raises(BuyerLimitReached):
        priced(festival(per_buyer=2), 3)
    with pytest.raises(CouponNotValid):
        priced(festival(), 1, "TIDE50")


def test_goods_for_groups_are_not_sold_alone_nor_others_to_groups() -> None:
    of = festival()
    with pytest.raises(NotOnOffer):
        price_order(compile_rules(version(of)), Cart((CartLine("G", 1),)), Facts(buyer=BUYER))
    with pytest.raises(NotOnOffer):
        price_order(group_rules(of), Cart((CartLine("A", 1),)), Facts(buyer=BUYER))


def test_what_one_of_the_two_remembers_is_nothing_to_the_other() -> None:
    of = festival()
    alone = compile_rules(version(of))
    together = compile_group_rules(version(of), alone)
    carts = {sku: Cart((CartLine(sku, 1),)) for sku in "AG"}
    assert price_order(alone, carts["A"]).goods_total == 8_000
    assert price_order(together, carts["G"]).total == 6_700
    with pytest.raises(NotOnOffer):
        price_order(together, carts["A"])
    with pytest.raises(NotOnOffer):
        price_order(alone, carts["G"])
