"""The published rules of promotions: every condition as an exact sentence in both languages, made from the definition.

Who bears the cost is for staff only and never said here.
"""

from collections.abc import Iterator

import msgspec

from tidegate.offer.campaign.benefit_terms import NAMED_MAX, Wording, benefit_words, join, price_list, slot_list
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    FlashPrice,
    Gift,
    Layer,
    MemberPrice,
    PointsOff,
    Promotion,
    Selection,
    Words,
)
from tidegate.offer.campaign.promotions import kind_of

_AUDIENCES = {
    Audience.EVERYONE: Words("所有人", "everyone"),
    Audience.NEW: Words("新客", "new shoppers"),
    Audience.RETURNING: Words("老客", "returning shoppers"),
    Audience.MEMBERS: Words("会员", "members"),
}
_LAYERS = {
    Layer.SHOP: Words(
        "按商品或店铺计算，在跨店优惠之前。", "Reckoned on goods or within a shop, before what applies across shops."
    ),
    Layer.PLATFORM: Words(
        "跨店合并计算，在商品和店铺优惠之后。",
        "Reckoned across shops together, after what applies to goods and within a shop.",
    ),
    Layer.POINTS: Words(
        "在其他优惠和运费之后，只抵商品金额。",
        "Taken off after all other reductions and after shipping is settled; it pays for goods only.",
    ),
    Layer.SHIPPING: Words(
        "门槛按商品优惠后、积分抵扣前的金额计算。",
        "Its threshold counts the goods after their reductions and before points.",
    ),
}
ORDER_STATEMENT = Words(
    zh="优惠按以下顺序计算：商品和店铺优惠、跨店优惠和优惠券、运费、积分；每一步都以上一步之后的商品应付金额为基础，同一步的优惠"
    "各自按同一金额计算；一个订单至少支付一个最小货币单位，超出的部分不减。不能全部同享，或一项优惠会使另一项达不到门槛时，取应付金额（含运费）最少的组合。减免金额按金额比例分摊到每一件商品，"
    "精确到最小货币单位，退货时按分摊后的实付金额退款。",
    en="Reductions are reckoned in this order: on goods and within a shop, across shops and by coupons, shipping, "
    "points; each step starts from what the one before left to pay for the goods, and all reductions of a step from "
    "the same amount; an order pays at least the smallest unit of the currency, and what goes beyond is not taken off. "
    "Where not all go together, or one would cost another its threshold, the combination is taken that leaves least to "
    "pay, shipping included. What is taken off is split over the units in proportion, exact to "
    "the smallest unit of the currency, and a returned unit is refunded with what was paid for it.",
)


class PromotionTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one promotion in sentences. `listed`: the products that a sentence only counts."""

    id: str
    label: Words
    kind: str
    layer: Layer
    words: tuple[Words, ...]
    listed: tuple[Words, ...]


def promotion_terms(definition: CampaignDefinition, wording: Wording) -> tuple[PromotionTerms, ...]:
    """The conditions of every promotion, in the order of the definition."""
    company = Company(definition)
    return tuple(
        PromotionTerms(
            id=promotion.id,
            label=promotion.label,
            kind=kind_of(promotion.benefit),
            layer=promotion.layer,
            words=tuple(_sentences(promotion, company, wording)),
            listed=tuple(_listed(promotion, wording)),
        )
        for promotion in definition.promotions
    )


class Company:
    """By which labels shoppers know the promotions that one goes together with."""

    def __init__(self, definition: CampaignDefinition) -> None:
        self._promotions = definition.promotions
        self.has_coupons = bool(definition.coupons)

    def without_points(self, promotion: Promotion) -> list[Words]:
        """The labels of what points pay by, where an order in which this takes something off goods takes none."""
        if promotion.layer not in {Layer.SHOP, Layer.PLATFORM} or isinstance(promotion.benefit, Gift):
            return []
        paying = [each for each in self._promotions if isinstance(each.benefit, PointsOff)]
        return [each.label for each in paying if _exclude(promotion, each)]

    def named(self, names: tuple[str, ...], but: Promotion) -> list[Words]:
        """The labels of the promotions and of the members of the groups of these names."""
        return [
            each.label for each in self._promotions if each.id != but.id and (each.id in names or each.group in names)
        ]


def _exclude(one: Promotion, other: Promotion) -> bool:
    """Whether two do not go together: of one group, or one of them does not name the other."""
    pairs = ((one, other), (other, one))
    return bool(one.group and one.group == other.group) or any(
        first.stacks_with is not None and not {second.id, second.group or second.id} & set(first.stacks_with)
        for first, second in pairs
    )


def _sentences(promotion: Promotion, company: Company, wording: Wording) -> Iterator[Words]:
    yield benefit_words(promotion.benefit, wording)
    if kind_of(promotion.benefit) not in {"bundle", "member_price", "flash_price"}:
        yield selection_words(promotion.goods, wording)
    yield _who(promotion)
    if not isinstance(promotion.benefit, FlashPrice):  # its slots say when
        yield _when(promotion, wording)
    if promotion.condition:
        yield _condition(promotion)
    if promotion.coupon:
        yield Words(f"须使用优惠券 {promotion.coupon}。", f"Only with the coupon {promotion.coupon}.")
    yield from _limits(promotion, wording)
    yield from _together(promotion, company)
    yield _LAYERS[promotion.layer]


def selection_words(goods: Selection, wording: Wording) -> Words:
    """Which goods a rule is about, as a sentence."""
    but = _products(goods.but, wording)
    without = Words(f"，不含{but.zh}", f", without {but.en}") if goods.but else Words("", "")
    groups = (
        (Words("类目", "category"), "categories", [wording.category(each) for each in goods.categories]),
        (Words("品牌", "brand"), "brands", [Words(each, each) for each in goods.brands]),
        (Words("店铺", "shop"), "shops", [Words(each, each) for each in goods.shops]),
    )
    parts = []
    for what, several, names in groups:
        if names:
            zh = "".join(f"“{name.zh}”" for name in names)
            kind = what.en if len(names) == 1 else several
            parts.append(Words(f"{what.zh}{zh}的商品", f"goods of the {kind} {join(names).en}"))
    if goods.skus:
        parts.append(_products(goods.skus, wording))
    if not parts:
        return Words(f"适用于全部活动商品{without.zh}。", f"For all goods of the festival{without.en}.")
    listed = Words("，以及".join(each.zh for each in parts), "; and ".join(each.en for each in parts))
    return Words(f"适用于{listed.zh}{without.zh}。", f"For {listed.en}{without.en}.")


def _products(skus: tuple[str, ...], wording: Wording) -> Words:
    if len(skus) > NAMED_MAX:
        return Words(f"以下所列的 {len(skus)} 种商品", f"the {len(skus)} products listed below")
    return join([wording.name(sku) for sku in skus])


def _listed(promotion: Promotion, wording: Wording) -> Iterator[Words]:
    benefit, goods = promotion.benefit, promotion.goods
    if isinstance(benefit, MemberPrice) and len(benefit.prices) > NAMED_MAX:
        yield from price_list(benefit, wording)
    if isinstance(benefit, FlashPrice):
        yield from slot_list(benefit, wording)
    if len(goods.skus) > NAMED_MAX:
        yield from (wording.name(sku) for sku in goods.skus)
    if len(goods.but) > NAMED_MAX:
        names = [wording.name(sku) for sku in goods.but]
        yield from (Words(f"不含：{name.zh}", f"not: {name.en}") for name in names)


def _who(promotion: Promotion) -> Words:
    named = [_AUDIENCES[each] for each in promotion.audience if each is not Audience.EVERYONE]
    zh, en = ([f"{join(named).zh}"], [f"{join(named).en}"]) if named else ([], [])
    if promotion.tiers:
        zh.append(f"会员等级为{'、'.join(promotion.tiers)}")
        en.append(f"members of the tiers {', '.join(promotion.tiers)}")
    if promotion.segments:
        zh.append(f"属于人群{'、'.join(promotion.segments)}")
        en.append(f"shoppers of the segments {', '.join(promotion.segments)}")
    if not zh:
        return Words("所有人都可以享受。", "For everyone.")
    return Words(f"限{'，且'.join(zh)}。", f"Only for {'; and only for '.join(en)}.")


def _when(promotion: Promotion, wording: Wording) -> Words:
    starts, ends = promotion.starts_at, promotion.ends_at
    match starts, ends:
        case None, None:
            return Words("整个售卖期间有效。", "During the whole sale.")
        case None, _:
            assert ends is not None
            return Words(
                f"从开售到 {wording.time(ends)} 之前有效。", f"From the start of the sale until {wording.time(ends)}."
            )
        case _, None:
            assert starts is not None
            return Words(
                f"从 {wording.time(starts)} 到售卖结束有效。", f"From {wording.time(starts)} to the end of the sale."
            )
        case _:
            assert starts is not None
            assert ends is not None
            first, last = wording.time(starts), wording.time(ends)
            return Words(f"从 {first} 到 {last} 之前有效。", f"From {first} until {last}.")


def _condition(promotion: Promotion) -> Words:
    words = promotion.condition_words or Words("", "")
    return Words(
        f"另须满足：{words.zh}（{promotion.condition}）。", f"On this condition: {words.en} ({promotion.condition})."
    )


def _limits(promotion: Promotion, wording: Wording) -> Iterator[Words]:
    limits = promotion.limits
    if limits.per_order:
        yield Words(f"每个订单最多享受 {limits.per_order} 次。", f"At most {_times(limits.per_order)} in one order.")
    if limits.per_account:
        count = limits.per_account
        yield Words(f"每人限 {count} 个订单。", f"{_orders(count)} for each account at most.")
    if limits.per_period:
        count, days = limits.per_period, limits.period_days
        zh, en = ("本优惠开始", "the promotion") if promotion.starts_at else ("开售", "the sale")
        yield Words(
            f"自{zh}起每 {days} 天，每人限 {count} 个订单。",
            f"{_orders(count)} for each account in every {days} days from the start of {en} at most.",
        )
    if limits.total:
        yield Words(
            f"共限 {limits.total} 个订单，先到先得。",
            f"{_orders(limits.total)} in all at most, first come first served.",
        )
    if limits.budget:
        budget = wording.money(limits.budget)
        yield Words(
            f"优惠总额 {budget.zh}；余额不足以减免整个订单应减金额的，该订单不享受。",
            f"At most {budget.en} are taken off in all; an order of which more would be taken off than is left of that "
            "goes without it.",
        )


def _times(count: int) -> str:
    return "1 time" if count == 1 else f"{count} times"


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count} orders"


def _together(promotion: Promotion, company: Company) -> Iterator[Words]:
    is_points = isinstance(promotion.benefit, PointsOff)
    zh, en = ("同一订单中", "the same order") if is_points else ("同一件商品上", "the same goods")
    within = f"{'in' if is_points else 'on'} {en}"
    if promotion.group and (same := company.named((promotion.group,), promotion)):
        names = join(same)
        yield Words(f"{zh}不与以下优惠同享：{names.zh}。", f"Not {within} as: {names.en}.")
    if promotion.stacks_with is None:
        rest = "其余" if promotion.group else "其他"
        yield Words(
            f"可以与{rest}优惠同享，除非该优惠另有规定。",
            "Goes together with other promotions, unless they say otherwise.",
        )
    elif names_of := company.named(promotion.stacks_with, promotion):
        names = join(names_of)
        yield Words(f"{zh}只与以下优惠同享：{names.zh}。", f"{within.capitalize()} only together with: {names.en}.")
    else:
        yield Words(f"{zh}不与任何其他优惠同享。", f"{within.capitalize()} with no other promotion.")
    if promotion.stacks_with is not None and company.has_coupons:
        yield Words(f"{zh}优惠券也不减免。", f"{within.capitalize()} no coupon takes anything off.")
    if without := company.without_points(promotion):
        names = join(without)
        yield Words(f"享受本优惠的订单不享受：{names.zh}。", f"An order with it goes without: {names.en}.")
