"""What a promotion takes off or gives, as one exact sentence in both languages, with the figures of its definition."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from babel.dates import get_timezone_gmt
from babel.numbers import get_currency_precision

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Benefit,
    Bundle,
    CampaignDefinition,
    FlashPrice,
    FreeShipping,
    Gift,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    PercentOff,
    PointsOff,
    Step,
    Words,
)
from tidegate.offer.campaign.units import Units

NAMED_MAX = 5
"""So many products are named in a sentence; of more it says how many there are, and they are listed beneath."""


class Wording:
    """How money, times and goods of one definition are written in sentences for shoppers."""

    def __init__(
        self, definition: CampaignDefinition, *, zone: tzinfo = UTC, categories: Mapping[str, Words] | None = None
    ) -> None:
        self.currency = definition.currency
        self.units = Units(get_currency_precision(definition.currency), zone)
        self.names = {entry.sku: entry.name for entry in definition.goods}
        self._categories = categories or {}

    def money(self, amount: int) -> Words:
        """An amount as both languages write it."""
        return Words(format_money(amount, self.currency, "zh"), format_money(amount, self.currency, "en"))

    def time(self, moment: datetime) -> str:
        """A time with its zone, to the second."""
        local = self.units.time(moment)
        return f"{local:%Y-%m-%d %H:%M:%S} {get_timezone_gmt(local, 'long', 'en')}"

    def name(self, sku: str) -> Words:
        """A product's name; its SKU where it has none."""
        return self.names.get(sku, Words(sku, sku))

    def category(self, slug: str) -> Words:
        """A category's name; its slug where nobody gave one."""
        return self._categories.get(slug, Words(slug, slug))

    def reach(self, reach: int, measure: Measure) -> Words:
        """What has to be reached, after 满 and "from"."""
        if measure is Measure.AMOUNT:
            amount = self.money(reach)
            return Words(f" {amount.zh} ", amount.en)
        return Words(f" {reach} 件", "1 piece" if reach == 1 else f"{reach} pieces")


def join(parts: Sequence[Words]) -> Words:
    """Several things, one after the other."""
    return Words("、".join(part.zh for part in parts), ", ".join(part.en for part in parts))


def benefit_words(benefit: Benefit, wording: Wording) -> Words:
    """The sentence of a benefit."""
    match benefit:
        case AmountOff():
            words = _amount_off(benefit, wording)
        case PercentOff():
            words = _percent_off(benefit, wording)
        case NForM():
            words = _n_for_m(benefit)
        case NthPiece():
            words = _nth_piece(benefit, wording)
        case Bundle():
            words = _bundle(benefit, wording)
        case MemberPrice() | FlashPrice():
            words = _own_price(benefit, wording)
        case Gift():
            words = _gift(benefit, wording)
        case FreeShipping():
            words = _free_shipping(benefit, wording)
        case PointsOff():
            words = _points_off(benefit, wording)
    return words


def _amount_off(benefit: AmountOff, wording: Wording) -> Words:
    steps = join([_money_step(step, benefit, wording) for step in benefit.steps])
    if benefit.every:
        cap = wording.money(benefit.cap)
        zh = f"，一个订单最多减 {cap.zh}" if benefit.cap else "，上不封顶"
        en = f", {cap.en} an order at most" if benefit.cap else ", without a cap"
        return Words(f"每{steps.zh}{zh}。", f"{steps.en}{en}.")
    if len(benefit.steps) > 1:
        return Words(
            f"{steps.zh}；只按达到的最高一档减。", f"{steps.en}; only the highest step that is reached counts."
        )
    return Words(f"{steps.zh}，一个订单减一次。", f"{steps.en}, once an order.")


def _money_step(step: Step, benefit: AmountOff, wording: Wording) -> Words:
    reach, off = wording.reach(step.reach, benefit.measure), wording.money(step.off)
    return Words(f"满{reach.zh}减 {off.zh}", f"{off.en} off {'for every' if benefit.every else 'from'} {reach.en}")


def _percent_off(benefit: PercentOff, wording: Wording) -> Words:
    steps = join([_share_step(step, benefit, wording) for step in benefit.steps])
    zh, en = steps.zh, steps.en
    if len(benefit.steps) > 1:
        zh, en = f"{zh}；只按达到的最高一档减", f"{en}; only the highest step that is reached counts"
    if benefit.cap:
        cap = wording.money(benefit.cap)
        zh, en = f"{zh}；一个订单最多减 {cap.zh}", f"{en}; {cap.en} off an order at most"
    return Words(
        f"{zh}。减免额不足最小货币单位的部分按一个单位减。",
        f"{en}. A part of the smallest unit of the currency is taken off as a whole one.",
    )


def _share_step(step: Step, benefit: PercentOff, wording: Wording) -> Words:
    reach, off = wording.reach(step.reach, benefit.measure), wording.units.share(step.off)
    fold = f"{(10_000 - step.off) / 1_000:g}"
    return Words(f"满{reach.zh}打 {fold} 折（减 {off}）", f"{off} off from {reach.en}")


def _n_for_m(benefit: NForM) -> Words:
    take, pay = benefit.take, benefit.pay
    free = take - pay
    return Words(
        f"每 {take} 件只付 {pay} 件的钱：其中最便宜的 {free} 件免费。商品按价格从高到低分组。",
        f"Of every {take} pieces {pay} are paid: the cheapest {free} of them {'is' if free == 1 else 'are'} free. "
        "Pieces are grouped dearest first.",
    )


def _nth_piece(benefit: NthPiece, wording: Wording) -> Words:
    nth, off = benefit.nth, wording.units.share(benefit.off)
    return Words(
        f"每 {nth} 件中最便宜的一件减 {off}，不足最小货币单位的部分按一个单位减。商品按价格从高到低分组。",
        f"Of every {nth} pieces the cheapest costs {off} less; a part of the smallest unit of the currency is taken "
        "off as a whole one. Pieces are grouped dearest first.",
    )


def _bundle(benefit: Bundle, wording: Wording) -> Words:
    price = wording.money(benefit.price)
    zh = " + ".join(f"{wording.name(part.sku).zh} {part.quantity} 件" for part in benefit.parts)
    en = " + ".join(f"{part.quantity} × {wording.name(part.sku).en}" for part in benefit.parts)
    return Words(
        f"套餐：{zh}，合计 {price.zh}；购物车凑够几套按几套计，单买更便宜时不按套餐计。",
        f"Bundle: {en} together for {price.en}, as many times as the cart holds it; never where they cost less alone.",
    )


def _own_price(benefit: MemberPrice | FlashPrice, wording: Wording) -> Words:
    return _member_price(benefit, wording) if isinstance(benefit, MemberPrice) else flash_price_words(benefit, wording)


def _member_price(benefit: MemberPrice, wording: Wording) -> Words:
    rule = Words("会员价与活动价以低者为准。", "The lower of this price and the offer's stands.")
    if len(benefit.prices) > NAMED_MAX:
        count = len(benefit.prices)
        return Words(f"以下 {count} 种商品享受所列价格。{rule.zh}", f"{count} products at the prices below. {rule.en}")
    named = join(price_list(benefit, wording))
    return Words(f"{named.zh}。{rule.zh}", f"{named.en}. {rule.en}")


def flash_price_words(benefit: FlashPrice, wording: Wording) -> Words:
    """What is sold at the flash price; when, and how many, is said slot by slot: `slot_list`."""
    name, price, count = wording.name(benefit.sku), wording.money(benefit.price), len(benefit.slots)
    slots = "the slot" if count == 1 else f"the {count} slots"
    left_zh, left_en = _LEFT_OVER[benefit.carry_over]
    coupons_zh, coupons_en = ("", "") if benefit.coupons else _NO_COUPONS
    return Words(
        f"{name.zh}在以下 {count} 个场次内每件 {price.zh}，各场售完为止；秒杀价与活动价以低者为准。"
        f"一个订单中的件数超过本场剩余或每人限购件数的，该商品全部按活动价计。{left_zh}{coupons_zh}"
        "未付款而取消的件数退回其场次，付款后退货的不退回。",
        f"{name.en} at {price.en} each within {slots} below, while the units of a slot last; the lower of this price "
        "and the offer's stands. Where an order holds more units than the slot has left or one account may have, all "
        f"of them cost what the offer says. {left_en}{coupons_en} Units of an order that ends unpaid go back to their "
        "slot; units that are returned after payment do not.",
    )


_LEFT_OVER = {
    True: ("一场未售完的件数转入下一场。", "What one slot leaves goes on to the next."),
    False: ("一场未售完的件数不转入下一场。", "What one slot leaves does not go on to the next."),
}
_NO_COUPONS = ("享受秒杀价的商品不计入优惠券。", " No coupon counts goods at this price.")


def slot_list(benefit: FlashPrice, wording: Wording) -> list[Words]:
    """Each slot: from when to when, how many units, how many for each account."""
    listed = []
    for slot in benefit.in_order():
        first, last, each = wording.time(slot.starts_at), wording.time(slot.ends_at), slot.per_account
        units = "1 unit" if slot.units == 1 else f"{slot.units} units"
        listed.append(
            Words(
                f"{first} 到 {last} 之前：{slot.units} 件" + (f"，每人限 {each} 件" if each else ""),
                f"{first} until {last}: {units}" + (f", {each} for each account at most" if each else ""),
            )
        )
    return listed


def price_list(benefit: MemberPrice, wording: Wording) -> list[Words]:
    """Each product with its price for members."""
    listed = []
    for sku, amount in benefit.prices:
        name, price = wording.name(sku), wording.money(amount)
        listed.append(Words(f"{name.zh}每件 {price.zh}", f"{name.en} at {price.en} each"))
    return listed


def _gift(benefit: Gift, wording: Wording) -> Words:
    reach, name = wording.reach(benefit.reach, benefit.measure), wording.name(benefit.sku)
    return Words(
        f"{'每' if benefit.every else ''}满{reach.zh}赠送 {name.zh} {benefit.quantity} 件，赠完为止："
        "下单时已赠完的，价格不变、不含赠品，并在订单中告知。",
        f"{benefit.quantity} × {name.en} free {'for every' if benefit.every else 'from'} {reach.en}, "
        "while its stock lasts: an order taken when it is gone comes without it, at the same price, and says so.",
    )


def _free_shipping(benefit: FreeShipping, wording: Wording) -> Words:
    if benefit.reach == 0:
        return Words("免运费。", "Shipping is free.")
    reach = wording.reach(benefit.reach, benefit.measure)
    return Words(f"满{reach.zh}免运费。", f"Shipping is free from {reach.en}.")


def _points_off(benefit: PointsOff, wording: Wording) -> Words:
    whole = 10**wording.units.decimals
    points, pays, share = benefit.points * whole, wording.money(whole), wording.units.share(benefit.share)
    return Words(
        f"每 {points} 积分抵 {pays.zh}，最多抵商品应付金额的 {share}。",
        f"{points} points pay {pays.en}, up to {share} of what is to pay for the goods.",
    )
