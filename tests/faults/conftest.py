"""The faults of payment channels stand on the same fixtures as payment's own tests."""

from tests.sale.payment.conftest import harbour, hasty, lantern, shop, two_channels

__all__ = ["harbour", "hasty", "lantern", "shop", "two_channels"]
