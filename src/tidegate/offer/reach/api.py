"""The use case of reach: the lowest price of every product on offer in a definition."""

from itertools import islice
from typing import Final

from tidegate.offer.campaign.api import ReachedPrice
from tidegate.offer.campaign.contracts import CampaignVersion
from tidegate.offer.reach import rules
from tidegate.offer.reach.rules import CARTS_MAX, Shelf
from tidegate.offer.reach.situations import Situations

__all__ = ["lowest_of_version", "lowest_prices"]

EVALUATIONS_MAX: Final = 30_000
"""Carts priced for one definition: with many products each gets fewer, but never fewer than `CARTS_MIN`."""
CARTS_MIN: Final = 6


def lowest_prices(version: CampaignVersion) -> list[ReachedPrice]:
    """The lowest price of each product on offer, with the cart that reaches it, worst first.

    Worst is what lies furthest under its floor or cost. Takes seconds for a thousand products and many promotions;
    call it in a thread where others wait.
    """
    shelf, situations = Shelf(version.definition), Situations(version)
    engine = situations.engine()
    share = EVALUATIONS_MAX // max(1, len(shelf.offers) * len(engine.likely))
    most = max(CARTS_MIN, min(CARTS_MAX, share))
    found = []
    for goods in version.definition.goods:
        if goods.sku in shelf.offers:
            tried = list(islice(dict.fromkeys(rules.carts(shelf, goods.sku)), most))
            own = situations.engine(goods.sku) if goods.sku in situations.in_slots else engine
            reached = rules.lowest_price(shelf, goods, own, tried)
            if reached is not None:
                found.append(reached)
    return rules.worst_first(found)


def lowest_of_version(version: CampaignVersion) -> dict[str, int]:
    """The lowest price of each SKU on offer, in minor units."""
    return {reached.sku: reached.price for reached in lowest_prices(version)}
