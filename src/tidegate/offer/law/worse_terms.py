"""What of a change is worse in the terms of the whole sale: its time, returns, limits, points, draws. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tidegate.base.money import format_money
from tidegate.offer.campaign.api import protected_skus
from tidegate.offer.campaign.contracts import Draw, Earning, GiftPolicy, Limit, Words
from tidegate.offer.law.changing import Change, Worse, cheaper, dearer, fewer, is_tighter, moved, told

PAUSE_MAX: Final = timedelta(hours=1)
"""A sale that is put off by so little, and ends no earlier, is told of as it is, without anybody's leave."""


def worse_terms(change: Change) -> Iterator[Worse]:
    """Everything that is worse for whoever buys anything; what is drawn is owed after the sale too."""
    if not change.is_over:
        yield from _time(change)
        yield from _returns(change)
        yield from _protection(change)
        yield from _paying(change)
        yield from _limits(change)
        yield from _points(change)
    yield from _draws(change)


def _time(change: Change) -> Iterator[Worse]:
    """What of the time that was promised is lost, from the first moment of it on which nothing is on sale."""
    old, new = change.sales
    ends_earlier = new.ends_at < old.ends_at
    if ends_earlier:
        what = moved(Words("活动结束时间", "the end of the sale"), old.ends_at, new.ends_at)
        lost_at = max(new.ends_at, old.starts_at)
        yield Worse(("phases", "burst", "ends_at"), Words(f"{what.zh}，提前了", f"{what.en}, earlier"), lost_at)
    pause = new.starts_at - max(old.starts_at, change.at)
    if pause > (timedelta() if ends_earlier else PAUSE_MAX):
        what = moved(Words("活动开始时间", "the start of the sale"), old.starts_at, new.starts_at)
        yield Worse(("phases", "burst", "starts_at"), Words(f"{what.zh}，推迟了", f"{what.en}, later"), old.starts_at)


def _returns(change: Change) -> Iterator[Worse]:
    old, new = change.old.returns, change.new.returns
    if new.days < old.days:
        what = Words(
            zh=f"退货期从 {old.days} 天缩短为 {new.days} 天",
            en=f"the time for returns shrinks from {old.days} to {new.days} days",
        )
        yield Worse(("returns", "days"), what, change.opens_at)
    if new.gifts is GiftPolicy.PAY and old.gifts is GiftPolicy.KEEP:
        what = Words(zh="退货后保留的赠品开始扣款", en="gifts that are kept after a return are charged for now")
        yield Worse(("returns", "gifts"), what, change.opens_at)


def _protection(change: Change) -> Iterator[Worse]:
    old, new = change.old, change.new
    before, after = (each.price_protection.days if each.price_protection else 0 for each in (old, new))
    if after < before:
        what = Words(
            zh=f"价格保护从 {before} 天缩短为 {after} 天",
            en=f"price protection shrinks from {before} to {after} days",
        )
        yield Worse(("price_protection",), what, change.opens_at)
    elif lost := protected_skus(old) & {entry.sku for entry in new.goods} - protected_skus(new):
        what = Words(
            zh=f"{len(lost)} 种商品不再享有价格保护",
            en=f"{len(lost)} products are not protected against a lower price any more",
        )
        yield Worse(("price_protection", "goods"), what, change.opens_at)


def _paying(change: Change) -> Iterator[Worse]:
    old, new = change.old, change.new
    if new.payment_minutes < old.payment_minutes:
        what = Words(
            zh=f"付款时限从 {old.payment_minutes} 分钟缩短为 {new.payment_minutes} 分钟",
            en=f"the time to pay shrinks from {old.payment_minutes} to {new.payment_minutes} minutes",
        )
        yield Worse(("campaign", "payment_minutes"), what, change.opens_at)
    free = [2**62 if each.shipping.free_from is None else each.shipping.free_from for each in (old, new)]
    if new.shipping.fee > old.shipping.fee or (new.shipping.fee and free[1] > free[0]):
        what = Words(zh="运费条件变差", en="the terms of shipping become worse")
        yield Worse(("shipping",), what, change.opens_at)


def _limits(change: Change) -> Iterator[Worse]:
    for place, limit in enumerate(change.new.limits):
        if not all(_is_implied(limit, scope, change.old.limits) for scope in _SCOPES):
            label = limit.label
            what = Words(f"限购“{label.zh}”是新增的或更严了", f'the limit "{label.en}" is new or tighter')
            yield Worse(("limit", place), what, change.opens_at)


_SCOPES: Final = ("per_buyer", "per_device", "per_address", "per_instrument")


def _is_implied(limit: Limit, scope: str, earlier: tuple[Limit, ...]) -> bool:
    """Whether what a limit forbids in this scope was forbidden by one of before, on these goods or on more."""
    return any(
        not is_tighter(getattr(each, scope), getattr(limit, scope))
        for each in (*earlier, Limit(name="", skus=(), label=limit.label))
        if not each.skus or (limit.skus and set(limit.skus) <= set(each.skus))
    )


def _points(change: Change) -> Iterator[Worse]:
    old, new = change.old.earning, change.new.earning
    if old is not None and new is None:
        yield Worse(("points",), Words("付款不再送积分", "paying earns no points any more"), change.opens_at)
    elif old is not None and new is not None and _earns_less(old, new):
        paid = [_shown(each.paid, change.new.currency) for each in (old, new)]
        what = Words(
            f"积分规则变差：每付 {paid[0].zh} 送 {old.points}，变为每付 {paid[1].zh} 送 {new.points}，或每单上限降低",
            f"fewer points are earned: {old.points} for every {paid[0].en} become {new.points} for every "
            f"{paid[1].en}, or the most that an order earns is less",
        )
        yield Worse(("points",), what, change.opens_at)


def _shown(amount: int, currency: str) -> Words:
    return Words(format_money(amount, currency, "zh"), format_money(amount, currency, "en"))


def _earns_less(old: Earning, new: Earning) -> bool:
    """Whether some payment earns less. What is earned comes in steps, so that the first old step tells for all."""
    return old.paid // new.paid * new.points < old.points or is_tighter(old.per_order, new.per_order)


def _draws(change: Change) -> Iterator[Worse]:
    draws = {draw.name: (place, draw) for place, draw in enumerate(change.new.draws)}
    for before in change.old.draws:
        if change.at >= before.drawn_at:
            continue
        place, after = draws.get(before.name, (0, None))
        label = before.label
        if after is None:
            what = Words(f"抽奖“{label.zh}”被取消", f'the draw "{label.en}" is withdrawn')
            yield Worse(("draw",), what, before.opens_at)
        elif parts := list(_worse_draw(before, after, change)):
            what = told(Words(f"抽奖“{label.zh}”", f'the draw "{label.en}"'), parts)
            yield Worse(("draw", place), what, min(before.opens_at, after.opens_at))


def _worse_draw(before: Draw, after: Draw, change: Change) -> Iterator[Words]:
    currency = change.new.currency
    yield from dearer(Words("参与门槛", "threshold"), before.threshold, after.threshold, currency)
    if change.is_later(before.opens_at, after.opens_at):
        yield moved(Words("开始时间", "start"), before.opens_at, after.opens_at)
    if after.closes_at < before.closes_at:
        yield moved(Words("截止时间", "end"), before.closes_at, after.closes_at)
    if is_tighter(before.claim_days, after.claim_days):
        yield Words(
            f"领奖期限由 {_claim_time(before.claim_days).zh}变为 {_claim_time(after.claim_days).zh}",
            f"the time to claim a prize becomes {_claim_time(after.claim_days).en} instead of "
            f"{_claim_time(before.claim_days).en}",
        )
    prizes = {prize.name: prize for prize in after.prizes}
    for prize in before.prizes:
        kept, name = prizes.get(prize.name), prize.name
        if kept is None:
            yield Words(f"奖品“{name.zh}”被取消", f'the prize "{name.en}" is withdrawn')
            continue
        yield from cheaper(Words(f"“{name.zh}”的价值", f'the worth of "{name.en}"'), prize.value, kept.value, currency)
        yield from fewer(Words(f"“{name.zh}”的数量", f'the number of "{name.en}"'), prize.count, kept.count)
        if kept.chance != prize.chance and not kept.chance > prize.chance > 0:
            yield Words(f"“{name.zh}”的中奖概率有变", f'the chance of "{name.en}" is another one')
        if prize.sent and not kept.sent:
            yield Words(f"“{name.zh}”不再寄送", f'"{name.en}" is not sent any more')


def _claim_time(days: int) -> Words:
    return Words(f"{days} 天", f"{days} days") if days else Words("不限", "unlimited")
