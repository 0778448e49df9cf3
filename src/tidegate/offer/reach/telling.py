"""Says in words who gets a price: whatever the promotions that made it ask of a buyer, and nothing else."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from tidegate.offer.campaign.contracts import Audience, FlashPrice, Promotion, Words
from tidegate.offer.pricing.contracts import Facts, PricedOrder
from tidegate.offer.reach.rules import applied

ANYBODY = Words("任何人", "anybody")

_AUDIENCES = {
    Audience.NEW: Words("新客", "a new shopper"),
    Audience.RETURNING: Words("老客", "a returning shopper"),
    Audience.MEMBERS: Words("会员", "a member"),
}
_COUPON = "coupon:"


def told(promotions: Mapping[str, Promotion], facts: Facts, order: PricedOrder) -> tuple[Words, datetime | None]:
    """Who gets the price of an order that was priced with these facts, and when, where not at any time of the sale."""
    rules = applied(order)
    asked = [promotions[rule] for rule in rules if rule in promotions]
    parts = [*_person(asked, facts), *_shown(rules, asked)]
    if order.points_used:
        parts.append(Words(f"使用 {order.points_used:,} 积分", f"spending {order.points_used:,} points"))
    at = facts.now if any(_has_times(each) for each in asked) else None
    return _joined(parts) if parts else ANYBODY, at


def _has_times(promotion: Promotion) -> bool:
    return bool(promotion.starts_at or promotion.ends_at) or isinstance(promotion.benefit, FlashPrice)


def _person(asked: Collection[Promotion], facts: Facts) -> Iterable[Words]:
    limited = [each.audience for each in asked if each.audience and Audience.EVERYONE not in each.audience]
    for audience, words in _AUDIENCES.items():
        if any(audience in each and audience in (facts.audience or ()) for each in limited):
            yield words
    if facts.tier and any(each.tiers for each in asked):
        yield Words(f"会员等级 {facts.tier}", f"tier {facts.tier}")
    segments = sorted({segment for each in asked for segment in each.segments})
    if segments:
        names = ", ".join(segments)
        yield Words(f"人群 {names}", f"segment {names}")
    for each in asked:
        if each.condition:
            yield Words(f"满足“{each.label.zh}”的条件", f'who meets the condition of "{each.label.en}"')


def _shown(rules: Iterable[str], asked: Iterable[Promotion]) -> Iterable[Words]:
    coupons = [rule.removeprefix(_COUPON) for rule in rules if rule.startswith(_COUPON)]
    coupons += [each.coupon for each in asked if each.coupon]
    if coupons:
        names = ", ".join(dict.fromkeys(coupons))
        yield Words(f"使用优惠券 {names}", f"with the coupon {names}")


def _joined(parts: Iterable[Words]) -> Words:
    zh, en = zip(*((each.zh, each.en) for each in parts), strict=True)
    return Words("、".join(zh), ", ".join(en))
