"""Promotions to test with: every argument has a default, so that a test names only what it is about."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.offer.festivals import START, definition, goods, offer, version
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Benefit,
    CampaignDefinition,
    GoodsEntry,
    Layer,
    Offer,
    PercentOff,
    Promotion,
    Selection,
    Shipping,
    Step,
    Words,
)
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder, RuleSet
from tidegate.offer.pricing.rules import compile_rules, price_order

BUYER = UUID(int=7)
FACTS = Facts(buyer=BUYER, now=START + timedelta(hours=1))


def amount_off(reach: int, off: int, **more: Any) -> AmountOff:
    """Once, from a threshold on."""
    return AmountOff(steps=(Step(reach, off),), **more)


def percent_off(off: int, reach: int = 1, **more: Any) -> PercentOff:
    """A part, from so many pieces on."""
    return PercentOff(steps=(Step(reach, off),), **more)


def promotion(name: str, benefit: Benefit, *, skus: Sequence[str] = (), **more: Any) -> Promotion:
    """One promotion, of all goods if none are named."""
    selection = more.pop("goods", Selection(skus=tuple(skus)))
    return Promotion(
        id=name, label=Words(f"优惠 {name}", f"Promotion {name}"), benefit=benefit, goods=selection, **more
    )


def platform(name: str, benefit: Benefit, **more: Any) -> Promotion:
    """One promotion of the platform's layer."""
    return promotion(name, benefit, layer=Layer.PLATFORM, **more)


def entry(sku: str, list_price: int, **more: Any) -> GoodsEntry:
    """One product, with a shop, a floor or a category of its own."""
    fields: dict[str, Any] = {"shop": "", "floor": 0, "category": "kitchen", "brand": "Murmur"} | more
    plain = goods(sku, list_price)
    return GoodsEntry(
        sku=sku, name=plain.name, description=plain.description, list_price=list_price, picture="", **fields
    )


def festival(
    prices: dict[str, int],
    promotions: Sequence[Promotion],
    *,
    entries: Sequence[GoodsEntry] | None = None,
    offers: Sequence[Offer] | None = None,
    shipping: Shipping | None = None,
    **more: Any,
) -> CampaignDefinition:
    """A festival of goods at these prices with these promotions."""
    plain = definition(
        offers if offers is not None else [offer(sku, price) for sku, price in prices.items()],
        entries=entries if entries is not None else [entry(sku, price) for sku, price in prices.items()],
        shipping=shipping,
        **more,
    )
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__ if name != "promotions"}
    return CampaignDefinition(**fields, promotions=tuple(promotions))


def rules_of(prices: dict[str, int], promotions: Sequence[Promotion], **more: Any) -> RuleSet:
    """That festival, compiled."""
    return compile_rules(version(festival(prices, promotions, **more)))


def cart_of(quantities: dict[str, int], coupon: str | None = None) -> Cart:
    """So many of each SKU."""
    return Cart(tuple(CartLine(sku, quantity) for sku, quantity in quantities.items()), coupon)


def priced(rules: RuleSet, quantities: dict[str, int], facts: Facts = FACTS, coupon: str | None = None) -> PricedOrder:
    """The priced order of so many of each SKU."""
    return price_order(rules, cart_of(quantities, coupon), facts)
