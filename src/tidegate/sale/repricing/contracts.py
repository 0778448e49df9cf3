"""Words of repricing."""

from enum import StrEnum
from uuid import UUID

import msgspec


class Making(StrEnum):
    """How an order came to its price."""

    ORDINARY = "ordinary"
    """By the offers, promotions and coupons of its version."""
    GROUP = "group"
    """At the price for groups."""
    PRESALE = "presale"
    """As a reservation: deposit and balance."""


class What(StrEnum):
    """What differs, or could not be found."""

    RULES = "rules"
    """The version that the order names is not kept."""
    REFUSED = "refused"
    """By those rules its goods could not be ordered at all; the code of the refusal says why."""
    LINE = "line"
    GIFT = "gift"
    GOODS_TOTAL = "goods_total"
    DISCOUNT_TOTAL = "discount_total"
    SHIPPING = "shipping"
    POINTS_USED = "points_used"
    TOTAL = "total"
    TRACE_HASH = "trace_hash"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the order keeps, and what it came to when it was priced again; amounts in minor units."""

    what: What
    of: str = ""
    """The SKU, where there is one."""
    kept: str
    again: str


class Repriced(msgspec.Struct, frozen=True, kw_only=True):
    """An order priced again. `total` is what it came to, in minor units; None where it could not be priced."""

    order_id: UUID
    campaign_id: str
    rules_version: int
    making: Making
    currency: str
    total: int | None
    trace_hash: str
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether it came to the same cent, by the same steps."""
        return not self.differences
