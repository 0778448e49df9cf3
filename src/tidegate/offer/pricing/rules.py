"""The price engine: a cart and a rule set in, a priced order out. Pure, synchronous, without I/O or clock.

The hot lane prices every order with it, so whatever depends only on the rules - words, counter keys, steps - is made
once by `compile_rules`. Budget: 15 microseconds for one line, 60 for ten (`bench/pricing_speed.py`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec

from tidegate.base.money import allocate
from tidegate.offer.campaign.contracts import CampaignVersion, Coupon, Earning, GoodsEntry, Offer, PhaseName, Words
from tidegate.offer.coupons.contracts import coupon_name, tidy
from tidegate.offer.pricing.book import MEMORY_MAX, ShippingRule
from tidegate.offer.pricing.carts import buyer_counters, buyer_uses, in_key_order, priced_line, take_offers
from tidegate.offer.pricing.compiling import compile_book
from tidegate.offer.pricing.contracts import (
    NOBODY,
    Cart,
    CartLine,
    CounterUse,
    CouponRule,
    Facts,
    Hint,
    OfferRule,
    PlainPrice,
    PricedLine,
    PricedOrder,
    PriceStep,
    RuleSet,
    Shopper,
    StepKind,
    Trace,
)
from tidegate.offer.pricing.counting import Counters, refusal_of
from tidegate.offer.pricing.engine import price_with_promotions
from tidegate.offer.pricing.errors import CouponNotApplicable, CouponNotValid, CouponSavesNothing, ThresholdNotMet
from tidegate.offer.pricing.limits import buyer_limits, counters_of_sku
from tidegate.offer.pricing.scoped import compile_scoped
from tidegate.offer.pricing.tracing import trace_of
from tidegate.offer.pricing.words import FREE_SHIPPING, LIST_PRICE, OFFER_WORDS, SHIPPING

__all__ = [
    "Counters",
    "advise",
    "compile_rules",
    "coupon_saving",
    "explain",
    "facts_of_shopper",
    "price_again",
    "price_order",
    "refusal_of",
]

TRACE_FORMAT = "tidegate-price-1"
"""Names the encoding behind the trace hash; a change of the encoding is a new name."""


def compile_rules(version: CampaignVersion) -> RuleSet:
    """The rule set of a published version: everything that pricing looks up, made once."""
    definition = version.definition
    burst = definition.phase(PhaseName.BURST)
    goods = {entry.sku: entry for entry in definition.goods}
    head, limits = definition.id, buyer_limits(definition)
    offers = {}
    for offer in definition.offers:
        counters = counters_of_sku(limits, offer.sku)
        if offer.per_buyer:
            counters.append((f"{head}/offer:{offer.sku}:", offer.per_buyer))
        offers[offer.sku] = _offer_rule(offer, goods[offer.sku], tuple(counters))
    shipping = ShippingRule(
        full=PriceStep(StepKind.SHIPPING, "shipping", SHIPPING, definition.shipping.fee),
        free=PriceStep(StepKind.SHIPPING, "shipping", FREE_SHIPPING, 0),
        free_from=definition.shipping.free_from,
    )
    return RuleSet(
        campaign_id=version.campaign_id,
        version=version.version,
        currency=definition.currency,
        opens_at=burst.starts_at,
        closes_at=burst.ends_at,
        offers=offers,
        not_on_offer=frozenset(goods.keys() - offers.keys()),
        coupons={coupon.code: _coupon_rule(coupon) for coupon in definition.coupons},
        free_from=shipping.free_from,
        shipping=shipping.full,
        free_shipping=shipping.free,
        scoped=compile_scoped(definition),
        book=compile_book(definition, offers, shipping),
        earning=definition.earning,
    )


def _offer_rule(offer: Offer, goods: GoodsEntry, counters: tuple[tuple[str, int], ...]) -> OfferRule:
    words = OFFER_WORDS[offer.kind]
    return OfferRule(
        sku=offer.sku,
        kind=offer.kind,
        list_price=goods.list_price,
        unit_price=offer.price,
        coupons=offer.coupons,
        label=Words(zh=f"{words.zh}：{goods.name.zh}", en=f"{words.en}: {goods.name.en}"),
        counters=counters,
    )


def _coupon_rule(coupon: Coupon) -> CouponRule:
    return CouponRule(
        code=coupon.code,
        threshold=coupon.threshold,
        off=coupon.off,
        quota=coupon.quota,
        per_buyer=coupon.per_buyer,
        step=PriceStep(StepKind.COUPON, f"coupon:{coupon.code}", coupon.label, -coupon.off),
    )


def price_order(rules: RuleSet, cart: Cart, facts: Facts = NOBODY) -> PricedOrder:
    """Price a cart: offers, promotions and coupon, shipping, points, each step explained.

    The same lines in any order give the same priced order. The facts' buyer completes the keys of per-buyer counters;
    without one (a quote for a guest) the order names no per-buyer counters, but what no buyer may have is still
    refused. Without promotions (`rules.book` is None) the other facts change nothing.
    Raises CartFaulty, UnknownGoods, NotOnOffer, CouponNotValid, CouponNotApplicable, ThresholdNotMet,
    CouponSavesNothing, BuyerLimitReached, and with promotions CouponUsedUp where that is known.
    """
    return _with_points_earned(rules, _priced(rules, cart, facts, again=False))


def price_again(rules: RuleSet, cart: Cart, facts: Facts) -> PricedOrder:
    """Price what was taken once, by the rules of its version and the facts that it kept, to the same cent and hash.

    A coupon that saved nothing is not refused: orders were taken with such a one before it was. Raises what else
    `price_order` raises.
    """
    return _with_points_earned(rules, _priced(rules, cart, facts, again=True))


def _with_points_earned(rules: RuleSet, order: PricedOrder) -> PricedOrder:
    points = points_earned(rules.earning, order.total - order.shipping) if rules.earning else 0
    return msgspec.structs.replace(order, points_earned=points) if points else order


def points_earned(earning: Earning, paid: int) -> int:
    """The points that paying so much for goods earns, in minor units: for each whole `paid`, at most `per_order`."""
    points = paid // earning.paid * earning.points
    return min(points, earning.per_order) if earning.per_order else points


def _priced(rules: RuleSet, cart: Cart, facts: Facts, *, again: bool) -> PricedOrder:
    if rules.book is not None:
        return price_with_promotions(rules, rules.book, cart, facts, again=again)
    plain = rules.memory.get(cart)
    if plain is None:
        plain = _plainly(rules, cart, take_offers(rules, cart))
        if len(rules.memory) >= MEMORY_MAX:
            rules.memory.pop(next(iter(rules.memory)), None)
        rules.memory[cart] = plain
    uses = buyer_uses(plain.offers, facts.buyer)
    if plain.coupon is not None:
        if not again:
            _require_saving(rules, plain.order, plain.coupon)
        for_all, for_one = _coupon_uses(rules, plain.coupon, facts.buyer.hex if facts.buyer else None)
        if not again:
            _require_left(for_one, facts)
        return msgspec.structs.replace(plain.order, counters=(*for_all, *in_key_order([*uses, *for_one])))
    return msgspec.structs.replace(plain.order, counters=in_key_order(uses)) if uses else plain.order


def _plainly(rules: RuleSet, cart: Cart, taken: Sequence[tuple[OfferRule, int]]) -> PlainPrice:
    """Price a cart for anybody, without promotions."""
    amounts = [offer.unit_price * quantity for offer, quantity in taken]
    goods_total = sum(amounts)
    coupon = _coupon(rules, cart.coupon, taken, amounts) if cart.coupon is not None else None
    discounts = _coupon_discounts(coupon, taken, amounts) if coupon else [0] * len(taken)
    discount_total = coupon.off if coupon else 0
    payable = goods_total - discount_total
    shipping = _shipping(rules, payable)
    lines = tuple(map(priced_line, taken, amounts, discounts))
    order = PricedOrder(
        lines=lines,
        steps=_steps(taken, coupon, shipping),
        goods_total=goods_total,
        discount_total=discount_total,
        shipping=shipping.amount,
        total=payable + shipping.amount,
        currency=rules.currency,
        counters=(),
        rules_version=rules.version,
        trace_hash=_trace_hash(rules, lines, coupon, shipping.amount),
    )
    return PlainPrice(order, coupon, buyer_counters(taken))


def _require_saving(rules: RuleSet, order: PricedOrder, coupon: CouponRule) -> None:
    """Refuse a coupon with which the order costs no less, since it is not sent for nothing any more."""
    if order.total >= order.goods_total + _shipping(rules, order.goods_total).amount:
        raise CouponSavesNothing(
            "With this coupon the order would cost no less, since shipping would not be free. Nothing was ordered and "
            "the coupon was not used; order without it.",
            coupon=coupon.code,
        )


def _require_left(uses: Sequence[CounterUse], facts: Facts) -> None:
    """Refuse a coupon of which it is known that this buyer may not use it any more."""
    for use in uses:
        if facts.left.get(use.key, use.amount) < use.amount:
            raise refusal_of(use)


def _shipping(rules: RuleSet, payable: int) -> PriceStep:
    """Shipping of goods that come to so much after all reductions."""
    return rules.free_shipping if rules.free_from is not None and payable >= rules.free_from else rules.shipping


def explain(rules: RuleSet, cart: Cart, facts: Facts = NOBODY) -> Trace:
    """Price a cart and explain it: each step, each promotion that does not apply with its reason, and hints.

    Raises what `price_order` raises.
    """
    return trace_of(rules, cart, facts, price_order(rules, cart, facts))


def advise(rules: RuleSet, cart: Cart, facts: Facts = NOBODY) -> tuple[Hint, ...]:
    """What a little more in the cart would bring; for a page of goods, a cart of one unit.

    Raises what `price_order` raises.
    """
    return explain(rules, cart, facts).hints


def facts_of_shopper(
    shopper: Shopper | None,
    now: datetime,
    *,
    buyer: UUID | None = None,
    points: int = 0,
    left: dict[str, int] = NOBODY.left,
    out: frozenset[str] = NOBODY.out,
) -> Facts:
    """The facts of who is looking: the one way to make them, for the shop and for whoever tries what it would say.

    None is somebody of whom nothing is known. ``points`` are what may be spent at most; ``left`` and ``out`` what is
    known of counters and gifts.
    """
    if shopper is None:
        return Facts(buyer=buyer, now=now, points=points, left=left, out=out)
    return Facts(
        buyer=buyer,
        now=now,
        audience=shopper.audience,
        tier=shopper.tier,
        segments=shopper.segments,
        points=points,
        left=left,
        out=out,
    )


def coupon_saving(price: Callable[[Cart], PricedOrder], lines: tuple[CartLine, ...], code: str) -> int:
    """How much less a cart costs with a coupon than without one, in minor units; negative where it costs more.

    Raises what ``price`` raises: why the coupon, or the cart, cannot be used.
    """
    without = price(Cart(lines)).total
    return without - price(Cart(lines, code)).total


def _coupon(rules: RuleSet, code: str, taken: Sequence[tuple[OfferRule, int]], amounts: Sequence[int]) -> CouponRule:
    # A shared code as it stands; else a shopper's own code, which begins with its coupon's name.
    coupon = rules.coupons.get(tidy(code)) or rules.coupons.get(coupon_name(code))
    if coupon is None:
        raise CouponNotValid(
            "No coupon of this campaign has this code. Nothing was ordered; check the code or order without it."
        )
    counted = sum(amount for (offer, _), amount in zip(taken, amounts, strict=True) if offer.coupons)
    if counted == 0:
        raise CouponNotApplicable(
            "None of these goods takes coupons. Nothing was ordered; order without the coupon.", coupon=coupon.code
        )
    if counted < coupon.threshold:
        raise ThresholdNotMet(
            "The goods that count towards this coupon do not reach its threshold. Nothing was ordered; "
            "add goods or order without the coupon.",
            coupon=coupon.code,
            threshold=coupon.threshold,
            missing=coupon.threshold - counted,
        )
    return coupon


def _coupon_discounts(coupon: CouponRule, taken: Sequence[tuple[OfferRule, int]], amounts: Sequence[int]) -> list[int]:
    """The coupon split over the lines that take it, by largest remainder; equal remainders go to the lower SKU."""
    weights = [amount if offer.coupons else 0 for (offer, _), amount in zip(taken, amounts, strict=True)]
    return allocate(coupon.off, weights)


def _steps(
    taken: Sequence[tuple[OfferRule, int]], coupon: CouponRule | None, shipping: PriceStep
) -> tuple[PriceStep, ...]:
    list_total = 0
    reductions: list[PriceStep] = []
    for offer, quantity in taken:
        list_total += offer.list_price * quantity
        less = (offer.unit_price - offer.list_price) * quantity
        if less:
            reductions.append(PriceStep(StepKind.OFFER, offer.sku, offer.label, less))
    start = PriceStep(StepKind.LIST_PRICE, "list", LIST_PRICE, list_total)
    return (start, *reductions, coupon.step, shipping) if coupon else (start, *reductions, shipping)


def _coupon_uses(
    rules: RuleSet, coupon: CouponRule, buyer: str | None
) -> tuple[Sequence[CounterUse], Sequence[CounterUse]]:
    """What a coupon uses of its counter for everybody, and of the one for its buyer."""
    head = f"{rules.campaign_id}/coupon:{coupon.code}"
    for_all = [CounterUse(head, 1, coupon.quota)] if coupon.quota else []
    counts_buyer = coupon.per_buyer and buyer is not None
    return for_all, [CounterUse(f"{head}:{buyer}", 1, coupon.per_buyer)] if counts_buyer else []


def _trace_hash(rules: RuleSet, lines: Sequence[PricedLine], coupon: CouponRule | None, shipping: int) -> str:
    """SHA-256 of everything that made the price, without its words and without the buyer."""
    parts = [f"{TRACE_FORMAT}\n{rules.campaign_id} {rules.version} {rules.currency}"]
    parts += [
        f"{line.sku} {line.quantity} {line.list_price} {line.unit_price} {line.discount} {line.payable}"
        for line in lines
    ]
    parts.append(f"coupon {coupon.code} {coupon.off}\nshipping {shipping}" if coupon else f"shipping {shipping}")
    return sha256("\n".join(parts).encode()).hexdigest()
