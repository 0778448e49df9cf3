"""JSON door of pricing: what a cart would cost, with every step explained. Nothing is reserved or counted."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.pricing.api import Pricing, SlotView
from tidegate.offer.pricing.contracts import (
    LINES_MAX,
    POINTS_MAX,
    QUANTITY_MAX,
    Cart,
    CartLine,
    GivenGift,
    Hint,
    NotApplied,
    PricedLine,
    PriceStep,
    Reduction,
)
from tidegate.offer.pricing.errors import (
    BuyerLimitReached,
    CartFaulty,
    CouponNotApplicable,
    CouponNotValid,
    CouponSavesNothing,
    CouponUsedUp,
    NotOnOffer,
    ThresholdNotMet,
    UnknownGoods,
)
from tidegate.trust.identity.contracts import AccountId

_BODY_BYTES_MAX = 65_536
SLOTS_CACHE = "public, max-age=1, s-maxage=1"

SlotSkus = Annotated[
    str,
    Parameter(
        min_length=1,
        max_length=4_000,
        description="SKUs separated by commas; those without a flash price in slots are missing in the answer.",
        schema_extra={"examples": ["TG-0001,TG-0002"]},
    ),
]


class SlotAnswer(msgspec.Struct, frozen=True):
    """The slots asked for as they stand at `now`, by product and time. Money in minor units."""

    now: datetime
    slots: tuple[SlotView, ...]


class QuoteLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many units of one SKU."""

    sku: Annotated[str, Meta(min_length=1, max_length=64, examples=["KTL-1001"])]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX, examples=[2])]


class AskForQuote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cart, with at most one coupon code."""

    lines: Annotated[list[QuoteLine], Meta(min_length=1, max_length=LINES_MAX)]
    coupon: Annotated[str, Meta(min_length=1, max_length=32, examples=["TIDE50"])] | None = None
    points: Annotated[int, Meta(ge=0, le=POINTS_MAX, description="Spend at most so many points.")] = 0
    explain: Annotated[
        bool,
        Meta(
            description="Also say what does not apply, why, and what a little more would bring; to who is signed in by"
            " what he has used of limits of his own."
        ),
    ] = False


class Quote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A priced cart. Amounts are in minor units of `currency`; the amounts of the steps add up to `total`.

    `trace_hash` is the SHA-256 of everything that made the price: an order placed now under the same rules has the
    same one.
    """

    lines: tuple[PricedLine, ...]
    steps: tuple[PriceStep, ...]
    goods_total: int
    discount_total: int
    shipping: int
    total: int
    currency: str
    campaign_id: CampaignId
    rules_version: int
    trace_hash: str
    reductions: tuple[Reduction, ...] = ()
    gifts: tuple[GivenGift, ...] = ()
    not_applied: tuple[NotApplied, ...] = ()
    hints: tuple[Hint, ...] = ()
    points_used: int = 0
    points_earned: int = 0


@post(
    "/api/v1/quotes",
    status_code=HTTP_200_OK,
    summary="Price a cart",
    description=(
        "The price of a cart by the current rules, step by step: list price, offers, coupon, shipping. Pure reckoning: "
        "nothing is reserved, and stock and what the buyer ordered before are looked at when the order is placed."
    ),
    tags=["pricing"],
    request_max_body_size=_BODY_BYTES_MAX,
    responses=refuses(
        NoCampaign,
        CartFaulty,
        UnknownGoods,
        NotOnOffer,
        CouponNotValid,
        CouponNotApplicable,
        ThresholdNotMet,
        CouponSavesNothing,
        CouponUsedUp,
        BuyerLimitReached,
    ),
)
async def ask_for_quote(
    data: AskForQuote, pricing: Pricing, maybe_account: AccountId | None, clock: Clock, db: Database
) -> Quote:
    """Return the priced cart. Raises what `rules.price_order` raises, and NoCampaign."""
    rules = pricing.rules
    cart = Cart(lines=tuple(CartLine(line.sku, line.quantity) for line in data.lines), coupon=data.coupon)
    facts = await pricing.facts_of(cart, maybe_account, clock.now(), points=data.points)
    if data.explain and maybe_account is not None:
        async with db.read() as tx:
            facts = await pricing.own_facts(tx, cart, facts)
    trace = pricing.explain(cart, facts) if data.explain else None
    order = trace.order if trace else pricing.price(cart, facts)
    return Quote(
        lines=order.lines,
        steps=order.steps,
        goods_total=order.goods_total,
        discount_total=order.discount_total,
        shipping=order.shipping,
        total=order.total,
        currency=order.currency,
        campaign_id=rules.campaign_id,
        rules_version=order.rules_version,
        trace_hash=order.trace_hash,
        reductions=order.reductions,
        gifts=order.gifts,
        not_applied=trace.not_applied if trace else (),
        hints=trace.hints if trace else (),
        points_used=order.points_used,
        points_earned=order.points_earned,
    )


@get(
    "/api/v1/slots",
    summary="The timetable of flash prices",
    description=(
        "The slots of these products' flash prices: when each begins and ends, what it costs, and how many units are "
        "left. What is left is at most two seconds old; an order is judged by what is left when it is taken."
    ),
    tags=["pricing"],
    operation_id="PollSlots",
    responses=refuses(NoCampaign),
)
async def poll_slots(skus: SlotSkus, pricing: Pricing, clock: Clock) -> Response[SlotAnswer]:
    """Return the slots of each SKU that has any. Raises NoCampaign. Everyone may ask."""
    asked = dict.fromkeys(sku.strip() for sku in skus.split(","))
    now = clock.now()
    slots = tuple(slot for sku in asked for slot in pricing.timetable(sku, now))
    return Response(SlotAnswer(now, slots), headers={"Cache-Control": SLOTS_CACHE})


routes = [ask_for_quote, poll_slots]
