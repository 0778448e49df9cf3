"""What pricing refuses. Nothing is ever counted or charged by a refusal.

Refusal
├── CartFaulty          422  no lines, too many, or a quantity out of range
├── UnknownGoods        404  a SKU that the campaign does not know
├── NotOnOffer          409  known goods without an offer
├── CouponNotValid      422  no coupon has this code
├── CouponNotApplicable 409  nothing in the cart takes coupons
├── ThresholdNotMet     409  what counts, after the reductions before it, is less than the coupon's threshold
├── CouponSavesNothing  409  the order would cost no less with the coupon than without it
├── BuyerLimitReached   409  more units than one buyer may have
├── SharedLimitReached  409  more units than one device, address or payment account may have
├── CouponUsedUp        409  the coupon's uses, in all or of this buyer, are used up
├── PromotionUsedUp     409  a promotion's uses, in all or of this account, or its budget, are used up
└── FlashPriceGone      409  a slot has not so many units left at its flash price, in all or for this account
"""

from typing import ClassVar

from tidegate.base.errors import Refusal


class CartFaulty(Refusal):
    """The cart has no lines, too many lines, or a quantity out of range."""

    code: ClassVar[str] = "cart-faulty"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The cart cannot be priced"


class UnknownGoods(Refusal):
    """The campaign does not know this SKU."""

    code: ClassVar[str] = "unknown-goods"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "Goods not known"


class NotOnOffer(Refusal):
    """The goods are known, but the campaign does not sell them."""

    code: ClassVar[str] = "not-on-offer"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Not on offer"


class CouponNotValid(Refusal):
    """The campaign has no coupon of this code."""

    code: ClassVar[str] = "coupon-not-valid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Coupon not valid"


class CouponNotApplicable(Refusal):
    """None of the goods in the cart takes coupons."""

    code: ClassVar[str] = "coupon-not-applicable"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Coupon not applicable"


class ThresholdNotMet(Refusal):
    """What counts towards the coupon, after the reductions before it, is less than its threshold, by ``missing``."""

    code: ClassVar[str] = "threshold-not-met"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Threshold not met"


class CouponSavesNothing(Refusal):
    """The order would cost no less with the coupon, and bring no more gifts: it would be used up for nothing."""

    code: ClassVar[str] = "coupon-saves-nothing"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The coupon saves nothing"


class BuyerLimitReached(Refusal):
    """More units than one buyer may have, with what the buyer has ordered before."""

    code: ClassVar[str] = "buyer-limit-reached"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Limit reached"


class SharedLimitReached(Refusal):
    """More units than one device, address or payment account may have. Fields: `rule`, `scope`, `limit`."""

    code: ClassVar[str] = "shared-limit-reached"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Limit reached"


class CouponUsedUp(Refusal):
    """No use of this coupon is left, in all or for this buyer."""

    code: ClassVar[str] = "coupon-used-up"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Coupon used up"


class PromotionUsedUp(Refusal):
    """No use of a promotion is left, in all, for this account or in its budget; the next price is without it."""

    code: ClassVar[str] = "promotion-used-up"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Promotion used up"


class FlashPriceGone(Refusal):
    """A slot has not so many units left, in all or for this account; the next price is the offer's.

    Fields: `slot`, and `limit` where it is the account's.
    """

    code: ClassVar[str] = "flash-price-gone"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The flash price is gone"
