"""The published rules of one version item by item, each in words: what two versions are compared by for shoppers.

Nothing that is for staff only stands here: no goals, owners, floors, costs, bearers, defences or rate limits.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import CampaignVersion, Words
from tidegate.offer.campaign.group_buying import group_buy_words
from tidegate.offer.campaign.presale_terms import presale_terms
from tidegate.offer.campaign.prize_draws import draw_words
from tidegate.offer.campaign.promotion_terms import promotion_terms
from tidegate.offer.campaign.terms import (
    OfferTerms,
    coupon_terms,
    limit_terms,
    offer_terms,
    statements,
)


class RuleKind(StrEnum):
    """Where an item stands on the rules page."""

    SALE = "sale"
    PRICE = "price"
    PROMOTION = "promotion"
    COUPON = "coupon"
    LIMIT = "limit"
    GROUP_BUY = "group_buy"
    DRAW = "draw"
    RETURNS = "returns"
    TEXT = "text"
    OFFER = "offer"
    PRESALE = "presale"


class RuleItem(msgspec.Struct, frozen=True):
    """One rule: its kind, a key that is unique within it, the name that shoppers know it by, and its words."""

    kind: RuleKind
    key: str
    name: Words
    words: Words


def rule_items(version: CampaignVersion, wording: Wording) -> list[RuleItem]:
    """Every published rule of a version, in the order of the rules page."""
    return list(_items(version, wording))


def _items(version: CampaignVersion, wording: Wording) -> Iterator[RuleItem]:
    definition = version.definition
    for phase in definition.phases:
        span = f"{wording.time(phase.starts_at)} – {wording.time(phase.ends_at)}"
        yield RuleItem(RuleKind.SALE, phase.name.value, Words("时间", "When"), Words(span, span))
    for key, words in statements(version, wording).items():
        yield RuleItem(RuleKind.PRICE, key, Words("价格与付款", "Price and payment"), words)
    for promotion in promotion_terms(definition, wording):
        said = [*promotion.words, *promotion.listed]
        words = Words("".join(each.zh for each in said), " ".join(each.en for each in said))
        yield RuleItem(RuleKind.PROMOTION, promotion.id, promotion.label, words)
    for coupon in definition.coupons:
        yield RuleItem(RuleKind.COUPON, coupon.code, coupon.label, coupon_terms(coupon, definition).words)
    for limit in definition.limits:
        names = [wording.name(sku) for sku in limit.skus]
        words = limit_terms(limit, definition).words
        zh, en = "、".join(name.zh for name in names), ", ".join(name.en for name in names)
        listed = Words(f"{words.zh}{zh}", f"{words.en} {en}") if names else words
        yield RuleItem(RuleKind.LIMIT, limit.name, limit.label, listed)
    for group_buy in definition.group_buys:
        words = group_buy_words(group_buy, definition.currency)
        yield RuleItem(RuleKind.GROUP_BUY, group_buy.sku, wording.name(group_buy.sku), words)
    for draw in definition.draws:
        told = draw_words(draw, wording)
        words = Words("".join(each.zh for each in told), " ".join(each.en for each in told))
        yield RuleItem(RuleKind.DRAW, draw.name, draw.label, words)
    yield RuleItem(RuleKind.RETURNS, "text", Words("退货", "Returns"), definition.returns.text)
    yield RuleItem(RuleKind.TEXT, "rules", Words("其他规则", "Other rules"), definition.rules)
    for presale in presale_terms(definition, wording):
        yield RuleItem(RuleKind.PRESALE, presale.sku, presale.label, presale.words)
    for offer in offer_terms(version):
        yield RuleItem(RuleKind.OFFER, offer.sku, offer.name, _offer_words(offer, wording))


def _offer_words(offer: OfferTerms, wording: Wording) -> Words:
    price, list_price = wording.money(offer.price), wording.money(offer.list_price)
    zh = [f"售价 {price.zh}", f"原价 {list_price.zh}", f"共 {offer.quota} 件"]
    en = [f"{price.en}", f"list price {list_price.en}", f"{offer.quota} in all"]
    if offer.per_buyer:
        zh.append(f"每人限购 {offer.per_buyer} 件")
        en.append(f"{offer.per_buyer} for each buyer")
    if offer.has_floor:
        zh.append("减免以最低售价为限")
        en.append("reductions end at a lowest price")
    zh.append("可用优惠券" if offer.coupons else "不可用优惠券")
    en.append("takes coupons" if offer.coupons else "takes no coupons")
    return Words("；".join(zh) + "。", "; ".join(en) + ".")
