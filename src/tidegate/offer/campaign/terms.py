"""The published rules: every condition of a campaign in words and figures, made from the definition that prices."""

from datetime import datetime

import msgspec

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import (
    CampaignId,
    CampaignVersion,
    Coupon,
    Limit,
    OfferKind,
    PhaseName,
    Returns,
    Shipping,
    WaitingRoom,
    Words,
)


class OfferTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one offer. `per_buyer` 0 means no limit."""

    sku: str
    name: Words
    kind: OfferKind
    price: int
    list_price: int
    quota: int
    per_buyer: int
    coupons: bool


class CouponTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one coupon, in figures and as a sentence. `quota` and `per_buyer` 0 mean no limit."""

    code: str
    label: Words
    threshold: int
    off: int
    quota: int
    per_buyer: int
    words: Words


class LimitTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one limit; no SKUs named means everything on offer."""

    name: str
    label: Words
    skus: tuple[str, ...]
    per_buyer: int
    words: Words


class PublishedRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one version. Amounts are in minor units of `currency`; `offers` may be a part of `offers_total`."""

    campaign_id: CampaignId
    version: int
    sha256: str
    published_at: datetime
    title: Words
    currency: str
    opens_at: datetime
    closes_at: datetime
    payment_minutes: int
    statements: tuple[Words, ...]
    offers_total: int
    offers: tuple[OfferTerms, ...]
    coupons: tuple[CouponTerms, ...]
    limits: tuple[LimitTerms, ...]
    shipping: Shipping
    returns: Returns
    text: Words


def published_rules(version: CampaignVersion, *, offset: int = 0, limit: int | None = None) -> PublishedRules:
    """The rules of a version, with its offers from `offset` on, `limit` of them at most, flash offers first."""
    definition = version.definition
    burst = definition.phase(PhaseName.BURST)
    offers = offer_terms(version)
    return PublishedRules(
        campaign_id=version.campaign_id,
        version=version.version,
        sha256=version.sha256,
        published_at=version.published_at,
        title=definition.title,
        currency=definition.currency,
        opens_at=burst.starts_at,
        closes_at=burst.ends_at,
        payment_minutes=definition.payment_minutes,
        statements=_statements(version),
        offers_total=len(offers),
        offers=offers[offset : None if limit is None else offset + limit],
        coupons=tuple(_coupon_terms(coupon, definition.currency) for coupon in definition.coupons),
        limits=tuple(_limit_terms(each) for each in definition.limits),
        shipping=definition.shipping,
        returns=definition.returns,
        text=definition.rules,
    )


def offer_terms(version: CampaignVersion) -> tuple[OfferTerms, ...]:
    """The conditions of every offer, flash offers first, otherwise in the order of the definition."""
    goods = {entry.sku: entry for entry in version.definition.goods}
    terms = [
        OfferTerms(
            sku=offer.sku,
            name=goods[offer.sku].name,
            kind=offer.kind,
            price=offer.price,
            list_price=goods[offer.sku].list_price,
            quota=offer.quota,
            per_buyer=offer.per_buyer,
            coupons=offer.coupons,
        )
        for offer in version.definition.offers
    ]
    return tuple(sorted(terms, key=lambda each: each.kind is not OfferKind.FLASH))


def _statements(version: CampaignVersion) -> tuple[Words, ...]:
    """How a price comes about, in the order in which it is reckoned."""
    definition = version.definition
    kinds = {offer.kind for offer in definition.offers}
    statements = [_OFFER_STATEMENTS[kind] for kind in OfferKind if kind in kinds]
    if basis := definition.list_price_basis:
        statements.insert(0, Words(zh=f"划线价：{basis.zh}。", en=f"A list price is: {basis.en}."))
    if definition.coupons:
        statements.append(_COUPON_STATEMENT)
    statements.append(_shipping_statement(definition.shipping, definition.currency))
    if definition.waiting_room:
        statements.append(_queue_statement(definition.waiting_room))
    minutes, days = definition.payment_minutes, definition.returns.days
    statements.append(
        Words(
            zh=f"下单后请在 {minutes} 分钟内付款；逾期订单自动取消，商品重新发售，已用的优惠券和限购数量退回。",
            en=f"Pay within {minutes} minutes of ordering; otherwise the order ends, its goods are on sale again, "
            "and its coupon and limits are given back.",
        )
    )
    statements.append(
        Words(
            zh=f"签收后 {days} 天内可无理由退货；每件商品按其实际支付的金额退款。",
            en=f"Goods may be returned within {days} days of delivery without a reason; "
            "each unit is refunded with what was paid for it.",
        )
    )
    return tuple(statements)


_OFFER_STATEMENTS = {
    OfferKind.FLASH: Words(
        zh="秒杀价商品限量发售，售完为止；每位买家的限购数量见各商品；除注明外不可使用优惠券。",
        en="Goods at a flash price are on sale while the stated quantity lasts. The limit per buyer stands beside "
        "each. Coupons do not apply unless stated.",
    ),
    OfferKind.DISCOUNT: Words(
        zh="活动价商品在活动期间按标示价格发售，售完为止；除注明外可使用优惠券。",
        en="Goods at a festival price are on sale at the stated price during the sale, while the stated quantity "
        "lasts. Coupons apply unless stated.",
    ),
}
_COUPON_STATEMENT = Words(
    zh="每个订单可用一张优惠券；门槛按可用券商品的活动价计算；减免金额按商品金额比例分摊到每一件，精确到分。",
    en="One coupon an order. Its threshold counts the offer prices of goods that take coupons. What it takes off is "
    "split over their units in proportion to their prices, exact to the cent.",
)


def _shipping_statement(shipping: Shipping, currency: str) -> Words:
    if shipping.fee == 0:
        return Words(zh="全部订单免运费。", en="Shipping is free.")
    zh, en = (format_money(shipping.fee, currency, locale) for locale in ("zh", "en"))
    if shipping.free_from is None:
        return Words(zh=f"每个订单运费 {zh}。", en=f"Shipping is {en} an order.")
    free_zh, free_en = (format_money(shipping.free_from, currency, locale) for locale in ("zh", "en"))
    return Words(
        zh=f"每个订单运费 {zh}；优惠后商品金额满 {free_zh} 免运费。",
        en=f"Shipping is {en} an order, and free when the goods, after all reductions, come to {free_en} or more.",
    )


def _queue_statement(room: WaitingRoom) -> Words:
    """How the line is ordered: the draw, the lanes and their shares, how long a called shopper has."""
    shares_zh = "、".join(f"{lane.label.zh} {lane.share}%" for lane in room.lanes)
    shares_en = ", ".join(f"{lane.label.en} {lane.share} %" for lane in room.lanes)
    slow = _slow_statement(room.slow_share) if room.slow_share else Words(zh="", en="")
    return Words(
        zh=f"开售前取得的排队位置由抽签定先后，随机种子的摘要和名单的根值事先公布，开售时公布种子，人人可验算；"
        f"之后取得的位置按先后排在其后。各通道的放行比例：{shares_zh}。轮到后请在 {room.claim_seconds} 秒内进入；"
        f"错过一次仍可返回一次。每个账号一个位置。{slow.zh}",
        en="Places taken before the list is sealed are put in order by a draw: the hash of its seed and the root of "
        "the list are published before, the seed at the opening, so that anyone can check it. Later places follow in "
        f"the order in which they were taken. Shares of the lanes: {shares_en}. Who is called enters within "
        f"{room.claim_seconds} seconds, and may return once after missing that. One place an account.{slow.en}",
    )


def _slow_statement(share: int) -> Words:
    """What becomes of places that look like a program's, and how that is taken back."""
    return Words(
        zh=f"看起来由程序取得的位置进入慢速通道：每放行其他通道 100 个位置，慢速通道最多放行 {share} 个，"
        "次序仍按同一抽签，且不会早于其他通道中排在其前的位置。对此有异议可投诉；核实为误判的，位置按原有次序恢复。",
        en=" Places that look as if a program took them stand in the slow lane: beside each 100 calls of the other "
        f"lanes at most {share} are of it, in the order of the same draw, and none before those of the other lanes "
        "that stand before it. Whoever objects can complain; where it was a mistake, the place goes back to where its "
        "rank was.",
    )


def _coupon_terms(coupon: Coupon, currency: str) -> CouponTerms:
    threshold_zh, threshold_en = (format_money(coupon.threshold, currency, locale) for locale in ("zh", "en"))
    off_zh, off_en = (format_money(coupon.off, currency, locale) for locale in ("zh", "en"))
    quota_zh = f"；共 {coupon.quota} 张，用完为止" if coupon.quota else ""
    quota_en = f"; {coupon.quota} uses in all" if coupon.quota else ""
    buyer_zh = f"；每人限用 {coupon.per_buyer} 次" if coupon.per_buyer else ""
    buyer_en = f"; {_times(coupon.per_buyer)} per buyer" if coupon.per_buyer else ""
    words = Words(
        zh=f"{coupon.code}：可用券商品满 {threshold_zh} 减 {off_zh}{quota_zh}{buyer_zh}。",
        en=f"{coupon.code}: {off_en} off from {threshold_en} of goods that take coupons{quota_en}{buyer_en}.",
    )
    return CouponTerms(
        code=coupon.code,
        label=coupon.label,
        threshold=coupon.threshold,
        off=coupon.off,
        quota=coupon.quota,
        per_buyer=coupon.per_buyer,
        words=words,
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _limit_terms(limit: Limit) -> LimitTerms:
    what_zh = f"以下 {len(limit.skus)} 种商品合计" if limit.skus else "全部活动商品合计"
    what_en = f"of these {len(limit.skus)} products together" if limit.skus else "of everything on offer together"
    words = Words(
        zh=f"{limit.label.zh}：{what_zh}每人限购 {limit.per_buyer} 件。",
        en=f"{limit.label.en}: at most {limit.per_buyer} {what_en} per buyer.",
    )
    return LimitTerms(name=limit.name, label=limit.label, skus=limit.skus, per_buyer=limit.per_buyer, words=words)
