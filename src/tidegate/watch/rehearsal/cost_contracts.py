"""Words of expected cost: what was bought, what each promotion costs on it, what was assumed and what was left out."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec


class Purchase(NamedTuple):
    """What somebody bought at once: units by SKU."""

    account: str
    at: datetime
    units: Mapping[str, int]


class Assumed(StrEnum):
    """What is not known of the buyers, and was taken as it is dearest for the shop."""

    COUPONS = "coupons"
    MEMBERS = "members"
    TIERS = "tiers"
    SEGMENTS = "segments"
    CONDITIONS = "conditions"
    POINTS = "points"


class NotCosted(StrEnum):
    """What a campaign promises beside promotions, coupons and offers; it is in no row."""

    PRESALES = "presales"
    GROUP_BUYS = "group_buys"
    DRAWS = "draws"
    PRICE_PROTECTION = "price_protection"
    EARNED_POINTS = "earned_points"
    FURTHER_COUPONS = "further_coupons"


class PromotionCost(msgspec.Struct, kw_only=True):
    """What one promotion or coupon cost, or the offers against list prices. Money in minor units.

    `units` are those of the lines that it touched; a gift costs its list price, and free shipping the fee. `budget` 0:
    none is set.
    """

    rule: str
    orders: int = 0
    units: int = 0
    off: int = 0
    bearers: dict[str, int] = {}
    budget: int = 0


class CostReport(msgspec.Struct, kw_only=True):
    """A log priced by a campaign. Money in minor units of `currency`; what was left out is counted, not priced."""

    currency: str
    orders: int = 0
    priced: int = 0
    refused: int = 0
    units: int = 0
    lines_unmatched: int = 0
    units_beyond_quota: int = 0
    at_list_price: int = 0
    paid: int = 0
    shipping: int = 0
    promotions: list[PromotionCost] = []
    assumed: list[Assumed] = []
    not_costed: list[NotCosted] = []
