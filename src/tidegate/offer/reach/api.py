"""The use case of reach: the lowest price of every product on offer in a definition."""

from functools import partial
from itertools import islice

from tidegate.offer.campaign.api import ReachedPrice
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion, Coupon
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.reach import rules
from tidegate.offer.reach.rules import CARTS_MAX, COUPONS_MAX, Price, Shelf

__all__ = ["lowest_of_version", "lowest_prices"]


def lowest_prices(version: CampaignVersion) -> list[ReachedPrice]:
    """The lowest price of each product on offer, with the cart that reaches it, worst first.

    Worst is what lies furthest under its floor or cost. About a millisecond a product; call it in a thread where
    others wait.
    """
    shelf, priced_with = Shelf(version.definition), _situations(version)
    found = []
    for goods in version.definition.goods:
        if goods.sku in shelf.offers:
            tried = islice(dict.fromkeys(rules.carts(shelf, goods.sku)), CARTS_MAX)
            reached = rules.lowest_price(shelf, goods, priced_with, tried)
            if reached is not None:
                found.append(reached)
    return rules.worst_first(found)


def lowest_of_version(version: CampaignVersion) -> dict[str, int]:
    """The lowest price of each SKU on offer, in minor units."""
    return {reached.sku: reached.price for reached in lowest_prices(version)}


def _situations(version: CampaignVersion) -> list[tuple[str | None, Price]]:
    """The engine without a coupon and with each of the most generous ones."""
    compiled = compile_rules(version)
    price: Price = partial(price_order, compiled)
    codes = [coupon.code for coupon in _generous(version.definition)]
    return [(coupon, price) for coupon in (None, *codes)]


def _generous(definition: CampaignDefinition) -> list[Coupon]:
    return sorted(definition.coupons, key=lambda each: (-each.off / max(each.threshold, 1), each.code))[:COUPONS_MAX]
