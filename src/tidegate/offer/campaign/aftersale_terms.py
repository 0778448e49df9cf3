"""What is promised after the purchase, as the published rules say it: lost thresholds, gifts, price protection."""

from tidegate.offer.campaign.benefit_terms import NAMED_MAX, Wording, join
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    FlashPrice,
    Gift,
    GiftPolicy,
    PointsOff,
    PriceProtection,
    Words,
)
from tidegate.offer.campaign.promotion_terms import selection_words

_THRESHOLDS = Words(
    zh="部分退货时，其余商品的优惠不变：退货后不再满足的门槛不重新计算，也不追回。",
    en="When a part of an order comes back, the reductions of the rest stay: a threshold that is lost is neither "
    "reckoned again nor charged.",
)
_GIFTS = {
    GiftPolicy.KEEP: Words(
        zh="退货时，随单赠品无需退回，也不从退款中扣除。",
        en="Gifts stay with the buyer when their goods come back; nothing is taken off the refund for them.",
    ),
    GiftPolicy.PAY: Words(
        zh="退货时，随单赠品须一并退回；未退回的，按订单所列赠品价格，以退回商品的金额占比从退款中扣除，赠品退回后补退。",
        en="Gifts come back with the goods that earned them. For one that is kept, the price stated in the order is "
        "taken off the refund in proportion to the money of these goods that goes back; it is paid out when the gift "
        "comes back.",
    ),
}
_POINTS = Words(
    zh="用积分支付的部分，按件退回积分。", en="What was paid with points comes back as points, unit by unit."
)


def aftersale_statements(definition: CampaignDefinition, wording: Wording) -> dict[str, Words]:
    """The sentences that a definition gives reason for; each under a name that no version changes."""
    benefits = [promotion.benefit for promotion in definition.promotions]
    found = {}
    if definition.promotions or definition.coupons:
        found["returns_thresholds"] = _THRESHOLDS
    if any(isinstance(benefit, Gift) for benefit in benefits):
        found["returns_gifts"] = _GIFTS[definition.returns.gifts]
    if any(isinstance(benefit, PointsOff) for benefit in benefits):
        found["returns_points"] = _POINTS
    if definition.price_protection:
        promise = protection_words(definition.price_protection, wording)
        in_slots = any(isinstance(each.benefit, FlashPrice) for each in definition.promotions)
        found["price_protection"] = (
            Words(f"{promise.zh}{_NOT_IN_SLOTS.zh}", f"{promise.en} {_NOT_IN_SLOTS.en}") if in_slots else promise
        )
    return found


_NOT_IN_SLOTS = Words(
    zh="秒杀场次的价格不作比较。", en="The flash price of a slot is not a price that is compared with."
)


def protection_words(promise: PriceProtection, wording: Wording) -> Words:
    """The promise of price protection as one sentence."""
    goods = selection_words(promise.goods, wording)
    many = [each for each in (promise.goods.skus, promise.goods.but) if len(each) > NAMED_MAX]
    for skus in many:
        named = join([wording.name(sku) for sku in skus])
        goods = Words(f"{goods.zh}（{named.zh}）", f"{goods.en} ({named.en})")
    days = promise.days
    after = "a day" if days == 1 else f"{days} days"
    return Words(
        zh=f"价格保护：付款后 {days} 天内，若同一买家此时以相同数量购买您保留的商品所付更低，差额原路退回；"
        f"可在订单页申请，系统也会每晚自动核对。售罄或停售的商品无可比价格；已补差价的部分不重复补。{goods.zh}",
        en=f"Price protection: within {after} of the payment, if the goods that you keep would cost you less at that "
        "moment, in the same quantity, the difference goes back the way you paid. Ask for it at the order; it is also "
        "looked after every night. Goods that are sold out or not on sale have no price to compare with, and a "
        f"difference is given once. {goods.en}",
    )


def protected_skus(definition: CampaignDefinition) -> frozenset[str]:
    """The goods that the promise of price protection is about; none without a promise."""
    promise = definition.price_protection
    if promise is None:
        return frozenset()
    return frozenset(
        entry.sku for entry in definition.goods if promise.goods.has(entry.sku, entry.category, entry.brand, entry.shop)
    )
