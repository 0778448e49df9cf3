"""Price protection is tried with real payment channels, as ordering is."""

from tests.sale.ordering.conftest import books, shop
from tests.sale.payment.conftest import harbour, lantern, two_channels

__all__ = ["books", "harbour", "lantern", "shop", "two_channels"]
