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
    """What a campaign promises beside its prices; it is in no row."""

    DRAWS = "draws"
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


class Method(StrEnum):
    """What is promised beside the prices of orders, and so how its cost is reckoned."""

    PRESALE = "presale"
    """Who bought it reserves it and pays the balance: a unit costs what its deposit counts for beyond itself."""
    GROUP_BUY = "group_buy"
    """Groups are formed of who bought it, as they came; of those that fill a unit costs list price less group price."""
    PRICE_PROTECTION = "price_protection"
    """Orders are priced again wherever the campaign's own schedule turns later; the largest difference goes back."""


class PromisedCost(msgspec.Struct, kw_only=True):
    """What one presale, one group buy or price protection cost. Money in minor units, in no other figure.

    `sku` is empty for price protection. `asked` are the units of it in the log up to quota and limits, 0: the log has
    none; `orders` and `units` are those that cost something. `at_most` is with the whole quota sold, of a group buy in
    groups that fill; 0 for price protection, which nothing bounds. `below_list` of a presale is what its price stands
    below the list price. Of price protection `moments` are those of the sale at which a promotion begins or ends.
    """

    method: Method
    sku: str = ""
    asked: int = 0
    orders: int = 0
    units: int = 0
    off: int = 0
    at_most: int = 0
    left_out: int = 0
    below_list: int = 0
    groups: int = 0
    groups_filled: int = 0
    days: int = 0
    moments: int = 0


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
    promised: list[PromisedCost] = []
    assumed: list[Assumed] = []
    not_costed: list[NotCosted] = []
