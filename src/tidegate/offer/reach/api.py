"""The use case of reach: the lowest price of every product on offer in a definition."""

from itertools import islice
from typing import Final

from tidegate.offer.campaign.api import ReachedPrice
from tidegate.offer.campaign.contracts import CampaignVersion
from tidegate.offer.reach import rules
from tidegate.offer.reach.rules import CARTS_MAX, Shelf
from tidegate.offer.reach.situations import Situations
from tidegate.offer.reach.ways import of_groups, of_presales

__all__ = ["lowest_of_version", "lowest_prices"]

EVALUATIONS_MAX: Final = 30_000
"""Carts priced for one definition: with many products each gets fewer, but never fewer than `CARTS_MIN`."""
CARTS_MIN: Final = 6


def lowest_prices(version: CampaignVersion) -> list[ReachedPrice]:
    """The lowest price of each product in each way to buy it, with the cart and buyer that reach it, worst first.

    Worst is what lies furthest under its floor or cost. A product stands more than once where gifts and points come
    with it, and the lowest price, the lowest with their worth and the least that it brings are not one cart's. Takes
    seconds for a thousand products and many promotions; call it in a thread where others wait.
    """
    shelf, situations = Shelf(version.definition), Situations(version)
    engine = situations.engine()
    share = EVALUATIONS_MAX // max(1, len(shelf.offers) * len(engine.likely))
    most = max(CARTS_MIN, min(CARTS_MAX, share))
    found = [*of_presales(version.definition), *of_groups(version)]
    for goods in version.definition.goods:
        if goods.sku in shelf.offers:
            tried = list(islice(dict.fromkeys(rules.carts(shelf, goods.sku)), most))
            own = situations.engine(goods.sku) if goods.sku in situations.in_slots else engine
            found += rules.lowest_price(shelf, goods, own, tried)
    return rules.worst_first(found)


def lowest_of_version(version: CampaignVersion) -> dict[str, int]:
    """The lowest price of each SKU that is sold, in minor units: what is paid, whatever comes with it."""
    lowest: dict[str, int] = {}
    for reached in lowest_prices(version):
        lowest[reached.sku] = min(reached.price, lowest.get(reached.sku, reached.price))
    return lowest
