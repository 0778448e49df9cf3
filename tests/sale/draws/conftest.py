"""Draws are tried in the whole shop, on real payment channels."""

from tests.sale.ordering.conftest import shop
from tests.sale.payment.conftest import harbour, lantern, two_channels

__all__ = ["harbour", "lantern", "shop", "two_channels"]
