"""The words of the steps of a price, in both languages."""

from tidegate.offer.campaign.contracts import OfferKind, Words

LIST_PRICE = Words(zh="商品原价合计", en="Goods at list price")
OFFER_WORDS = {
    OfferKind.FLASH: Words(zh="秒杀价", en="Flash price"),
    OfferKind.DISCOUNT: Words(zh="活动价", en="Festival price"),
}
FREE_SHIPPING = Words(zh="免运费", en="Free shipping")
SHIPPING = Words(zh="运费", en="Shipping")
MEMBER_PRICE = Words(zh="会员价", en="Member price")
POINTS = Words(zh="积分抵扣", en="Points")
