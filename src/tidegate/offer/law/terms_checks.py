"""Checks of terms: conditions, deposits, prizes, equal treatment, gifts, returns. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from tidegate.base.money import format_money
from tidegate.offer.campaign.api import Severity
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    Gift,
    PhaseName,
    Promotion,
    Words,
)
from tidegate.offer.law.contracts import Article, Case, Found
from tidegate.offer.law.worse_promotions import span_of


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
        starts_at, ends_at = span_of(promotion, burst)
        if starts_at < burst.starts_at or ends_at > burst.ends_at:
            yield Found(
                path=("promotion", place, "ends_at" if ends_at > burst.ends_at else "starts_at"),
                what=Words(
                    zh=f"“{promotion.label.zh}”的期限超出开售时段，公布的期限做不到",
                    en=f'the time of "{promotion.label.en}" reaches beyond the sale: the time stated cannot be kept',
                ),
                mend=Words(zh="把起止时间放在开售时段之内", en="keep its start and end within the burst"),
            )


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
    """Whether a condition declares segments as its fact, or writes the word anywhere: a variable may bear it too."""
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
