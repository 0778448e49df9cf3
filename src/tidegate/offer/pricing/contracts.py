"""Words of pricing: a cart in, a priced order out, every step explained. Money is integers of the minor unit."""

from datetime import datetime
from enum import StrEnum

import msgspec

from tidegate.offer.campaign.contracts import CampaignId, OfferKind, Words

LINES_MAX = 200
QUANTITY_MAX = 9_999


class CartLine(msgspec.Struct, frozen=True):
    """So many units of one SKU. Lines of the same SKU count as one."""

    sku: str
    quantity: int


class Cart(msgspec.Struct, frozen=True):
    """What a shopper wants, with at most one coupon code."""

    lines: tuple[CartLine, ...]
    coupon: str | None = None


class StepKind(StrEnum):
    """Why an amount is there. The amounts of all steps of an order add up to its total."""

    LIST_PRICE = "list_price"
    OFFER = "offer"
    COUPON = "coupon"
    SHIPPING = "shipping"


class PriceStep(msgspec.Struct, frozen=True):
    """One step of the explanation: which rule changed the total by which amount, in words."""

    kind: StepKind
    rule: str
    label: Words
    amount: int


class Share(msgspec.Struct, frozen=True):
    """So many units of a line were paid with this amount each. What is refunded for a unit is its share."""

    units: int
    paid: int


class PricedLine(msgspec.Struct, frozen=True):
    """One SKU priced.

    ``list_price`` and ``unit_price`` are per unit; ``discount`` is the line's part of order-wide reductions;
    ``payable = unit_price * quantity - discount`` and the shares of the units add up to exactly that.
    """

    sku: str
    quantity: int
    list_price: int
    unit_price: int
    discount: int
    payable: int
    shares: tuple[Share, ...]

    def paid_for(self, first: int, units: int) -> int:
        """What was paid for ``units`` units from unit ``first`` (counted from 0) on: the amount to refund for them."""
        total, start = 0, 0
        for share in self.shares:
            overlap = min(first + units, start + share.units) - max(first, start)
            total += max(overlap, 0) * share.paid
            start += share.units
        return total


class CounterUse(msgspec.Struct, frozen=True):
    """The order uses this much of a counter that may never exceed its cap."""

    key: str
    amount: int
    cap: int


class SharedScope(StrEnum):
    """What accounts may share, so that a limit counts over them."""

    DEVICE = "device"
    ADDRESS = "address"
    INSTRUMENT = "instrument"


class ScopedLimit(msgspec.Struct, frozen=True):
    """A limit by device, address or payment account, compiled; no SKUs means everything on offer."""

    scope: SharedScope
    head: str
    cap: int
    skus: frozenset[str]


class ScopedUse(msgspec.Struct, frozen=True):
    """How much an order uses of such a limit; its counter's key is completed with the subject."""

    scope: SharedScope
    head: str
    amount: int
    cap: int


class PricedOrder(msgspec.Struct, frozen=True):
    """A cart with its price: ``total = goods_total - discount_total + shipping``, which is also the sum of the steps.

    Lines and counters stand in the order of their SKUs and keys, so the same cart always gives the same order.
    """

    lines: tuple[PricedLine, ...]
    steps: tuple[PriceStep, ...]
    goods_total: int
    discount_total: int
    shipping: int
    total: int
    currency: str
    counters: tuple[CounterUse, ...]
    rules_version: int
    trace_hash: str


class OfferRule(msgspec.Struct, frozen=True):
    """One SKU's offer, compiled: with its words, and the heads of its per-buyer counters and their caps."""

    sku: str
    kind: OfferKind
    list_price: int
    unit_price: int
    coupons: bool
    label: Words
    counters: tuple[tuple[str, int], ...]


class CouponRule(msgspec.Struct, frozen=True):
    """One coupon, compiled."""

    code: str
    threshold: int
    off: int
    quota: int
    per_buyer: int
    step: PriceStep


class RuleSet(msgspec.Struct, frozen=True):
    """Everything that prices, compiled from one published version; immutable and without I/O.

    The sale is open from ``opens_at`` on and before ``closes_at`` (the burst phase); pricing itself asks for no time.
    """

    campaign_id: CampaignId
    version: int
    currency: str
    opens_at: datetime
    closes_at: datetime
    offers: dict[str, OfferRule]
    not_on_offer: frozenset[str]
    coupons: dict[str, CouponRule]
    free_from: int | None
    shipping: PriceStep
    free_shipping: PriceStep
    scoped: tuple[ScopedLimit, ...] = ()
