"""The words of the steps of a price, in both languages."""

from tidegate.offer.campaign.contracts import OfferKind, Words
from tidegate.offer.pricing.contracts import Shortfall

LIST_PRICE = Words(zh="商品原价合计", en="Goods at list price")
OFFER_WORDS = {
    OfferKind.FLASH: Words(zh="秒杀价", en="Flash price"),
    OfferKind.DISCOUNT: Words(zh="活动价", en="Festival price"),
}
GROUP_PRICE = Words(zh="拼团价", en="Group price")
FREE_SHIPPING = Words(zh="免运费", en="Free shipping")
SHIPPING = Words(zh="运费", en="Shipping")
MEMBER_PRICE = Words(zh="会员价", en="Member price")
POINTS = Words(zh="积分抵扣", en="Points")
REFUND_POLICY = Words(
    zh=(
        "每件商品按下单时分摊的实付金额退款，与退货的先后和次数无关；退货后不再满足优惠门槛的，已享优惠不追回。"
        "赠品随对应商品按比例退回，不退回的，按下单前公示的价格从退款中扣除。"
        "积分支付的部分退回积分。运费随最后一件商品退回。"
    ),
    en=(
        "Each unit is refunded with what was paid for it when it was ordered, in whatever order units come back; "
        "a threshold that is lost afterwards takes nothing back. A gift comes back in proportion to the goods that "
        "earned it, or the price stated for it before the purchase is kept from the refund. What points paid comes "
        "back as points. Shipping goes back with the last unit."
    ),
)
"""What `refunding` does, for the published rules."""

SHORTFALLS = {
    Shortfall.NOT_YET: Words(zh="尚未开始", en="It has not begun yet"),
    Shortfall.OVER: Words(zh="已结束", en="It is over"),
    Shortfall.AUDIENCE: Words(zh="不适用于您的顾客类别", en="It is for other shoppers"),
    Shortfall.TIER: Words(zh="仅限指定会员等级", en="It is for members of another tier"),
    Shortfall.SEGMENT: Words(zh="仅限受邀顾客", en="It is for invited shoppers"),
    Shortfall.COUPON: Words(zh="需使用优惠券", en="It needs its coupon"),
    Shortfall.FACT_MISSING: Words(zh="缺少判断所需的信息", en="What it depends on is not known"),
    Shortfall.CONDITION: Words(zh="不满足活动条件", en="Its condition does not hold"),
    Shortfall.THRESHOLD: Words(zh="未达到门槛", en="Its threshold is not reached"),
    Shortfall.LIMITED: Words(
        zh="已达限购数量，无法再凑到门槛", en="Its threshold cannot be reached: no more of its goods may be bought"
    ),
    Shortfall.EXHAUSTED: Words(zh="名额或预算已用完", en="Its uses or its budget are used up"),
    Shortfall.GIFT_OUT: Words(zh="赠品已送完", en="The gift is out of stock"),
    Shortfall.FLOOR: Words(zh="商品已是最低价", en="The goods are at their lowest price already"),
    Shortfall.NO_POINTS: Words(zh="未使用积分", en="No points are spent"),
    Shortfall.LOWER_PRICE: Words(zh="已有更低的价格", en="A lower price stands already"),
    Shortfall.OWN_PRICE: Words(
        zh="不与该商品的秒杀价或会员价同享", en="It does not go together with the price that the goods have already"
    ),
    Shortfall.BETTER: Words(
        zh="不能同享，已为您选择更优惠的组合", en="It cannot be combined; a better combination was chosen"
    ),
}
