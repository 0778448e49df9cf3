"""Doors to orders: place, look, cancel, give units back. A flood of placing goes through the shortcut in app.api."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import Parameter

from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.base.openapi import key_header, refuses
from tidegate.gate.admission.api import Admission
from tidegate.gate.admission.errors import PassRefused
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.errors import PassSpent
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.coupons.errors import (
    CodeMistyped,
    CodeNeeded,
    CouponExpired,
    CouponFrozen,
    CouponNotClaimed,
    CouponRevoked,
    CouponUnknown,
    CouponUsed,
)
from tidegate.offer.pricing.api import Pricing, RefundPlan
from tidegate.offer.pricing.errors import (
    BuyerLimitReached,
    CartFaulty,
    CouponNotApplicable,
    CouponNotValid,
    CouponUsedUp,
    FlashPriceGone,
    NotOnOffer,
    PromotionUsedUp,
    SharedLimitReached,
    ThresholdNotMet,
    UnknownGoods,
)
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import Order, Placed, PlaceOrder, Refund, RefundUnits
from tidegate.sale.ordering.errors import (
    AddressUnknown,
    KeyMalformed,
    KeyReused,
    OrderDenied,
    OrderEnded,
    OrderUnknown,
    PaymentUnderWay,
    PriceChanged,
    RefundChanged,
    RefundTooLarge,
    SaleNotOpen,
    SlotEnded,
)
from tidegate.sale.points.errors import PointsShort
from tidegate.sale.stock.errors import SoldOut
from tidegate.trust.identity.contracts import AccountId, SessionFacts
from tidegate.trust.identity.errors import NotSignedIn

Key = Annotated[str, key_header("order")]
Page = Annotated[int, Parameter(ge=1, le=1_000, description="Page number, from 1.")]
PAGE_SIZE = 20


class Orders(msgspec.Struct, frozen=True):
    """One page of a shopper's orders, newest first."""

    orders: list[Order]
    page: int


class Cancellation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an order is given up; may be empty."""

    reason: Annotated[str, msgspec.Meta(max_length=200, examples=["ordered twice"])] = ""


@post(
    "/api/v1/orders",
    summary="Place an order",
    tags=["orders"],
    operation_id="PlaceOrder",
    responses=refuses(
        NotSignedIn,
        PassRefused,
        PassSpent,
        NoCampaign,
        KeyMalformed,
        KeyReused,
        SaleNotOpen,
        PriceChanged,
        SlotEnded,
        AddressUnknown,
        OrderDenied,
        SoldOut,
        CartFaulty,
        UnknownGoods,
        NotOnOffer,
        CouponNotValid,
        CouponNotApplicable,
        ThresholdNotMet,
        BuyerLimitReached,
        SharedLimitReached,
        CouponUsedUp,
        CodeNeeded,
        CodeMistyped,
        CouponUnknown,
        CouponNotClaimed,
        CouponFrozen,
        CouponUsed,
        CouponExpired,
        CouponRevoked,
        PromotionUsedUp,
        FlashPriceGone,
        PointsShort,
    ),
)
async def place_order(
    data: PlaceOrder,
    session: SessionFacts,
    ordering: Ordering,
    admission: Admission,
    queue: Queue,
    pricing: Pricing,
    clock: Clock,
    idempotency_key: Key,
    admission_pass: str,
) -> Placed:
    """Take an order durably, or refuse it and change nothing.

    The units are held until `expires_at`. Sold out, over a limit, another price, a closed sale: each is refused with
    its own problem document. Sending the same order again with the same key gives the same answer.
    """
    campaign_id = pricing.rules.campaign_id
    admission.check_pass(admission_pass, session.account_id, campaign_id, clock.now(), device=session.session_id)
    queue.require_inside(session.account_id)
    return await ordering.place(session.account_id, idempotency_key, data, session_id=session.session_id)


@get(
    "/api/v1/orders",
    summary="My orders",
    tags=["orders"],
    operation_id="ListOrders",
    responses=refuses(NotSignedIn),
)
async def list_orders(account: AccountId, ordering: Ordering, db: Database, page: Page = 1) -> Orders:
    """Return a page of the shopper's own orders, newest first, each with its price explained."""
    async with db.read() as tx:
        return Orders(await ordering.orders_of(tx, account, PAGE_SIZE, (page - 1) * PAGE_SIZE), page)


@get(
    "/api/v1/orders/{order_id:uuid}",
    summary="One order",
    tags=["orders"],
    operation_id="ShowOrder",
    responses=refuses(NotSignedIn, OrderUnknown),
)
async def show_order(order_id: UUID, account: AccountId, ordering: Ordering, db: Database) -> Order:
    """Return one of the shopper's own orders as it stands."""
    async with db.read() as tx:
        return await ordering.order(tx, order_id, account)


@post(
    "/api/v1/orders/{order_id:uuid}/cancellation",
    summary="Cancel an order",
    tags=["orders"],
    operation_id="CancelOrder",
    status_code=200,
    responses=refuses(NotSignedIn, OrderUnknown, OrderEnded, PaymentUnderWay),
)
async def cancel_order(
    order_id: UUID, account: AccountId, ordering: Ordering, db: Database, data: Cancellation | None = None
) -> Order:
    """Give an order up. Unpaid: its units are free at once. Paid: all that is left of it is refunded."""
    async with db.transaction() as tx:
        return await ordering.cancel(tx, order_id, account, data.reason if data else "")


@post(
    "/api/v1/orders/{order_id:uuid}/refunds",
    summary="Give units back",
    tags=["orders"],
    operation_id="RefundUnits",
    responses=refuses(NotSignedIn, OrderUnknown, OrderEnded, RefundTooLarge, RefundChanged, KeyReused),
)
async def refund_units(
    order_id: UUID,
    data: RefundUnits,
    account: AccountId,
    ordering: Ordering,
    db: Database,
    idempotency_key: Annotated[str, key_header("refund")],
) -> Refund:
    """Give back units of a paid order: what was paid for them, fixed at purchase, goes back through the channel.

    Asking again with the same key gives the same refund.
    """
    async with db.transaction() as tx:
        return await ordering.refund(
            tx, order_id, account, data.lines, data.reason, expected=data.expected_amount, key=idempotency_key
        )


@post(
    "/api/v1/orders/{order_id:uuid}/refunds/preview",
    summary="What units would bring back",
    tags=["orders"],
    operation_id="PreviewRefund",
    status_code=200,
    responses=refuses(NotSignedIn, OrderUnknown, OrderEnded, RefundTooLarge),
)
async def preview_refund(
    order_id: UUID, data: RefundUnits, account: AccountId, ordering: Ordering, db: Database
) -> RefundPlan:
    """Return what giving these units back would bring now, in minor units and points; nothing is changed."""
    async with db.read() as tx:
        return await ordering.plan_refund(tx, order_id, account, data.lines)


@get(
    "/api/v1/orders/{order_id:uuid}/refunds",
    summary="Refunds of an order",
    tags=["orders"],
    operation_id="ListRefunds",
    responses=refuses(NotSignedIn, OrderUnknown),
)
async def list_refunds(order_id: UUID, account: AccountId, ordering: Ordering, db: Database) -> list[Refund]:
    """Return the refunds of one of the shopper's own orders, oldest first."""
    async with db.read() as tx:
        await ordering.order(tx, order_id, account)
        refunds = await ordering.refunds_of(tx, order_id)
    # Who of the staff acted is not the buyer's business.
    return [msgspec.structs.replace(refund, asked_by="") for refund in refunds]


routes = [place_order, list_orders, show_order, cancel_order, refund_units, preview_refund, list_refunds]
