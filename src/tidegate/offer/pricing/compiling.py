"""Compiles the promotions, coupons and floors of a definition into a book of rules: once for each version."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Bundle,
    CampaignDefinition,
    Coupon,
    FlashPrice,
    FreeShipping,
    GoodsEntry,
    Layer,
    MemberPrice,
    Offer,
    PhaseName,
    PointsOff,
    Promotion,
    Selection,
    Slot,
    Step,
)
from tidegate.offer.pricing.benefits import reckoner
from tidegate.offer.pricing.book import Book, Counted, Gates, Kept, Per, Rule, ShippingRule, Stage
from tidegate.offer.pricing.conditions import Conditions
from tidegate.offer.pricing.contracts import OfferRule

COUPON_PRIORITY = 1_000_000
"""A coupon of the definition applies after the promotions of its layer."""


def compile_book(
    definition: CampaignDefinition, compiled: Mapping[str, OfferRule], shipping: ShippingRule
) -> Book | None:
    """The book of a definition with its compiled offers; None when it has neither promotions nor floors.

    Raises ValueError for a condition that is not CEL.
    """
    goods = {entry.sku: entry for entry in definition.goods}
    if not definition.promotions and not any(goods[offer.sku].floor for offer in definition.offers):
        return None
    rules = _rules(definition)
    kept = {offer.sku: Kept(goods[offer.sku].floor, goods[offer.sku].shop) for offer in definition.offers}
    gifts = [rule.gift.sku for rule in rules if rule.gift]
    for sku in gifts:
        kept.setdefault(sku, Kept(0, goods[sku].shop))
    return Book(
        rules=rules,
        masks=_masks(rules, definition.offers, goods),
        price_masks=_price_masks(rules),
        kept=kept,
        values={sku: goods[sku].list_price for sku in gifts},
        names={sku: goods[sku].name for sku in gifts},
        gates=_gates(rules),
        offers=compiled,
        shipping=shipping,
    )


def _rules(definition: CampaignDefinition) -> list[Rule]:
    """All rules in the order in which they apply: stage, priority, id."""
    coupons = {coupon.code: coupon for coupon in definition.coupons}
    promotions = [*definition.promotions, *(_of_coupon(each) for each in definition.coupons if each.off)]
    burst = definition.phase(PhaseName.BURST)
    ordered = sorted(promotions, key=lambda each: (_stage(each), each.priority, each.id))
    entries = [(promotion, slot) for promotion in ordered for slot in _slots(promotion)]
    return [
        Rule(
            bit,
            promotion,
            _stage(promotion),
            reckoner(promotion.benefit, promotion.limits.per_order),
            [
                *_counters(definition.id, promotion, coupons.get(promotion.coupon)),
                *(_slot_counters(definition.id, promotion, slot) if slot else ()),
            ],
            promotion.starts_at or burst.starts_at,
            slot,
        )
        for bit, (promotion, slot) in enumerate(entries)
    ]


def _slots(promotion: Promotion) -> Sequence[Slot | None]:
    """A flash price is one rule for each of its slots; every other promotion is one rule."""
    return promotion.benefit.in_order() if isinstance(promotion.benefit, FlashPrice) else (None,)


def _slot_counters(campaign: str, promotion: Promotion, slot: Slot) -> Iterator[Counted]:
    """The counters of a slot's units. Slots that carry over share one more, whose cap rises with each of them."""
    benefit = promotion.benefit
    assert isinstance(benefit, FlashPrice)
    head = f"{campaign}/slot:{promotion.id}"
    most = slot.units
    if benefit.carry_over:
        units = [each.units for each in benefit.in_order()]
        most = sum(units[: benefit.in_order().index(slot) + 1])
        yield Counted(Per.UNITS, head, most, sum(units))
    yield Counted(Per.UNITS, f"{head}/{slot.name}", most)
    if slot.per_account:
        yield Counted(Per.BUYER_UNITS, f"{head}/{slot.name}:", slot.per_account)


def _of_coupon(coupon: Coupon) -> Promotion:
    return Promotion(
        id=f"coupon:{coupon.code}",
        label=coupon.label,
        benefit=AmountOff(steps=(Step(coupon.threshold, coupon.off),)),
        layer=Layer.PLATFORM,
        coupon=coupon.code,
        priority=COUPON_PRIORITY,
    )


def _stage(promotion: Promotion) -> Stage:
    match promotion.benefit:
        case MemberPrice() | FlashPrice():
            return Stage.PRICE
        case FreeShipping():
            return Stage.SHIPPING
        case PointsOff():
            return Stage.POINTS
        case _:
            return Stage.SHOP if promotion.layer is Layer.SHOP else Stage.PLATFORM


def _counters(campaign: str, promotion: Promotion, coupon: Coupon | None) -> list[Counted]:
    limits, name = promotion.limits, promotion.id
    counters = [
        Counted(Per.ORDER, f"{campaign}/promotion:{name}", limits.total),
        Counted(Per.BUYER, f"{campaign}/promotion:{name}:", limits.per_account),
        Counted(Per.PERIOD, f"{campaign}/period:{name}:", limits.per_period if limits.period_days else 0),
        Counted(Per.MONEY, f"{campaign}/budget:{name}", limits.budget),
    ]
    if coupon:
        counters += [
            Counted(Per.ORDER, f"{campaign}/coupon:{coupon.code}", coupon.quota),
            Counted(Per.BUYER, f"{campaign}/coupon:{coupon.code}:", coupon.per_buyer),
        ]
    return [counter for counter in counters if counter.cap]


def _selection(promotion: Promotion) -> Selection:
    """A bundle is about its parts, whatever else is said."""
    if isinstance(promotion.benefit, Bundle):
        return Selection(skus=tuple(part.sku for part in promotion.benefit.parts))
    return promotion.goods


def _masks(rules: Iterable[Rule], offers: Iterable[Offer], goods: Mapping[str, GoodsEntry]) -> dict[str, int]:
    """The rules that concern each SKU on offer. Goods that take no coupons count for no promotion with one."""
    everything = with_coupon = 0
    by: dict[tuple[str, str], int] = defaultdict(int)
    for rule in rules:
        if rule.stage is Stage.PRICE:
            continue
        selection, bit = _selection(rule.promotion), 1 << rule.bit
        if rule.promotion.coupon:
            with_coupon |= bit
        named = [("sku", selection.skus), ("category", selection.categories)]
        named += [("brand", selection.brands), ("shop", selection.shops)]
        if not any(names for _, names in named):
            everything |= bit
        for kind, names in [*named, ("but", selection.but)]:
            for name in names:
                by[kind, name] |= bit
    masks = {}
    for offer in offers:
        entry = goods[offer.sku]
        mask = everything | by.get(("sku", entry.sku), 0) | by.get(("category", entry.category), 0)
        mask |= by.get(("brand", entry.brand), 0) | by.get(("shop", entry.shop), 0)
        mask &= ~by.get(("but", entry.sku), 0)
        masks[offer.sku] = mask if offer.coupons else mask & ~with_coupon
    return masks


def _price_masks(rules: Iterable[Rule]) -> dict[str, int]:
    """The rules that are a price of their own for each SKU."""
    masks: dict[str, int] = defaultdict(int)
    for rule in rules:
        for sku in rule.prices:
            masks[sku] |= 1 << rule.bit
    return dict(masks)


def _gates(rules: Sequence[Rule]) -> Gates:
    edges, windows = _windows(rules)
    timeless = sum(1 << rule.bit for rule in rules if rule.opens_at is None and rule.closes_at is None)
    conditions = list(dict.fromkeys((rule.promotion.condition, rule.promotion.facts) for rule in rules))
    conditions = [each for each in conditions if each[0]]
    by_condition = [
        sum(1 << rule.bit for rule in rules if (rule.promotion.condition, rule.promotion.facts) == each)
        for each in conditions
    ]
    return Gates(
        edges=edges,
        windows=windows,
        timeless=timeless,
        audiences=_gate(rules, lambda each: () if Audience.EVERYONE in each.audience else each.audience),
        tiers=_gate(rules, lambda each: each.tiers),
        segments=_gate(rules, lambda each: each.segments),
        coupons=_gate(rules, lambda each: (each.coupon.strip().upper(),) if each.coupon else ()),
        conditions=Conditions(conditions),
        conditional=(sum(1 << rule.bit for rule in rules if not rule.promotion.condition), by_condition),
    )


def _windows(rules: Iterable[Rule]) -> tuple[list[datetime], list[int]]:
    """The moments at which rules begin and end, and the rules that are on before the first and from each of them on."""
    turned: dict[datetime, int] = defaultdict(int)
    on = 0
    for rule in rules:
        bit = 1 << rule.bit
        if rule.opens_at is None:
            on |= bit
        else:
            turned[rule.opens_at] ^= bit
        if rule.closes_at is not None:
            turned[rule.closes_at] ^= bit
    edges, windows = sorted(turned), [on]
    for edge in edges:
        on ^= turned[edge]
        windows.append(on)
    return edges, windows


def _gate(rules: Iterable[Rule], names_of: Callable[[Promotion], Iterable[str]]) -> tuple[int, dict[str, int]]:
    """The rules that ask for none of these names, and those that each name lets through."""
    open_to, by_name = 0, dict[str, int]()
    for rule in rules:
        names = tuple(names_of(rule.promotion))
        if not names:
            open_to |= 1 << rule.bit
        for name in names:
            by_name[name] = by_name.get(name, 0) | 1 << rule.bit
    return open_to, by_name
