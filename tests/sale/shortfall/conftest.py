"""Shortfalls are tried on the shop with real payment channels."""

from tests.sale.ordering.conftest import books, harbour, lantern, shop, two_channels

__all__ = ["books", "harbour", "lantern", "shop", "two_channels"]
