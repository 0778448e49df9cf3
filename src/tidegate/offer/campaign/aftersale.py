"""Words of what is promised after the purchase: gifts of goods that come back, and price protection."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from tidegate.offer.campaign.selection import Selection

PROTECTION_DAYS_MAX = 366


class GiftPolicy(StrEnum):
    """What becomes of a gift whose goods come back. A campaign that says nothing takes nothing off for it."""

    KEEP = "keep"
    """It stays with the buyer."""
    PAY = "pay"
    """It comes back too, or its price is kept from the refund in proportion."""


class PriceProtection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For so many days after the payment, who paid more for these goods than they cost then gets the difference."""

    days: Annotated[int, Meta(ge=1, le=PROTECTION_DAYS_MAX)]
    goods: Selection = Selection()
