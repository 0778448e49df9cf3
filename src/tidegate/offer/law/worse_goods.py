"""What of a change is worse for whoever wants certain goods or holds a coupon: offers, presales, groups. Pure."""

from collections.abc import Iterator
from datetime import datetime

from tidegate.offer.campaign.api import claim_window, valid_until
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    Coupon,
    GroupBuy,
    Offer,
    PhaseName,
    Presale,
    UniqueCodes,
    Words,
)
from tidegate.offer.law.changing import Change, Worse, cheaper, dearer, fewer, limited, more, moved, told

PRICE = Words("价格", "price")
FLOOR = Words("减免后的最低价", "least that reductions leave to pay")
QUOTA = Words("总量", "quota")
PER_BUYER = Words("每人限购", "units of one buyer")


def worse_goods(change: Change) -> Iterator[Worse]:
    """Everything that is worse in offers, group buys and coupons during the sale, in presales while they last."""
    if not change.is_over:
        yield from _offers(change)
        yield from _group_buys(change)
        yield from _coupons(change)
    yield from _presales(change)


def _offers(change: Change) -> Iterator[Worse]:
    offers = {offer.sku: (place, offer) for place, offer in enumerate(change.new.offers)}
    floors = [{entry.sku: entry.floor for entry in each.goods} for each in (change.old, change.new)]
    for before in change.old.offers:
        place, after = offers.get(before.sku, (0, None))
        if after is None:
            what = Words(f"{before.sku} 不再销售", f"{before.sku} is not on offer any more")
            yield Worse(("offer",), what, change.sells_at)
            continue
        parts = list(_worse_offer(before, after, change.new.currency))
        if change.old.promotions or change.old.coupons:
            floor, raised = (each.get(before.sku, 0) for each in floors)
            parts += dearer(FLOOR, floor, raised, change.new.currency)
        if parts:
            yield Worse(("offer", place), told(Words(before.sku, before.sku), parts), change.sells_at)


def _worse_offer(before: Offer, after: Offer, currency: str) -> Iterator[Words]:
    yield from dearer(PRICE, before.price, after.price, currency)
    yield from fewer(QUOTA, before.quota, after.quota)
    yield from limited(PER_BUYER, before.per_buyer, after.per_buyer)
    if before.coupons and not after.coupons:
        yield Words("不再可用优惠券", "coupons do not apply any more")


def _presales(change: Change) -> Iterator[Worse]:
    """Presales that whoever has not reserved yet loses, or gets on worse terms; a reservation keeps its own."""
    presales = {presale.sku: (place, presale) for place, presale in enumerate(change.new.presales)}
    for before in change.old.presales:
        if change.at >= before.deposit_until_at:
            continue
        place, after = presales.get(before.sku, (0, None))
        if after is None:
            what = Words(zh=f"{before.sku} 的预售被取消", en=f"the presale of {before.sku} is withdrawn")
            yield Worse(("presale",), what, before.deposit_from_at)
        elif parts := list(_worse_presale(before, after, change)):
            what = told(Words(f"{before.sku} 的预售", f"the presale of {before.sku}"), parts)
            yield Worse(("presale", place), what, min(before.deposit_from_at, after.deposit_from_at))


def _worse_presale(before: Presale, after: Presale, change: Change) -> Iterator[Words]:
    currency = change.new.currency
    yield from dearer(Words("总价", "price in all"), before.in_all, after.in_all, currency)
    yield from dearer(Words("定金", "deposit"), before.deposit, after.deposit, currency)
    yield from fewer(QUOTA, before.quota, after.quota)
    yield from limited(PER_BUYER, before.per_buyer, after.per_buyer)
    for name, first, then in (
        (Words("定金支付开始时间", "start of deposits"), before.deposit_from_at, after.deposit_from_at),
        (Words("尾款支付开始时间", "start of balances"), before.balance_from_at, after.balance_from_at),
        (Words("发货时间", "shipping"), before.ships_by_at, after.ships_by_at),
    ):
        if change.is_later(first, then):
            yield moved(name, first, then)
    for name, first, then in (
        (Words("定金支付截止时间", "end of deposits"), before.deposit_until_at, after.deposit_until_at),
        (Words("尾款支付截止时间", "end of balances"), before.balance_until_at, after.balance_until_at),
    ):
        if then < first:
            yield moved(name, first, then)


def _group_buys(change: Change) -> Iterator[Worse]:
    group_buys = {group_buy.sku: (place, group_buy) for place, group_buy in enumerate(change.new.group_buys)}
    for before in change.old.group_buys:
        place, after = group_buys.get(before.sku, (0, None))
        if after is None:
            what = Words(f"{before.sku} 的拼团被取消", f"{before.sku} is not sold to groups any more")
            yield Worse(("group_buy",), what, change.sells_at)
        elif parts := list(_worse_group_buy(before, after, change.new.currency)):
            what = told(Words(f"{before.sku} 的拼团", f"group buying of {before.sku}"), parts)
            yield Worse(("group_buy", place), what, change.sells_at)


def _worse_group_buy(before: GroupBuy, after: GroupBuy, currency: str) -> Iterator[Words]:
    yield from dearer(PRICE, before.price, after.price, currency)
    yield from more(Words("成团人数", "buyers in a group"), before.size, after.size)
    yield from fewer(Words("成团时限（秒）", "seconds to fill"), before.fill_seconds, after.fill_seconds)
    yield from fewer(QUOTA, before.quota, after.quota)
    yield from limited(PER_BUYER, before.per_buyer, after.per_buyer)


def _coupons(change: Change) -> Iterator[Worse]:
    coupons = {coupon.code: (place, coupon) for place, coupon in enumerate(change.new.coupons)}
    for before in change.old.coupons:
        works_at, ends_at = _time_of(change.old, before)
        if change.at >= ends_at:
            continue
        place, after = coupons.get(before.code, (0, None))
        if after is None:
            what = Words(zh=f"优惠券 {before.code} 被取消", en=f"the coupon {before.code} is withdrawn")
            yield Worse(("coupon",), what, works_at)
        elif parts := list(_worse_coupon(before, after, change)):
            what = told(Words(f"优惠券 {before.code} ", f"the coupon {before.code}"), parts)
            yield Worse(("coupon", place), what, min(works_at, _time_of(change.new, after)[0]))


def _time_of(definition: CampaignDefinition, coupon: Coupon) -> tuple[datetime, datetime]:
    """From when on a coupon can be claimed, or used where it is not claimed; and before when it can be used."""
    sale = definition.phase(PhaseName.BURST)
    if coupon.unique is None:
        return sale.starts_at, sale.ends_at
    return claim_window(definition, coupon.unique)[0], valid_until(definition, coupon.unique)


def _worse_coupon(before: Coupon, after: Coupon, change: Change) -> Iterator[Words]:
    currency = change.new.currency
    yield from dearer(Words("门槛", "threshold"), before.threshold, after.threshold, currency)
    yield from cheaper(Words("面额", "amount off"), before.off, after.off, currency)
    yield from limited(Words("可用总次数", "uses in all"), before.quota, after.quota)
    yield from limited(Words("每人可用次数", "uses of one buyer"), before.per_buyer, after.per_buyer)
    if after.unique is not None and before.unique is None:
        yield Words("须先领取", "it must be claimed first")
    elif after.unique is not None and before.unique is not None:
        yield from _worse_codes(before.unique, after.unique)
        yield from _worse_times(before.unique, after.unique, change)


def _worse_codes(before: UniqueCodes, after: UniqueCodes) -> Iterator[Words]:
    yield from fewer(Words("发放张数", "coupons in all"), before.count, after.count)
    yield from limited(Words("每个账号限领", "claims of one account"), before.per_account, after.per_account)
    yield from limited(Words("领取后有效天数", "days valid from the claim"), before.valid_days, after.valid_days)
    if is_narrower(before.audience, after.audience):
        yield Words("可领取的人群变小", "fewer people may claim it")
    if before.button and not after.button:
        yield Words("页面不再提供领取", "the pages do not offer it any more")
    if before.back_on_refund and not after.back_on_refund:
        yield Words("退款后不再退回", "it does not come back after a refund")


def _worse_times(before: UniqueCodes, after: UniqueCodes, change: Change) -> Iterator[Words]:
    """What of its own times is shorter; where it has none it follows the sale, of which it is told once."""
    (opens, closes), (opens_now, closes_now) = claim_window(change.old, before), claim_window(change.new, after)
    if change.is_later(opens, opens_now):
        yield moved(Words("领取开始时间", "start of claims"), opens, opens_now)
    if closes_now < closes and (before.claims_close_at or after.claims_close_at):
        yield moved(Words("领取截止时间", "end of claims"), closes, closes_now)
    valid, valid_now = valid_until(change.old, before), valid_until(change.new, after)
    if valid_now < valid and (before.valid_until_at or after.valid_until_at):
        yield moved(Words("有效期", "validity"), valid, valid_now)


def is_narrower(before: tuple[Audience, ...], after: tuple[Audience, ...]) -> bool:
    """Whether somebody for whom something was is left out; none named means everybody."""
    if not after or Audience.EVERYONE in after:
        return False
    return not before or Audience.EVERYONE in before or not set(before) <= set(after)
