"""The published rules: every condition of a campaign in words and figures, made from the definition that prices."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from tidegate.base.money import format_money
from tidegate.offer.campaign.aftersale_terms import aftersale_statements
from tidegate.offer.campaign.benefit_terms import NAMED_MAX, Wording, join
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    CampaignId,
    CampaignVersion,
    Coupon,
    Earning,
    Limit,
    OfferKind,
    PhaseName,
    PointsOff,
    Returns,
    Shipping,
    Words,
)
from tidegate.offer.campaign.coupons import claim_words
from tidegate.offer.campaign.group_buying import GROUP_STATEMENT, group_buy_words
from tidegate.offer.campaign.presale_terms import PRESALE_STATEMENT, PresaleTerms, presale_terms
from tidegate.offer.campaign.prize_draws import DRAW_STATEMENT, draw_words
from tidegate.offer.campaign.promotion_terms import ORDER_STATEMENT, PromotionTerms, promotion_terms
from tidegate.offer.campaign.queue_terms import queue_words


class OfferTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one offer. `per_buyer` 0 means no limit; `has_floor`: reductions end at a lowest price."""

    sku: str
    name: Words
    kind: OfferKind
    price: int
    list_price: int
    quota: int
    per_buyer: int
    coupons: bool
    has_floor: bool = False


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
    """The conditions of one limit; no SKUs named means everything on offer, and 0 means no limit."""

    name: str
    label: Words
    skus: tuple[str, ...]
    per_buyer: int
    per_device: int
    per_address: int
    per_instrument: int
    words: Words


class GroupBuyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one group buy, in figures and as a sentence. `per_buyer` 0 means no limit."""

    sku: str
    name: Words
    price: int
    size: int
    fill_seconds: int
    quota: int
    per_buyer: int
    words: Words


class DrawTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one prize draw, as sentences."""

    name: str
    label: Words
    words: tuple[Words, ...]


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
    promotions: tuple[PromotionTerms, ...]
    presales: tuple[PresaleTerms, ...]
    shipping: Shipping
    returns: Returns
    text: Words
    group_buys: tuple[GroupBuyTerms, ...] = ()
    draws: tuple[DrawTerms, ...] = ()


def published_rules(
    version: CampaignVersion, *, offset: int = 0, limit: int | None = None, wording: Wording | None = None
) -> PublishedRules:
    """The rules of a version, with its offers from `offset` on, `limit` of them at most, flash offers first.

    `wording` says in which zone times are written (UTC without it) and how categories are called.
    """
    definition = version.definition
    burst, wording = definition.phase(PhaseName.BURST), wording or Wording(definition)
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
        statements=tuple(statements(version, wording).values()),
        offers_total=len(offers),
        offers=offers[offset : None if limit is None else offset + limit],
        coupons=tuple(coupon_terms(coupon, definition) for coupon in definition.coupons),
        limits=tuple(limit_terms(each, definition) for each in definition.limits),
        promotions=promotion_terms(definition, wording),
        presales=presale_terms(definition, wording),
        shipping=definition.shipping,
        returns=definition.returns,
        text=definition.rules,
        group_buys=group_buy_terms(definition),
        draws=tuple(
            DrawTerms(name=each.name, label=each.label, words=draw_words(each, wording)) for each in definition.draws
        ),
    )


def group_buy_terms(definition: CampaignDefinition) -> tuple[GroupBuyTerms, ...]:
    """The conditions of every group buy, in the order of the definition."""
    names = {entry.sku: entry.name for entry in definition.goods}
    return tuple(
        GroupBuyTerms(
            sku=each.sku,
            name=names[each.sku],
            price=each.price,
            size=each.size,
            fill_seconds=each.fill_seconds,
            quota=each.quota,
            per_buyer=each.per_buyer,
            words=group_buy_words(each, definition.currency),
        )
        for each in definition.group_buys
    )


def offer_terms(version: CampaignVersion) -> tuple[OfferTerms, ...]:
    """The conditions of every offer, flash offers first, otherwise in the order of the definition."""
    goods = {entry.sku: entry for entry in version.definition.goods}
    floored = _floored(version.definition)
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
            has_floor=offer.sku in floored,
        )
        for offer in version.definition.offers
    ]
    return tuple(sorted(terms, key=lambda each: each.kind is not OfferKind.FLASH))


def statements(version: CampaignVersion, wording: Wording | None = None) -> dict[str, Words]:
    """How a price comes about, in the order in which it is reckoned; each under a name that no version changes."""
    definition = version.definition
    kinds = {offer.kind for offer in definition.offers}
    found = {kind.value: _OFFER_STATEMENTS[kind] for kind in OfferKind if kind in kinds}
    if definition.promotions:
        found["promotions"] = ORDER_STATEMENT
    if basis := definition.list_price_basis:
        found = {"list_price": Words(zh=f"划线价：{basis.zh}。", en=f"A list price is: {basis.en}."), **found}
    if definition.coupons:
        found["coupons"] = _COUPON_BESIDE_PROMOTIONS if definition.promotions else _COUPON_STATEMENT
    if floored := _floored(definition):
        found["floors"] = _floor_statement(floored, wording or Wording(definition))
    if definition.presales:
        found["presales"] = PRESALE_STATEMENT
    if definition.group_buys:
        found["group_buys"] = GROUP_STATEMENT
    if definition.draws:
        found["draws"] = DRAW_STATEMENT
    found["shipping"] = _shipping_statement(definition)
    if definition.earning:
        found["points"] = _earning_statement(definition.earning, definition.currency)
    if definition.waiting_room:
        found["line"] = queue_words(definition.waiting_room)
    minutes, days = definition.payment_minutes, definition.returns.days
    found["payment"] = Words(
        zh=f"下单后请在 {minutes} 分钟内付款；逾期订单自动取消，商品重新发售，已用的优惠券和限购数量退回。",
        en=f"Pay within {minutes} minutes of ordering; otherwise the order ends, its goods are on sale again, "
        "and its coupon and limits are given back.",
    )
    found["returns"] = Words(
        zh=f"签收后 {days} 天内可无理由退货；每件商品按其实际支付的金额退款。",
        en=f"Goods may be returned within {days} days of delivery without a reason; "
        "each unit is refunded with what was paid for it.",
    )
    return found | aftersale_statements(definition, wording or Wording(definition))


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
_UNLESS_IT_SAVES = Words(
    zh="用券后应付金额不减少的订单不收券，券不会被用掉。",
    en="An order that would cost no less with it is not taken with it, and the coupon is not used.",
)
_COUPON_STATEMENT = Words(
    zh="每个订单可用一张优惠券；门槛按可用券商品的活动价计算；减免金额按商品金额比例分摊到每一件，精确到分。"
    f"{_UNLESS_IT_SAVES.zh}",
    en="One coupon an order. Its threshold counts the offer prices of goods that take coupons. What it takes off is "
    f"split over their units in proportion to their prices, exact to the cent. {_UNLESS_IT_SAVES.en}",
)
_COUPON_BESIDE_PROMOTIONS = Words(
    zh="每个订单可用一张优惠券；门槛按可用券商品在商品和店铺优惠之后、跨店优惠之前的应付金额计算，减免金额按这一金额的比例"
    f"分摊到每一件，精确到分。{_UNLESS_IT_SAVES.zh}赠品和积分也算作优惠。",
    en="One coupon an order. Its threshold counts what is left to pay for goods that take coupons after the reductions "
    "on goods and within a shop, and before those across shops. What it takes off is split over their units in "
    f"proportion to that, exact to the cent. {_UNLESS_IT_SAVES.en} A gift that it brings and points that it spares "
    "count as a saving, too.",
)


def _floored(definition: CampaignDefinition) -> tuple[str, ...]:
    """The goods on offer of which reductions end at a floor; none where nothing is ever taken off an offer."""
    if not (definition.promotions or definition.coupons):
        return ()
    floors = {entry.sku for entry in definition.goods if entry.floor}
    return tuple(offer.sku for offer in definition.offers if offer.sku in floors)


def _floor_statement(skus: tuple[str, ...], wording: Wording) -> Words:
    """What shoppers are told of floors: of which goods, and what becomes of a reduction; not the amounts."""
    goods = Words(f"{len(skus)} 种商品（见各商品）", f"{len(skus)} products, each marked below,")
    if len(skus) <= NAMED_MAX:
        goods = join([wording.name(sku) for sku in skus])
    have = "has" if len(skus) == 1 else "have"
    return Words(
        zh=f"以下商品设有最低售价：{goods.zh}。优惠、优惠券和积分合计不会使其低于该价，因此减免可能少于所注明的金额；"
        "少减的金额在价格明细的该项中写明。",
        en=f"{goods.en} {have} a lowest price: promotions, coupons and points together do not bring a unit below it, "
        "and so may take off less than they state; the step of the price says by how much.",
    )


def _earning_statement(earning: Earning, currency: str) -> Words:
    paid_zh, paid_en = (format_money(earning.paid, currency, locale) for locale in ("zh", "en"))
    most_zh = f"，一个订单最多 {earning.per_order} 积分" if earning.per_order else ""
    most_en = f", {earning.per_order} points an order at most" if earning.per_order else ""
    points = "1 point" if earning.points == 1 else f"{earning.points} points"
    return Words(
        zh=f"商品实付金额每满 {paid_zh} 得 {earning.points} 积分{most_zh}，运费不计，付款后到账。"
        "退款时，已抵扣的积分按退回商品退还，已得的积分按退款金额扣回，扣至零为止。",
        en=f"Every {paid_en} paid for goods, without shipping, earns {points}{most_en}, credited once the order is "
        "paid. With a refund the points spent on what came back are given back, and those earned with the money "
        "refunded are taken back, as far as they are still there.",
    )


def _shipping_statement(definition: CampaignDefinition) -> Words:
    shipping, currency = definition.shipping, definition.currency
    if shipping.fee == 0:
        return Words(zh="全部订单免运费。", en="Shipping is free.")
    zh, en = (format_money(shipping.fee, currency, locale) for locale in ("zh", "en"))
    if shipping.free_from is None:
        return Words(zh=f"每个订单运费 {zh}。", en=f"Shipping is {en} an order.")
    free_zh, free_en = (format_money(shipping.free_from, currency, locale) for locale in ("zh", "en"))
    takes_points = any(isinstance(each.benefit, PointsOff) for each in definition.promotions)
    before_zh, before_en = ("、积分抵扣前", " and before points") if takes_points else ("", "")
    return Words(
        zh=f"每个订单运费 {zh}；优惠后{before_zh}商品金额满 {free_zh} 免运费。",
        en=f"Shipping is {en} an order, and free when the goods, after all reductions{before_en}, come to {free_en} or "
        "more.",
    )


def coupon_terms(coupon: Coupon, definition: CampaignDefinition) -> CouponTerms:
    """The conditions of a coupon."""
    currency = definition.currency
    threshold_zh, threshold_en = (format_money(coupon.threshold, currency, locale) for locale in ("zh", "en"))
    off_zh, off_en = (format_money(coupon.off, currency, locale) for locale in ("zh", "en"))
    quota_zh = f"；共 {coupon.quota} 张，用完为止" if coupon.quota else ""
    quota_en = f"; {coupon.quota} uses in all" if coupon.quota else ""
    buyer_zh = f"；每人限用 {coupon.per_buyer} 次" if coupon.per_buyer else ""
    buyer_en = f"; {_times(coupon.per_buyer)} per buyer" if coupon.per_buyer else ""
    claim = claim_words(definition, coupon.unique) if coupon.unique else None
    claim_zh, claim_en = (f"；{claim.zh}", f"; {claim.en}") if claim else ("", "")
    words = Words(
        zh=f"{coupon.code}：可用券商品满 {threshold_zh} 减 {off_zh}{quota_zh}{buyer_zh}{claim_zh}。",
        en=f"{coupon.code}: {off_en} off from {threshold_en} of goods that take coupons{quota_en}{buyer_en}{claim_en}.",
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


_LIMITED = {
    "per_buyer": Words(zh="每人限购 {} 件", en="per buyer"),
    "per_device": Words(zh="每台设备限购 {} 件", en="per device"),
    "per_address": Words(zh="每个收货地址限购 {} 件", en="per delivery address"),
    "per_instrument": Words(
        zh="每个支付账户限购 {} 件（付款时核对，超出的订单取消并原路退款）",
        en="per payment account, known when it is paid: an order beyond it is cancelled and its money goes back",
    ),
}


_COUNTS_LATE = frozenset({"per_address", "per_instrument"})
"""What is not known yet when goods are reserved."""
_RESERVED = Words(
    zh="（含预售预订，预订未成为订单而结束的退回）",
    en=", reservations in presale included until one ends without being an order,",
)
_NOT_RESERVED = Words(zh="（不含预售商品）", en=", without goods in presale,")
_PLAIN = Words(zh="", en="")


def limit_words(limit: Limit, definition: CampaignDefinition) -> Words:
    """Return the conditions of one limit as a sentence. A limit counts orders, also of groups.

    Reservations count by buyer and by device, and in no limit by address or payment account.
    """
    what = Words(f"以下 {len(limit.skus)} 种商品", f"these {len(limit.skus)} products together")
    what = what if limit.skus else Words("全部活动商品", "everything on offer together")
    said_zh: list[str] = []
    said_en: list[str] = []
    said = None
    for words, cap, note in _limited(limit, definition):
        subject = "" if note is said else f"{what.zh}{note.zh}合计"
        said_zh.append(subject + words.zh.format(cap))
        said_en.append(f"at most {cap} of {what.en}{note.en} {words.en}")
        said = note
    return Words(zh=f"{limit.label.zh}：{'，'.join(said_zh)}。", en=f"{limit.label.en}: {'; '.join(said_en)}.")


def _limited(limit: Limit, definition: CampaignDefinition) -> Iterator[tuple[Words, int, Words]]:
    """By what a limit counts, at most how many, and whether reservations are among them where any could be."""
    presales = {presale.sku for presale in definition.presales}
    concerned = presales.intersection(limit.skus) if limit.skus else presales
    for field, words in _LIMITED.items():
        note = (_NOT_RESERVED if field in _COUNTS_LATE else _RESERVED) if concerned else _PLAIN
        if cap := getattr(limit, field):
            yield words, cap, note


def limit_terms(limit: Limit, definition: CampaignDefinition) -> LimitTerms:
    """The conditions of a limit."""
    return LimitTerms(
        name=limit.name,
        label=limit.label,
        skus=limit.skus,
        per_buyer=limit.per_buyer,
        per_device=limit.per_device,
        per_address=limit.per_address,
        per_instrument=limit.per_instrument,
        words=limit_words(limit, definition),
    )
