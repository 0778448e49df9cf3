"""Words of pricing: a cart in, a priced order out, every step explained. Money is integers of the minor unit.

What an order consists of by the dozen holds nothing that could hold it: the garbage collector need not look at it.
"""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import msgspec

from tidegate.offer.campaign.contracts import Audience, CampaignId, Earning, Measure, OfferKind, Words

if TYPE_CHECKING:
    from tidegate.offer.pricing.book import Book

LINES_MAX = 200
QUANTITY_MAX = 9_999
POINTS_MAX = 10**12


class CartLine(msgspec.Struct, frozen=True, gc=False):
    """So many units of one SKU. Lines of the same SKU count as one."""

    sku: str
    quantity: int


class Cart(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What a shopper wants, with at most one coupon code."""

    lines: tuple[CartLine, ...]
    coupon: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of the shopper and the moment. None is unknown: what needs it does not apply, and says so.

    ``points`` are what the shopper wants to spend. ``coupons`` are shown beside the cart's one. ``named`` are further
    facts that conditions declare. ``left`` says how much is left of a counter, by its key; a key that is absent is not
    known to be short. ``out`` are gifts without stock.
    """

    buyer: UUID | None = None
    now: datetime | None = None
    audience: frozenset[Audience] | None = None
    tier: str | None = None
    segments: frozenset[str] | None = None
    points: int = 0
    coupons: tuple[str, ...] = ()
    named: tuple[tuple[str, str | int | bool], ...] = ()
    left: dict[str, int] = {}
    barred: frozenset[str] = frozenset()
    """Promotions whose counters are known to leave no room: what an order keeps of `left`."""
    out: frozenset[str] = frozenset()


class Shopper(msgspec.Struct, frozen=True):
    """Who somebody is to the shop. `tier` is empty for one who is not a member."""

    audience: frozenset[Audience]
    tier: str
    segments: frozenset[str]


NOBODY = Facts()
"""A guest of whom nothing is known, at no known time."""


class StepKind(StrEnum):
    """Why an amount is there. The amounts of all steps of an order add up to its total."""

    LIST_PRICE = "list_price"
    OFFER = "offer"
    MEMBER_PRICE = "member_price"
    FLASH_PRICE = "flash_price"
    COUPON = "coupon"
    PROMOTION = "promotion"
    SHIPPING = "shipping"
    POINTS = "points"


class PriceStep(msgspec.Struct, frozen=True, gc=False):
    """One step of the explanation: which rule changed the total by which amount, in words."""

    kind: StepKind
    rule: str
    label: Words
    amount: int


class Share(msgspec.Struct, frozen=True, gc=False):
    """So many units of a line were paid with this amount each. What is refunded for a unit is its share."""

    units: int
    paid: int


class PricedLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One SKU priced.

    ``list_price`` and ``unit_price`` are per unit; ``discount`` is the line's part of order-wide reductions.
    ``gifts`` of its units are free and come last. ``payable = unit_price * (quantity - gifts) - discount``, and the
    shares of the units add up to exactly that.
    """

    sku: str
    quantity: int
    list_price: int
    unit_price: int
    discount: int
    payable: int
    shares: tuple[Share, ...]
    gifts: int = 0

    def bought(self) -> tuple[Share, ...]:
        """The shares without those of the gifts, which come last."""
        left = self.quantity - self.gifts
        found = []
        for share in self.shares:
            if left > 0 and share.units:
                found.append(Share(min(share.units, left), share.paid))
                left -= share.units
        return tuple(found)

    def paid_for(self, first: int, units: int) -> int:
        """What was paid for ``units`` units from unit ``first`` (counted from 0) on: the amount to refund for them."""
        total, start = 0, 0
        for share in self.shares:
            overlap = min(first + units, start + share.units) - max(first, start)
            total += max(overlap, 0) * share.paid
            start += share.units
        return total


class CounterUse(msgspec.Struct, frozen=True, gc=False):
    """The order uses this much of a counter that may never exceed its cap."""

    key: str
    amount: int
    cap: int


class CountersUsed(msgspec.Struct, frozen=True, kw_only=True):
    """Counters in three numbers: equal where two modules mean the same use of the same counters.

    `mixed` is the exclusive or of a 64-bit hash of each key with its use; unequal ones agree by chance once in 2**64.
    """

    counters: int
    uses: int
    mixed: int


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


class Borne(msgspec.Struct, frozen=True, gc=False):
    """Who bears how much of a reduction on one shop's goods (shop "" = the house)."""

    bearer: str
    shop: str
    amount: int


class Reduction(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one promotion took off: in all, of each line (by SKU), and who bears it; each adds up to the amount.

    ``given_up`` is what it would have taken off more, beyond the floor of the goods or what was left to pay.
    """

    promotion: str
    amount: int
    lines: tuple[tuple[str, int], ...]
    borne: tuple[Borne, ...]
    times: int = 1
    given_up: int = 0


class GivenGift(msgspec.Struct, frozen=True, gc=False):
    """So many units of a SKU came free with the order, for the goods named; ``value`` is the list price of one."""

    promotion: str
    sku: str
    units: int
    value: int
    earned_by: tuple[str, ...] = ()


class PricedOrder(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A cart with its price: ``total = goods_total - discount_total + shipping``, which is also the sum of the steps.

    Lines stand in the order of their SKUs, and counters in that of their keys, those for everybody before those for one
    buyer or device: the same cart always gives the same order.
    The last fields speak of promotions; without promotions they are absent from its JSON. ``regret`` is the most by
    which another combination could have been better, 0 when none could. ``facts`` are those that it was priced with.
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
    reductions: tuple[Reduction, ...] = ()
    gifts: tuple[GivenGift, ...] = ()
    points_used: int = 0
    regret: int = 0
    facts: Facts | None = None
    gifts_left_off: tuple[str, ...] = ()
    """SKUs of gifts that were out of stock when the order was taken: it was taken without them."""
    points_earned: int = 0
    """What its payment earns."""
    price_ends_at: datetime | None = None
    """The end of the slot whose flash price it has: it can be taken before that moment only."""

    def given_up(self, rule: str) -> int:
        """What the rule of a step would have taken off more, had the goods not been at their lowest price."""
        return next((each.given_up for each in self.reductions if each.promotion == rule), 0)


class Shortfall(StrEnum):
    """Why a promotion that concerns the cart does not apply."""

    NOT_YET = "not_yet"
    OVER = "over"
    AUDIENCE = "audience"
    TIER = "tier"
    SEGMENT = "segment"
    COUPON = "coupon"
    FACT_MISSING = "fact_missing"
    CONDITION = "condition"
    THRESHOLD = "threshold"
    LIMITED = "limited"
    EXHAUSTED = "exhausted"
    GIFT_OUT = "gift_out"
    FLOOR = "floor"
    NO_POINTS = "no_points"
    LOWER_PRICE = "lower_price"
    OWN_PRICE = "own_price"
    BETTER = "better"


class NotApplied(msgspec.Struct, frozen=True, omit_defaults=True):
    """A promotion that concerns the cart and takes nothing off: why, and in words what would make it apply.

    ``missing`` is how much more is needed, in minor units or pieces; ``facts`` are those that are not known.
    """

    promotion: str
    label: Words
    reason: Shortfall
    words: Words
    measure: Measure | None = None
    missing: int = 0
    facts: tuple[str, ...] = ()


class Hint(msgspec.Struct, frozen=True, omit_defaults=True):
    """So much more in the cart, and a promotion takes off (more): ``off`` minor units then, 0 where that depends."""

    promotion: str
    label: Words
    measure: Measure
    missing: int
    off: int
    words: Words


class Trace(msgspec.Struct, frozen=True):
    """A priced order with every step in words, and every promotion that does not apply with its reason."""

    order: PricedOrder
    steps: tuple[Words, ...]
    not_applied: tuple[NotApplied, ...]
    hints: tuple[Hint, ...]


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


class PlainPrice(NamedTuple):
    """The price of a cart without promotions for anybody: the order without a buyer's counters, and its coupon.

    ``offers`` is what it uses of the counters of its offers for each buyer: head, amount and cap.
    """

    order: PricedOrder
    coupon: CouponRule | None
    offers: list[tuple[str, int, int]]


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
    book: "Book | None" = None
    """The compiled promotions and floors; None: there are none, and the short way of pricing is taken."""
    earning: Earning | None = None
    memory: dict[Cart, PlainPrice] = msgspec.field(default_factory=dict)
    """Carts priced lately without promotions; it changes no price."""
