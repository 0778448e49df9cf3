"""Which goods a definition sells for less than the price that is marked beside them, and by what. Pure.

A price is marked beside goods twice: the list price, and the offer's price from which coupons and promotions take off.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from tidegate.offer.campaign.contracts import (
    AmountOff,
    Bundle,
    CampaignDefinition,
    FlashPrice,
    FreeShipping,
    Gift,
    GoodsEntry,
    Measure,
    MemberPrice,
    PercentOff,
    PhaseName,
    PointsOff,
    Promotion,
    Selection,
)

_NO_REDUCTION = (Gift, FreeShipping, PointsOff)
"""What leaves the price of the goods as it is: something is given with them, or points pay a part of it."""


def below_list(definition: CampaignDefinition) -> set[str]:
    """The SKUs that are sold beside a higher list price.

    Those in presale, sold to groups, or cheaper for the hours of a slot are among them.
    """
    prices = {offer.sku: offer.price for offer in definition.offers}
    prices |= {presale.sku: presale.in_all for presale in definition.presales}
    prices |= {group_buy.sku: group_buy.price for group_buy in definition.group_buys}
    for promotion in definition.promotions:
        if isinstance(promotion.benefit, FlashPrice):
            sku, price = promotion.benefit.sku, promotion.benefit.price
            prices[sku] = min(price, prices.get(sku, price))
    return {entry.sku for entry in definition.goods if prices.get(entry.sku, entry.list_price) < entry.list_price}


def taken_off(definition: CampaignDefinition, *, alone: bool) -> set[str]:
    """The SKUs from whose offer's price a coupon, promotion or member price takes off.

    With `alone`, only those of which one unit in a cart by itself costs less: for the others a buyer must take more.
    """
    prices = {offer.sku: offer.price for offer in definition.offers}
    found = {
        offer.sku
        for offer in definition.offers
        if offer.coupons and any(c.off and (not alone or c.threshold <= offer.price) for c in definition.coupons)
    }
    shelf = _Shelf(entry for entry in definition.goods if entry.sku in prices)
    for promotion in definition.promotions:
        if not isinstance(promotion.benefit, _NO_REDUCTION):
            lowered = _lowered(promotion, shelf, prices)
            found |= {sku for sku in lowered - found if not alone or _reaches(promotion, prices[sku])}
    return found


def reduced_from(definition: CampaignDefinition) -> dict[str, datetime]:
    """When each SKU's reduction begins, before which its earlier prices count: the sale, or the presale's deposits."""
    starts_at = definition.phase(PhaseName.BURST).starts_at
    deposits = {presale.sku: presale.deposit_from_at for presale in definition.presales}
    return {entry.sku: deposits.get(entry.sku, starts_at) for entry in definition.goods}


class _Shelf:
    """Goods on offer, by what a selection names."""

    def __init__(self, goods: Iterable[GoodsEntry]) -> None:
        self._all: set[str] = set()
        self._by: dict[tuple[str, str], set[str]] = {}
        for entry in goods:
            self._all.add(entry.sku)
            for trait in (("category", entry.category), ("brand", entry.brand), ("shop", entry.shop)):
                self._by.setdefault(trait, set()).add(entry.sku)

    def selected(self, selection: Selection) -> set[str]:
        """The SKUs on offer that a selection names."""
        named = [
            *(("category", each) for each in selection.categories),
            *(("brand", each) for each in selection.brands),
            *(("shop", each) for each in selection.shops),
        ]
        if not named and not selection.skus:
            return self._all - set(selection.but)
        found = set(selection.skus) & self._all
        return found.union(*(self._by.get(trait, ()) for trait in named)) - set(selection.but)


def _lowered(promotion: Promotion, shelf: _Shelf, prices: Mapping[str, int]) -> set[str]:
    match promotion.benefit:
        case MemberPrice(prices=own):
            return {sku for sku, price in own if price < prices.get(sku, 0)}
        case FlashPrice(sku=sku, price=price):
            return {sku} if price < prices.get(sku, 0) else set()
        case Bundle(parts=parts):
            return {part.sku for part in parts} & prices.keys()
        case _:
            return shelf.selected(promotion.goods)


def _reaches(promotion: Promotion, price: int) -> bool:
    """Whether one unit at this price is enough for a promotion that takes off from it."""
    match promotion.benefit:
        case MemberPrice() | FlashPrice():
            return True
        case AmountOff(steps=steps, measure=measure) | PercentOff(steps=steps, measure=measure):
            reached = price if measure is Measure.AMOUNT else 1
            return any(step.off and step.reach <= reached for step in steps)
        case _:
            return False


def places(definition: CampaignDefinition, skus: set[str]) -> Iterator[tuple[int, GoodsEntry]]:
    """The goods with these SKUs, each with its place in the definition, in its order."""
    for place, entry in enumerate(definition.goods):
        if entry.sku in skus:
            yield place, entry
