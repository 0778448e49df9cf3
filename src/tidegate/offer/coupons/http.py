"""JSON doors of coupons: claim one, and see one's own."""

import msgspec
from litestar import get, post

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.coupons.contracts import ClaimCoupon, Kept
from tidegate.offer.coupons.errors import (
    AudienceNotMet,
    ClaimLimitReached,
    ClaimsNotOpen,
    ClaimsUsedUp,
    CodeMistyped,
    CouponExpired,
    CouponFrozen,
    CouponRevoked,
    CouponUnknown,
    CouponUsed,
    TemplateUnknown,
)
from tidegate.trust.identity.contracts import AccountId
from tidegate.trust.identity.errors import NotSignedIn


class MyCoupons(msgspec.Struct, frozen=True):
    """A shopper's coupons, those claimed last first."""

    coupons: list[Kept]


@post(
    "/api/v1/coupons/claims",
    summary="Claim a coupon",
    description=(
        "Claims a coupon for the signed-in shopper: by the name of one that the shop offers, or by a code that was "
        "handed out. Exact under any race: nobody gets more than the limit, and no more are given than there are. "
        "The answer's code is what an order shows as its coupon."
    ),
    tags=["coupons"],
    security=[{"session": []}],
    responses=refuses(
        NotSignedIn,
        TemplateUnknown,
        ClaimsNotOpen,
        AudienceNotMet,
        ClaimLimitReached,
        ClaimsUsedUp,
        CodeMistyped,
        CouponUnknown,
        CouponFrozen,
        CouponUsed,
        CouponExpired,
        CouponRevoked,
        NoCampaign,
    ),
)
async def claim(data: ClaimCoupon, coupons: Coupons, account: AccountId) -> Kept:
    """Return the claimed coupon. Raises what `Coupons.take` raises."""
    return await coupons.take(account, data.coupon)


@get(
    "/api/v1/coupons",
    summary="My coupons",
    tags=["coupons"],
    security=[{"session": []}],
    responses=refuses(NotSignedIn),
)
async def my_coupons(coupons: Coupons, db: Database, account: AccountId) -> MyCoupons:
    """Return the signed-in shopper's coupons, usable or not; 200 at most."""
    async with db.read() as tx:
        return MyCoupons(await coupons.kept_by(tx, account))


routes = [claim, my_coupons]
