"""Repricing is tried on orders of every making, as ordering is: with real payment channels where money moves."""

from tests.sale.ordering.conftest import shop
from tests.sale.payment.conftest import harbour, lantern, two_channels

__all__ = ["harbour", "lantern", "shop", "two_channels"]
