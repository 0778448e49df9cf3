"""Which goods a rule is about."""

from msgspec import Struct


class Selection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which goods count and are reduced: those of any of these SKUs, categories, brands or shops, less `but`.

    All four empty: every product of the festival.
    """

    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    """SKUs left out."""

    def has(self, sku: str, category: str, brand: str, shop: str) -> bool:
        """Whether goods with these traits are selected."""
        everything = not (self.skus or self.categories or self.brands or self.shops)
        named = sku in self.skus or category in self.categories or brand in self.brands or shop in self.shops
        return sku not in self.but and (everything or named)
