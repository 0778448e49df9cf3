"""Goods in memory, so that a page view reads no database.

A festival's goods, a few thousand, are kept whole. A catalogue beyond that keeps the goods that were asked for
most recently; both are bounded, and both follow the revision.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from tidegate.offer.catalogue.contracts import Category, Goods, Sku
from tidegate.offer.catalogue.rules import category_name

WHOLE_MAX: Final = 10_000


class Shelf:
    """A bounded copy of the goods on sale. `whole` says that it holds all of them."""

    def __init__(self, goods_max: int = WHOLE_MAX) -> None:
        self.goods_max = goods_max
        self.whole = False
        self.categories: tuple[Category, ...] = ()
        self._goods: OrderedDict[Sku, Goods] = OrderedDict()
        self._by_category: dict[str | None, tuple[Goods, ...]] = {}

    def fill(self, goods: Iterable[Goods]) -> None:
        """Hold exactly these goods, which are all there are."""
        self._goods = OrderedDict((each.sku, each) for each in sorted(goods, key=lambda each: each.sku))
        self.whole = True
        self._sort()

    def change(self, changed: Sequence[Goods], gone: Sequence[str]) -> None:
        """Follow changes: in a whole copy all of them, otherwise forget what is no longer true."""
        if self.whole:
            kept = {**self._goods, **{each.sku: each for each in changed}}
            self.fill(goods for sku, goods in kept.items() if sku not in set(gone))
            return
        for sku in [*(each.sku for each in changed), *(Sku(sku) for sku in gone)]:
            self._goods.pop(sku, None)

    def empty(self, counts: dict[str, int]) -> None:
        """Hold nothing yet of a catalogue too large to hold whole."""
        self._goods.clear()
        self._by_category = {}
        self.whole = False
        self.count(counts)

    def count(self, counts: dict[str, int]) -> None:
        """Take the number of goods in each category from the database."""
        named = (Category(slug, category_name(slug), counts[slug]) for slug in sorted(counts))
        self.categories = tuple(sorted(named, key=lambda each: (-each.goods_count, each.slug)))

    def get(self, sku: str) -> Goods | None:
        """The goods, if they are at hand."""
        goods = self._goods.get(Sku(sku))
        if goods is not None and not self.whole:
            self._goods.move_to_end(goods.sku)
        return goods

    def keep(self, goods: Iterable[Goods]) -> None:
        """Remember goods that were read; the longest unused make room."""
        if self.whole:
            return
        for each in goods:
            self._goods[each.sku] = each
            self._goods.move_to_end(each.sku)
        while len(self._goods) > self.goods_max:
            self._goods.popitem(last=False)

    def of(self, category: str | None) -> tuple[Goods, ...]:
        """All goods of a category, or all, by SKU. Only of a whole copy."""
        return self._by_category.get(category, ())

    def __len__(self) -> int:
        return len(self._goods)

    def _sort(self) -> None:
        by_category: dict[str | None, list[Goods]] = {None: list(self._goods.values())}
        for each in self._goods.values():
            by_category.setdefault(each.category, []).append(each)
        self._by_category = {slug: tuple(goods) for slug, goods in by_category.items()}
        self.count(Counter(each.category for each in self._goods.values()))
