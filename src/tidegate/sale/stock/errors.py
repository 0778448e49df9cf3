"""What stock refuses. Nothing is ever taken by a refusal.

Refusal
├── SoldOut           409  fewer units are free than were asked for
└── QuotaBelowPromise 409  a quota below what is held and sold already
"""

from tidegate.base.errors import Refusal


class SoldOut(Refusal):
    """Fewer units are free than were asked for; `sku` and `left` say which and how many."""

    code = "sold-out"
    status = 409
    title = "Sold out"


class QuotaBelowPromise(Refusal):
    """The new quota is smaller than what is held and sold already."""

    code = "quota-below-promise"
    status = 409
    title = "Quota below what is promised"
