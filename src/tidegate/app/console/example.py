"""The editor's example: a cart, its buyer and the moment as somebody typed them, and what they cost by a version; pure.

The facts are made by what makes the shop's, and of several coupons the one is taken that the checkout would take.
"""

from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import partial

import msgspec

from tidegate.app.acquaintance import known_as
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion, Words
from tidegate.offer.pricing.api import compile_rules, coupon_saving, explain, facts_of_shopper, price_order
from tidegate.offer.pricing.contracts import (
    LINES_MAX,
    POINTS_MAX,
    QUANTITY_MAX,
    Cart,
    CartLine,
    Facts,
    RuleSet,
    Shopper,
    Trace,
)
from tidegate.trust.identity.contracts import Standing

CART_LINES = 4
HELD_MAX = 20
"""Coupons that the buyer may have in hand."""

_DIGITS_MAX = 20


class Known(StrEnum):
    """What the shop knows of the buyer."""

    GUEST = "guest"
    """Nothing: not signed in."""
    NEW = "new"
    RETURNING = "returning"


class ExampleCart(msgspec.Struct, frozen=True):
    """A cart as somebody typed it: pairs of SKU and quantity, and a coupon; empty lines are left out."""

    lines: tuple[tuple[str, str], ...] = ()
    coupon: str = ""

    def read(self) -> Cart:
        """The cart that is meant; a quantity that is no number counts as one."""
        lines = [
            CartLine(sku.strip(), _whole(quantity, QUANTITY_MAX, otherwise=1))
            for sku, quantity in self.lines[:LINES_MAX]
            if sku.strip()
        ]
        return Cart(lines=tuple(line for line in lines if line.quantity), coupon=self.coupon.strip() or None)


class ExampleBuyer(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer and a moment as somebody typed them; what cannot be read counts as not given.

    `segments` and `held` (coupons in hand) are names with commas between them, `moment` is a local time. Without a
    moment it is the opening of the sale.
    """

    known: Known = Known.GUEST
    tier: str = ""
    segments: str = ""
    points: str = ""
    held: str = ""
    moment: str = ""

    def shopper(self) -> Shopper | None:
        """Who the buyer is to the shop; None of a guest."""
        if self.known is Known.GUEST:
            return None
        has_paid = self.known is Known.RETURNING
        return known_as(Standing(self.tier.strip(), frozenset(_names(self.segments))), has_paid=has_paid)

    def coupons(self) -> tuple[str, ...]:
        """The coupons in hand; a guest has none."""
        return () if self.known is Known.GUEST else tuple(dict.fromkeys(_names(self.held)))[:HELD_MAX]

    def balance(self) -> int:
        """The points to spend; a guest has none."""
        return 0 if self.known is Known.GUEST else _whole(self.points, POINTS_MAX, otherwise=0)

    def now(self, zone: tzinfo, opening: datetime) -> datetime:
        """The moment, or the opening."""
        try:
            local = datetime.fromisoformat(self.moment.strip())
            return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return opening


def _whole(text: str, most: int, *, otherwise: int) -> int:
    text = text.strip()
    return min(int(text[:_DIGITS_MAX]), most) if text.isdecimal() else otherwise


def _names(text: str) -> list[str]:
    return [name for each in text.replace("，", ",").split(",") if (name := each.strip())]


class HeldCoupon(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon in hand: what it saves on this cart in minor units, or why it cannot be used. `taken`: it is the one."""

    code: str
    saving: int = 0
    why_not: Spoken | None = None
    taken: bool = False


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """The example by one set of rules: its price explained, or why it has none. `is_open`: one could order then."""

    trace: Trace | None
    refusal: Refusal | None
    held: tuple[HeldCoupon, ...]
    now: datetime
    is_open: bool


def first_cart(definition: CampaignDefinition | None) -> ExampleCart:
    """The cart to begin with: one of each of the first two products on offer."""
    skus = [offer.sku for offer in definition.offers[:2]] if definition else []
    return ExampleCart(tuple((sku, "1") for sku in skus))


def price_example(version: CampaignVersion, cart: Cart, buyer: ExampleBuyer, zone: tzinfo) -> Priced | None:
    """What the cart costs this buyer by a version, explained; None of a cart without goods."""
    if not cart.lines:
        return None
    rules = compile_rules(version)
    now = buyer.now(zone, rules.opens_at)
    facts = facts_of_shopper(buyer.shopper(), now, points=buyer.balance())
    held = _held(rules, cart, facts, buyer.coupons())
    taken = cart.coupon or next((each.code for each in held if each.taken), None)
    trace, refusal = None, None
    try:
        trace = explain(rules, Cart(cart.lines, taken), facts)
    except Refusal as refused:
        refusal = refused
    return Priced(trace=trace, refusal=refusal, held=held, now=now, is_open=rules.opens_at <= now < rules.closes_at)


def _held(rules: RuleSet, cart: Cart, facts: Facts, codes: tuple[str, ...]) -> tuple[HeldCoupon, ...]:
    """The coupons in hand, the largest saving first; it is taken where no other one was typed."""
    found = sorted((_of(rules, cart, facts, code) for code in codes), key=lambda each: -each.saving)
    if not found or cart.coupon or found[0].saving <= 0:
        return tuple(found)
    return (msgspec.structs.replace(found[0], taken=True), *found[1:])


def _of(rules: RuleSet, cart: Cart, facts: Facts, code: str) -> HeldCoupon:
    try:
        saving = coupon_saving(partial(price_order, rules, facts=facts), cart.lines, code)
    except Refusal as refusal:
        return HeldCoupon(code=code, why_not=spoken(refusal))
    return HeldCoupon(code=code, saving=saving)


class Named(msgspec.Struct, frozen=True):
    """What a definition names of buyers, to choose from: tiers, segments and coupons."""

    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    coupons: tuple[tuple[str, Words], ...] = ()


def named_in(definition: CampaignDefinition | None) -> Named:
    """The tiers, segments and coupons that a definition names, in the order of their names."""
    if definition is None:
        return Named()
    promotions = definition.promotions
    return Named(
        tuple(sorted({tier for each in promotions for tier in each.tiers})),
        tuple(sorted({segment for each in promotions for segment in each.segments})),
        tuple((each.code, each.label) for each in definition.coupons),
    )
