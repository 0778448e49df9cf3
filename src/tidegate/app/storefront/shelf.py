"""What the campaign sells, put in order for browsing. Pure; made once for each published version."""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b

import msgspec

from tidegate.offer.campaign.contracts import CampaignVersion, GoodsEntry, Offer, OfferKind

PAGE_GOODS = 24
FLASH_GOODS = 6
FLASH = "flash"
"""Stands in an address where a category does, for the goods at a flash price."""


class Sort(StrEnum):
    """How goods are ordered."""

    FEATURED = "featured"
    CHEAP = "price"
    DEAR = "price-down"
    SAVING = "saving"


class Listing(msgspec.Struct, frozen=True):
    """Which part of the shelf a page shows. `page` counts from 1."""

    category: str = ""
    sort: Sort = Sort.FEATURED
    page: int = 1

    def address(self, **changes: object) -> str:
        """Return the address of this listing with some of it changed; what is usual is left out."""
        after = msgspec.structs.replace(self, **changes)
        parts = [f"category={after.category}"] if after.category else []
        parts += [f"sort={after.sort}"] if after.sort is not Sort.FEATURED else []
        parts += [f"page={after.page}"] if after.page > 1 else []
        return "/" + ("?" + "&".join(parts) if parts else "") + "#goods"

    def at(self, page: int) -> str:
        """Return the address of another page of this listing."""
        return self.address(page=page)


class Shelf:
    """The goods on offer of one version, sorted every way once."""

    def __init__(self, version: CampaignVersion) -> None:
        goods = {entry.sku: entry for entry in version.definition.goods}
        offers = [offer for offer in version.definition.offers if offer.sku in goods]
        self.names = {entry.sku: entry.name for entry in version.definition.goods}
        self.quotas = {offer.sku: offer.quota for offer in offers}
        self.per_buyer = {offer.sku: offer.per_buyer for offer in offers}
        self.flash = tuple(offer.sku for offer in offers if offer.kind is OfferKind.FLASH)
        self._is_flash = frozenset(self.flash)
        self._category = {offer.sku: goods[offer.sku].category for offer in offers}
        self._sorted = {sort: _sorted(sort, offers, goods) for sort in Sort}
        self.categories = _by_size(self._category)

    def list(self, listing: Listing) -> tuple[tuple[str, ...], int]:
        """Return the SKUs of one page and the number of pages; a page beyond the last is empty."""
        skus: Sequence[str] = self._sorted[listing.sort]
        if listing.category == FLASH:
            skus = [sku for sku in skus if sku in self._is_flash]
        elif listing.category:
            skus = [sku for sku in skus if self._category[sku] == listing.category]
        start = (listing.page - 1) * PAGE_GOODS
        return tuple(skus[start : start + PAGE_GOODS]), max(1, -(-len(skus) // PAGE_GOODS))

    def beside(self, sku: str, count: int) -> tuple[str, ...]:
        """Return other goods of the same category, those that follow first."""
        category = self._category.get(sku)
        same = [each for each in self._sorted[Sort.FEATURED] if self._category[each] == category]
        place = same.index(sku) + 1 if sku in same else 0
        return tuple(each for each in (same[place:] + same[:place]) if each != sku)[:count]

    def __len__(self) -> int:
        """The number of goods on offer."""
        return len(self._category)


def _sorted(sort: Sort, offers: Sequence[Offer], goods: dict[str, GoodsEntry]) -> tuple[str, ...]:
    match sort:
        case Sort.FEATURED:
            ordered = _mixed(offers, goods)
        case Sort.CHEAP:
            ordered = sorted(offers, key=lambda offer: offer.price)
        case Sort.DEAR:
            ordered = sorted(offers, key=lambda offer: -offer.price)
        case Sort.SAVING:
            ordered = sorted(offers, key=lambda offer: offer.price / max(1, goods[offer.sku].list_price))
    return tuple(offer.sku for offer in ordered)


def _mixed(offers: Sequence[Offer], goods: dict[str, GoodsEntry]) -> list[Offer]:
    """Return offers so that neighbours come from different categories; within one, in an order that favours nobody.

    Flash offers come last: they have a place of their own above.
    """
    order = sorted(offers, key=lambda offer: blake2b(offer.sku.encode(), digest_size=8).digest())
    turns: dict[str, int] = {}
    turn_of = {}
    for offer in order:
        category = goods[offer.sku].category
        turn_of[offer.sku] = turns[category] = turns.get(category, 0) + 1
    return sorted(order, key=lambda offer: (offer.kind is OfferKind.FLASH, turn_of[offer.sku]))


def _by_size(category_of: dict[str, str]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for category in category_of.values():
        counts[category] = counts.get(category, 0) + 1
    return tuple(sorted(counts, key=lambda category: (-counts[category], category)))
