"""Checks of terms: conditions, deposits, prizes, notice of changes, equal treatment, gifts, returns. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from tidegate.base.money import format_money
from tidegate.offer.campaign.api import Severity, protected_skus
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    FlashPrice,
    Gift,
    GiftPolicy,
    Phase,
    PhaseName,
    Promotion,
    Words,
)
from tidegate.offer.law.contracts import Article, Case, Found


def conditions_stated(case: Case, _: Article) -> Iterator[Found]:
    """A condition that figures cannot say, such as a segment or an expression, stands in words somewhere."""
    rules = case.definition.rules
    for place, promotion in enumerate(case.definition.promotions):
        unsaid = promotion.condition and not promotion.condition_words
        hidden = "segments" if promotion.segments else "condition" if unsaid else ""
        label = promotion.label
        if hidden and not (label.zh in rules.zh and label.en in rules.en):
            yield Found(
                path=("promotion", place, hidden),
                what=Words(
                    zh=f"“{label.zh}”的条件是表达式或人群，活动规则中没有写明",
                    en=f'the condition of "{label.en}" is an expression or a segment, and the rules do not state it',
                ),
                mend=Words(
                    zh=f"写 when_words，或在 [rules] 的中英文中以“{label.zh}”为题写明谁在什么条件下享受",
                    en=f'write when_words, or state in [rules], both languages, under "{label.en}", who gets it',
                ),
            )
    yield from _outside_the_sale(case.definition)


def _outside_the_sale(definition: CampaignDefinition) -> Iterator[Found]:
    burst = definition.phase(PhaseName.BURST)
    for place, promotion in enumerate(definition.promotions):
        starts_at, ends_at = _span(promotion, burst)
        if starts_at < burst.starts_at or ends_at > burst.ends_at:
            yield Found(
                path=("promotion", place, "ends_at" if ends_at > burst.ends_at else "starts_at"),
                what=Words(
                    zh=f"“{promotion.label.zh}”的期限超出开售时段，公布的期限做不到",
                    en=f'the time of "{promotion.label.en}" reaches beyond the sale: the time stated cannot be kept',
                ),
                mend=Words(zh="把起止时间放在开售时段之内", en="keep its start and end within the burst"),
            )


def _span(promotion: Promotion, burst: Phase) -> tuple[datetime, datetime]:
    """From when to when a promotion is said to last; one in slots, from its first slot to its last."""
    slots = promotion.benefit.slots if isinstance(promotion.benefit, FlashPrice) else ()
    if slots:
        return min(slot.starts_at for slot in slots), max(slot.ends_at for slot in slots)
    return promotion.starts_at or burst.starts_at, promotion.ends_at or burst.ends_at


def deposit_share(case: Case, article: Article) -> Iterator[Found]:
    """A deposit is at most so many basis points of the price."""
    most = article.figures["share_max"]
    for terms in case.presales:
        if terms.deposit * 10_000 > terms.price * most:
            share = terms.deposit * 100 / terms.price if terms.price else 100.0
            allowed = terms.price * most // 10_000
            zh, en = (format_money(allowed, case.definition.currency, locale) for locale in ("zh", "en"))
            yield Found(
                path=terms.path,
                what=Words(
                    zh=f"{terms.sku} 的定金是价款的 {share:.1f}%，超过 {most / 100:g}%",
                    en=f"the deposit of {terms.sku} is {share:.1f} % of its price, more than {most / 100:g} %",
                ),
                mend=Words(zh=f"定金降到 {zh} 或更低", en=f"lower the deposit to {en} or less"),
            )


def prize_cap(case: Case, article: Article) -> Iterator[Found]:
    """A prize of a draw is worth at most so much, in minor units."""
    most = article.figures["value_max"]
    for prize in case.prizes:
        if prize.value > most:
            (value_zh, most_zh), (value_en, most_en) = (
                [format_money(amount, case.definition.currency, locale) for amount in (prize.value, most)]
                for locale in ("zh", "en")
            )
            yield Found(
                path=prize.path,
                what=Words(
                    zh=f"奖品“{prize.name.zh}”价值 {value_zh}，超过 {most_zh}",
                    en=f'the prize "{prize.name.en}" is worth {value_en}, more than {most_en}',
                ),
                mend=Words(zh=f"奖品价值不超过 {most_zh}", en=f"offer a prize worth {most_en} or less"),
            )


def rule_change_notice(case: Case, article: Article) -> Iterator[Found]:
    """Rules of a campaign that was published are not changed to the buyer's disadvantage on shorter notice."""
    days = article.figures["days"]
    burst = case.definition.phase(PhaseName.BURST)
    if case.earlier is None or case.at >= min(burst.ends_at, case.earlier.phase(PhaseName.BURST).ends_at):
        return  # nothing was promised before, or that sale is over
    notice = max(burst.starts_at - case.at, timedelta())
    if notice >= timedelta(days=days):
        return
    for path, what in _worse(case.earlier, case.definition):
        yield Found(
            path=path,
            what=Words(
                zh=f"{what.zh}，距实施只有 {notice.days} 天，少于 {days} 天",
                en=f"{what.en}, {notice.days} days before it takes effect, fewer than {days}",
            ),
            mend=Words(
                zh="恢复原规则，或提前公布；紧急情形由有权人员说明理由并豁免",
                en="put the old rule back, or announce it earlier; in an emergency a named person states the reason",
            ),
        )
    for path, what in _reworded(case.earlier, case.definition):
        yield Found(
            path=path,
            what=what,
            mend=Words(zh="确认改动对买家没有不利", en="make sure that it is not to the buyer's disadvantage"),
            severity=Severity.NOTICE,
        )


def _worse(old: CampaignDefinition, new: CampaignDefinition) -> Iterator[tuple[tuple[str | int, ...], Words]]:
    if new.returns.days < old.returns.days:
        yield (
            ("returns", "days"),
            Words(
                zh=f"退货期从 {old.returns.days} 天缩短为 {new.returns.days} 天",
                en=f"the time for returns shrinks from {old.returns.days} to {new.returns.days} days",
            ),
        )
    if new.returns.gifts is GiftPolicy.PAY and old.returns.gifts is GiftPolicy.KEEP:
        yield (
            ("returns", "gifts"),
            Words(zh="退货后保留的赠品开始扣款", en="gifts that are kept after a return are charged for now"),
        )
    yield from _less_protected(old, new)
    if new.payment_minutes < old.payment_minutes:
        yield (
            ("campaign", "payment_minutes"),
            Words(
                zh=f"付款时限从 {old.payment_minutes} 分钟缩短为 {new.payment_minutes} 分钟",
                en=f"the time to pay shrinks from {old.payment_minutes} to {new.payment_minutes} minutes",
            ),
        )
    if new.shipping.fee > old.shipping.fee or (old.shipping.free_from or 2**62) < (new.shipping.free_from or 2**62):
        yield ("shipping",), Words(zh="运费条件变差", en="the terms of shipping become worse")
    coupons = {coupon.code: (place, coupon) for place, coupon in enumerate(new.coupons)}
    for before in old.coupons:
        place, after = coupons.get(before.code, (0, None))
        if after is None:
            yield ("coupon",), Words(zh=f"优惠券 {before.code} 被取消", en=f"the coupon {before.code} is withdrawn")
        elif after.threshold > before.threshold or after.off < before.off:
            yield (
                ("coupon", place),
                Words(zh=f"优惠券 {before.code} 的条件变差", en=f"the coupon {before.code} becomes worse"),
            )
    yield from _withdrawn(old, new)
    yield from _worse_presales(old, new)


def _withdrawn(old: CampaignDefinition, new: CampaignDefinition) -> Iterator[tuple[tuple[str | int, ...], Words]]:
    kept = {promotion.id for promotion in new.promotions}
    for promotion in old.promotions:
        if promotion.id not in kept:
            label = promotion.label
            yield ("promotion",), Words(zh=f"优惠“{label.zh}”被取消", en=f'the promotion "{label.en}" is withdrawn')


def _worse_presales(old: CampaignDefinition, new: CampaignDefinition) -> Iterator[tuple[tuple[str | int, ...], Words]]:
    """Presales that whoever has not reserved yet loses, or gets on worse terms; a reservation keeps its own."""
    presales = {presale.sku: (place, presale) for place, presale in enumerate(new.presales)}
    for before in old.presales:
        place, after = presales.get(before.sku, (0, None))
        if after is None:
            yield ("presale",), Words(zh=f"{before.sku} 的预售被取消", en=f"the presale of {before.sku} is withdrawn")
        elif (
            after.in_all > before.in_all
            or after.deposit > before.deposit
            or after.deposit_until_at < before.deposit_until_at
            or after.balance_until_at < before.balance_until_at
            or after.ships_by_at > before.ships_by_at
        ):
            yield (
                ("presale", place),
                Words(zh=f"{before.sku} 的预售条件变差", en=f"the terms of the presale of {before.sku} become worse"),
            )


def _less_protected(old: CampaignDefinition, new: CampaignDefinition) -> Iterator[tuple[tuple[str | int, ...], Words]]:
    before, after = (each.price_protection.days if each.price_protection else 0 for each in (old, new))
    if after < before:
        yield (
            ("price_protection",),
            Words(
                zh=f"价格保护从 {before} 天缩短为 {after} 天",
                en=f"price protection shrinks from {before} to {after} days",
            ),
        )
    elif lost := protected_skus(old) & {entry.sku for entry in new.goods} - protected_skus(new):
        yield (
            ("price_protection", "goods"),
            Words(
                zh=f"{len(lost)} 种商品不再享有价格保护",
                en=f"{len(lost)} products are not protected against a lower price any more",
            ),
        )


def _reworded(old: CampaignDefinition, new: CampaignDefinition) -> Iterator[tuple[tuple[str | int, ...], Words]]:
    if new.rules != old.rules:
        yield ("rules",), Words(zh="活动规则的文字有改动", en="the rules are worded differently")
    if new.returns.text != old.returns.text:
        yield ("returns", "text"), Words(zh="退货政策的文字有改动", en="the policy of returns is worded differently")
    before = {promotion.id: promotion for promotion in old.promotions}
    for place, promotion in enumerate(new.promotions):
        if promotion.id in before and before[promotion.id] != promotion:
            label = promotion.label
            yield ("promotion", place), Words(zh=f"优惠“{label.zh}”有改动", en=f'the promotion "{label.en}" is changed')


def equal_terms(case: Case, _: Article) -> Iterator[Found]:
    """A price that not everybody gets depends on something objective: an audience, a tier or a condition.

    Who is in a segment is asked by the promotion's segments or by its condition. All that a promotion asks must hold,
    so that one more thing that is objective is enough; a condition that asks for segments itself is not, whatever else
    it asks: it may hold by the segment alone.
    """
    for place, promotion in enumerate(case.definition.promotions):
        if (promotion.segments or _asks_for_segments(promotion)) and not _is_objective(promotion):
            key, names = ("segments", promotion.segments) if promotion.segments else ("when", (promotion.condition,))
            yield Found(
                path=("promotion", place, key),
                what=Words(
                    zh=f"“{promotion.label.zh}”只给画像人群 {'、'.join(names)}，没有客观条件",
                    en=f'"{promotion.label.en}" goes to the segments {", ".join(names)} only, '
                    "without an objective condition",
                ),
                mend=Words(
                    zh="写明客观条件（audience、tiers，或不涉及 segments 的 when），使条件相同的人价格相同",
                    en="state an objective condition (audience, tiers, or a `when` that does not ask for segments), "
                    "so that equal terms cost the same",
                ),
            )


_SEGMENTS: Final = re.compile(r"\bsegments\b")
_EVERYBODY: Final = (frozenset({Audience.EVERYONE}), frozenset({Audience.NEW, Audience.RETURNING}))
"""Audiences that together leave nobody out."""


def _asks_for_segments(promotion: Promotion) -> bool:
    """Whether a condition declares segments as its fact, or writes the word at all, as a variable of its own or in a text."""
    return "segments" in promotion.facts or bool(_SEGMENTS.search(promotion.condition))


def _is_objective(promotion: Promotion) -> bool:
    limited = promotion.audience and not any(every <= set(promotion.audience) for every in _EVERYBODY)
    stated = promotion.condition and promotion.facts and not _asks_for_segments(promotion)
    return bool(limited or promotion.tiers or stated)


def gift_stated(case: Case, _: Article) -> Iterator[Found]:
    """A gift is among the goods, with its name; a value shown for it is the price at which it is on sale."""
    goods = {entry.sku: entry for entry in case.definition.goods}
    offers = {offer.sku: offer.price for offer in case.definition.offers}
    for place, promotion in enumerate(case.definition.promotions):
        if not isinstance(promotion.benefit, Gift):
            continue
        sku = promotion.benefit.sku
        if sku not in goods:
            yield Found(
                path=("promotion", place),
                what=Words(zh=f"赠品 {sku} 没有品名", en=f"the gift {sku} has no name"),
                mend=Words(zh="把赠品加入 [[goods]]，写明品名", en="add the gift to [[goods]] with its name"),
            )
        elif sku in offers and offers[sku] < goods[sku].list_price:
            zh, en = (format_money(offers[sku], case.definition.currency, locale) for locale in ("zh", "en"))
            yield Found(
                path=("promotion", place),
                what=Words(
                    zh=f"赠品 {sku} 正以 {zh} 在售，低于其划线价",
                    en=f"the gift {sku} is on sale at {en}, below its list price",
                ),
                mend=Words(zh=f"如标示赠品价格，请写 {zh}", en=f"if a value of the gift is shown, show {en}"),
                severity=Severity.NOTICE,
            )


def return_days(case: Case, article: Article) -> Iterator[Found]:
    """Goods may be returned for at least so many days."""
    days, stated = article.figures["days"], case.definition.returns.days
    if stated < days:
        yield Found(
            path=("returns", "days"),
            what=Words(
                zh=f"无理由退货期为 {stated} 天，少于 {days} 天",
                en=f"returns end after {stated} days, fewer than {days}",
            ),
            mend=Words(zh=f"把 days 改为 {days} 或更多", en=f"set days to {days} or more"),
        )
