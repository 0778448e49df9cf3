"""Presale is tried with real payment channels, as ordering is."""

from tests.sale.ordering.conftest import shop
from tests.sale.payment.conftest import harbour, lantern, two_channels

__all__ = ["harbour", "lantern", "shop", "two_channels"]
