"""What stock refuses. Nothing is ever taken by a refusal.

Refusal
├── SoldOut           409  fewer units are free than were asked for
├── QuotaBelowPromise 409  a quota below what is held, sold and missing already
└── StockUnknown      404  the campaign never had units of this SKU
"""

from tidegate.base.errors import Refusal


class SoldOut(Refusal):
    """Fewer units are free than were asked for; `sku` and `left` say which and how many."""

    code = "sold-out"
    status = 409
    title = "Sold out"


class QuotaBelowPromise(Refusal):
    """The new quota is smaller than what is held, sold and missing already."""

    code = "quota-below-promise"
    status = 409
    title = "Quota below what is promised"


class StockUnknown(Refusal):
    """The campaign never had units of this SKU."""

    code = "stock-unknown"
    status = 404
    title = "No such stock"
