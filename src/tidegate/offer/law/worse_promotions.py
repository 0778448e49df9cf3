"""What of a change is worse in promotions. What cannot be shown to be as good as before counts as worse. Pure."""

from collections.abc import Iterator
from datetime import datetime

from tidegate.offer.campaign.contracts import FlashPrice, Phase, Promotion, Words
from tidegate.offer.law.benefit_changes import gives_as_much
from tidegate.offer.law.changing import Change, Worse, is_tighter, moved, told
from tidegate.offer.law.worse_goods import is_narrower


def worse_promotions(change: Change) -> Iterator[Worse]:
    """Promotions that are withdrawn or give less, to fewer people, for less time, less often or beside less."""
    promotions = {promotion.id: (place, promotion) for place, promotion in enumerate(change.new.promotions)}
    old, new = change.sales
    for before in () if change.is_over else change.old.promotions:
        works_at, ends_at = span_of(before, old)
        if change.at >= ends_at:
            continue
        place, after = promotions.get(before.id, (0, None))
        label = before.label
        if after is None:
            what = Words(zh=f"优惠“{label.zh}”被取消", en=f'the promotion "{label.en}" is withdrawn')
            yield Worse(("promotion",), what, works_at)
        elif before != after and (parts := list(_worse(before, after, change))):
            what = told(Words(f"优惠“{label.zh}”", f'the promotion "{label.en}"'), parts)
            yield Worse(("promotion", place), what, min(works_at, span_of(after, new)[0]))


def span_of(promotion: Promotion, sale: Phase) -> tuple[datetime, datetime]:
    """From when to when a promotion is said to last; one in slots, from its first slot to its last."""
    slots = promotion.benefit.slots if isinstance(promotion.benefit, FlashPrice) else ()
    if slots:
        return min(slot.starts_at for slot in slots), max(slot.ends_at for slot in slots)
    return promotion.starts_at or sale.starts_at, promotion.ends_at or sale.ends_at


def _worse(before: Promotion, after: Promotion, change: Change) -> Iterator[Words]:
    if not gives_as_much(before.benefit, after.benefit, change.at):
        yield Words("优惠变少", "it gives less")
    yield from _shorter(before, after, change)
    goods = change.new.goods
    if before.goods != after.goods and any(
        before.goods.has(each.sku, each.category, each.brand, each.shop)
        and not after.goods.has(each.sku, each.category, each.brand, each.shop)
        for each in goods
    ):
        yield Words("适用商品变少", "it is for fewer goods")
    if _is_for_fewer(before, after):
        yield Words("适用的人变少", "it is for fewer people")
    if after.coupon not in {"", before.coupon}:
        yield Words(f"须使用优惠券 {after.coupon}", f"it needs the coupon {after.coupon}")
    if _is_less_often(before, after):
        yield Words("可用次数或预算变少", "it may be used less often or for less money")
    if _combines_with_less(before, after):
        yield Words("可叠加的优惠或先后次序有变", "what it combines with, or its place among others, is another")


def _shorter(before: Promotion, after: Promotion, change: Change) -> Iterator[Words]:
    """What of its own times is shorter; where it has none it lasts as long as the sale, which is told once."""
    if isinstance(before.benefit, FlashPrice) or (before.starts_at, before.ends_at) == (after.starts_at, after.ends_at):
        return
    old, new = change.sales
    (starts, ends), (starts_now, ends_now) = span_of(before, old), span_of(after, new)
    if change.is_later(starts, starts_now):
        yield moved(Words("开始时间", "start"), starts, starts_now)
    if ends_now < ends:
        yield moved(Words("结束时间", "end"), ends, ends_now)


def _is_for_fewer(before: Promotion, after: Promotion) -> bool:
    named = ((before.tiers, after.tiers), (before.segments, after.segments))
    return (
        is_narrower(before.audience, after.audience)
        or any(now and (not earlier or not set(earlier) <= set(now)) for earlier, now in named)
        or after.condition not in {"", before.condition}
    )


def _is_less_often(before: Promotion, after: Promotion) -> bool:
    old, new = before.limits, after.limits
    names = ("per_order", "per_account", "per_period", "total", "budget")
    longer = bool(new.per_period) and new.period_days > old.period_days
    return longer or any(is_tighter(getattr(old, name), getattr(new, name)) for name in names)


def _combines_with_less(before: Promotion, after: Promotion) -> bool:
    fewer = after.stacks_with is not None and (
        before.stacks_with is None or not set(before.stacks_with) <= set(after.stacks_with)
    )
    order = (before.layer, before.priority) != (after.layer, after.priority)
    return fewer or order or after.group not in {"", before.group}
