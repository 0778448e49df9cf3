"""The price engine: a cart and a rule set in, a priced order out. Pure, synchronous, without I/O or clock.

The hot lane prices every order with it, so whatever depends only on the rules - words, counter keys, steps - is made
once by `compile_rules`. Budget: 15 microseconds for one line, 60 for ten (`bench/pricing_speed.py`).
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from tidegate.base.errors import Refusal
from tidegate.base.money import allocate
from tidegate.offer.campaign.contracts import (
    CampaignVersion,
    Coupon,
    GoodsEntry,
    Offer,
    OfferKind,
    PhaseName,
    Words,
)
from tidegate.offer.coupons.contracts import coupon_name, tidy
from tidegate.offer.pricing.contracts import (
    LINES_MAX,
    QUANTITY_MAX,
    Cart,
    CounterUse,
    CouponRule,
    OfferRule,
    PricedLine,
    PricedOrder,
    PriceStep,
    RuleSet,
    Share,
    StepKind,
)
from tidegate.offer.pricing.errors import (
    BuyerLimitReached,
    CartFaulty,
    CouponNotApplicable,
    CouponNotValid,
    CouponUsedUp,
    NotOnOffer,
    ThresholdNotMet,
    UnknownGoods,
)

TRACE_FORMAT = "tidegate-price-1"
"""Names the encoding behind the trace hash; a change of the encoding is a new name."""

LIST_PRICE = Words(zh="商品原价合计", en="Goods at list price")
OFFER_WORDS = {
    OfferKind.FLASH: Words(zh="秒杀价", en="Flash price"),
    OfferKind.DISCOUNT: Words(zh="活动价", en="Festival price"),
}
FREE_SHIPPING = Words(zh="免运费", en="Free shipping")
SHIPPING = Words(zh="运费", en="Shipping")


def compile_rules(version: CampaignVersion) -> RuleSet:
    """The rule set of a published version: everything that pricing looks up, made once."""
    definition = version.definition
    burst = definition.phase(PhaseName.BURST)
    goods = {entry.sku: entry for entry in definition.goods}
    head = definition.id
    limits = [(f"{head}/limit:{each.name}:", each.per_buyer, frozenset(each.skus)) for each in definition.limits]
    offers = {}
    for offer in definition.offers:
        counters = [(head, cap) for head, cap, skus in limits if not skus or offer.sku in skus]
        if offer.per_buyer:
            counters.append((f"{head}/offer:{offer.sku}:", offer.per_buyer))
        offers[offer.sku] = _offer_rule(offer, goods[offer.sku], tuple(counters))
    return RuleSet(
        campaign_id=version.campaign_id,
        version=version.version,
        currency=definition.currency,
        opens_at=burst.starts_at,
        closes_at=burst.ends_at,
        offers=offers,
        not_on_offer=frozenset(goods.keys() - offers.keys()),
        coupons={coupon.code: _coupon_rule(coupon) for coupon in definition.coupons},
        free_from=definition.shipping.free_from,
        shipping=PriceStep(StepKind.SHIPPING, "shipping", SHIPPING, definition.shipping.fee),
        free_shipping=PriceStep(StepKind.SHIPPING, "shipping", FREE_SHIPPING, 0),
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


def price_order(rules: RuleSet, cart: Cart, buyer: UUID | None = None) -> PricedOrder:
    """Price a cart: offers, then the coupon, then shipping, each step explained.

    The same lines in any order give the same priced order. `buyer` completes the keys of per-buyer counters; without
    one (a quote for a guest) the order names no per-buyer counters, but what no buyer may have is still refused.
    Raises CartFaulty, UnknownGoods, NotOnOffer, CouponNotValid, CouponNotApplicable, ThresholdNotMet and
    BuyerLimitReached.
    """
    taken = _take_offers(rules, cart)
    amounts = [offer.unit_price * quantity for offer, quantity in taken]
    goods_total = sum(amounts)
    coupon = _coupon(rules, cart.coupon, taken, amounts) if cart.coupon is not None else None
    discounts = _coupon_discounts(coupon, taken, amounts) if coupon else [0] * len(taken)
    discount_total = coupon.off if coupon else 0
    payable = goods_total - discount_total
    free = rules.free_from is not None and payable >= rules.free_from
    shipping = rules.free_shipping if free else rules.shipping
    lines = tuple(map(_priced_line, taken, amounts, discounts))
    return PricedOrder(
        lines=lines,
        steps=_steps(taken, coupon, shipping),
        goods_total=goods_total,
        discount_total=discount_total,
        shipping=shipping.amount,
        total=payable + shipping.amount,
        currency=rules.currency,
        counters=_counter_uses(rules, taken, coupon, buyer.hex if buyer else None),
        rules_version=rules.version,
        trace_hash=_trace_hash(rules, lines, coupon, shipping.amount),
    )


def _take_offers(rules: RuleSet, cart: Cart) -> list[tuple[OfferRule, int]]:
    """Each SKU's offer with its quantity, in the order of the SKUs; lines of the same SKU are one."""
    quantities = _quantities(cart)
    offers = rules.offers
    try:
        return [(offers[sku], quantities[sku]) for sku in sorted(quantities)]
    except KeyError as missing:
        sku = missing.args[0]
        if sku in rules.not_on_offer:
            raise NotOnOffer(
                f"{sku} is not on offer in this campaign. Nothing was ordered; remove it from the cart.", sku=sku
            ) from None
        raise UnknownGoods(
            f"There are no goods with the SKU {sku}. Nothing was ordered; remove it from the cart.", sku=sku
        ) from None


def _quantities(cart: Cart) -> dict[str, int]:
    if not 1 <= len(cart.lines) <= LINES_MAX:
        raise CartFaulty(
            f"A cart has 1 to {LINES_MAX} lines; this one has {len(cart.lines)}. Nothing was ordered.",
            lines=len(cart.lines),
        )
    quantities: dict[str, int] = {}
    for line in cart.lines:
        quantity = quantities.get(line.sku, 0) + line.quantity
        if line.quantity < 1 or quantity > QUANTITY_MAX:
            raise CartFaulty(
                f"The quantity of one product is 1 to {QUANTITY_MAX}. Nothing was ordered; change it for {line.sku}.",
                sku=line.sku,
            )
        quantities[line.sku] = quantity
    return quantities


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


def _priced_line(taken: tuple[OfferRule, int], amount: int, discount: int) -> PricedLine:
    offer, quantity = taken
    payable = amount - discount
    each, over = divmod(payable, quantity)
    shares = (Share(over, each + 1), Share(quantity - over, each)) if over else (Share(quantity, each),)
    return PricedLine(offer.sku, quantity, offer.list_price, offer.unit_price, discount, payable, shares)


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


def _counter_uses(
    rules: RuleSet, taken: Sequence[tuple[OfferRule, int]], coupon: CouponRule | None, buyer: str | None
) -> tuple[CounterUse, ...]:
    amounts: dict[tuple[str, int], int] = {}
    for offer, quantity in taken:
        for counter in offer.counters:
            amounts[counter] = amounts.get(counter, 0) + quantity
    uses: list[CounterUse] = []
    for (head, cap), amount in amounts.items():
        use = CounterUse(f"{head}{buyer}", amount, cap)
        if amount > cap:
            raise refusal_of(use)
        uses.append(use)
    if buyer is None:
        uses.clear()
    if coupon:
        uses += _coupon_uses(rules, coupon, buyer)
    return tuple(uses) if len(uses) < 2 else tuple(sorted(uses, key=_key))


def _key(use: CounterUse) -> str:
    return use.key


def _coupon_uses(rules: RuleSet, coupon: CouponRule, buyer: str | None) -> list[CounterUse]:
    head = f"{rules.campaign_id}/coupon:{coupon.code}"
    uses = [CounterUse(head, 1, coupon.quota)] if coupon.quota else []
    if coupon.per_buyer and buyer is not None:
        uses.append(CounterUse(f"{head}:{buyer}", 1, coupon.per_buyer))
    return uses


def _trace_hash(rules: RuleSet, lines: Sequence[PricedLine], coupon: CouponRule | None, shipping: int) -> str:
    """SHA-256 of everything that made the price, without its words and without the buyer."""
    parts = [f"{TRACE_FORMAT}\n{rules.campaign_id} {rules.version} {rules.currency}"]
    parts += [
        f"{line.sku} {line.quantity} {line.list_price} {line.unit_price} {line.discount} {line.payable}"
        for line in lines
    ]
    parts.append(f"coupon {coupon.code} {coupon.off}\nshipping {shipping}" if coupon else f"shipping {shipping}")
    return sha256("\n".join(parts).encode()).hexdigest()


def refusal_of(use: CounterUse) -> Refusal:
    """The refusal to answer when `use` would exceed its counter's cap."""
    kind, _, rest = use.key.partition("/")[2].partition(":")
    name = rest.partition(":")[0]
    match kind:
        case "coupon":
            fault = "This coupon is used up" if rest == name else "You have used this coupon as often as one buyer may"
            return CouponUsedUp(f"{fault}. Nothing was ordered; order without the coupon.", coupon=name)
        case "offer":
            return BuyerLimitReached(
                f"One buyer may have {use.cap} of {name}, all orders together. "
                "Nothing was ordered; lower the quantity.",
                sku=name,
                limit=use.cap,
            )
        case _:
            return BuyerLimitReached(
                f"One buyer may have {use.cap} of these goods together, all orders together. "
                "Nothing was ordered; lower the quantity.",
                rule=name,
                limit=use.cap,
            )


class Counters:
    """Counters read and locked for one transaction: a batch of orders is decided on it, then it is written once."""

    def __init__(self, used: Mapping[str, int], missing: frozenset[str]) -> None:
        self._used = dict(used)
        self._missing = missing
        self._caps: dict[str, int] = {}

    def try_use(self, uses: Sequence[CounterUse]) -> CounterUse | None:
        """Use all of them, or none: the first that would exceed its cap is returned, and nothing is counted."""
        for place, use in enumerate(uses):
            if self._used[use.key] + use.amount > use.cap:
                self.give_back(uses[:place])
                return use
            self._used[use.key] += use.amount
        for use in uses:
            self._caps[use.key] = use.cap
        return None

    def give_back(self, uses: Sequence[CounterUse]) -> None:
        """Undo a `try_use` of this transaction, for an order that was refused for another reason afterwards."""
        for use in uses:
            self._used[use.key] -= use.amount

    def changes(self) -> list[tuple[str, int, int, bool]]:
        """Key, new value, cap and whether the row is new, for every counter that was used, in key order."""
        return [
            (key, self._used[key], self._caps[key], key in self._missing)
            for key in sorted(self._caps)
            if self._used[key] or key not in self._missing
        ]
