"""Doors to payment: pay an order, look at its payment, and take what channels report."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import CALLBACK_PATH, PaymentView, PayOrder
from tidegate.sale.payment.errors import (
    AttemptsExhausted,
    CallbackMalformed,
    CallbackNotSigned,
    ChannelSilent,
    ChannelUnknown,
    IntentNotPayable,
    IntentUnknown,
    NoChannelAvailable,
)
from tidegate.trust.identity.contracts import AccountId
from tidegate.trust.identity.errors import NotSignedIn

_BODY_BYTES_MAX = 16_384
_PRIVATE = CacheControlHeader(no_store=True)

ChannelPath = Annotated[
    str,
    Parameter(
        pattern=r"^[a-z][a-z0-9-]{0,31}$", description="The reporting channel.", schema_extra={"examples": ["harbour"]}
    ),
]
Signature = Annotated[
    str,
    Parameter(
        header="Channel-Signature",
        max_length=256,
        description="`t=SECONDS,n=NONCE,s=HMAC`: HMAC-SHA256 over time, nonce, `callback NAME` and the body.",
    ),
]


@post(
    "/api/v1/orders/{order_id:uuid}/payments",
    summary="Pay an order",
    tags=["payments"],
    operation_id="PayOrder",
    status_code=HTTP_200_OK,
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_PRIVATE,
    responses=refuses(
        NotSignedIn,
        IntentUnknown,
        IntentNotPayable,
        AttemptsExhausted,
        ChannelUnknown,
        NoChannelAvailable,
        ChannelSilent,
    ),
)
async def pay_order(order_id: UUID, account: AccountId, payment: Payment, data: PayOrder | None = None) -> PaymentView:
    """Charge the order once, at the named channel or at the best one that works.

    `captured`: it is paid. `confirming`: a channel was asked and the outcome is not known yet; look again, and do not
    show it as failed. `open` with a `reason`: it was refused and nothing was charged; another try is possible.
    Paying a paid order changes nothing and answers as before.
    """
    return await payment.pay_order(order_id, account, data.channel if data else None)


@get(
    "/api/v1/orders/{order_id:uuid}/payments",
    summary="An order's payment",
    tags=["payments"],
    operation_id="GetPayment",
    cache_control=_PRIVATE,
    responses=refuses(NotSignedIn, IntentUnknown),
)
async def get_payment(order_id: UUID, account: AccountId, payment: Payment, db: Database) -> PaymentView:
    """Return the payment of one of the shopper's own orders, with every attempt and every refund."""
    # On the primary: a shopper who has just paid must see it.
    async with db.transaction() as tx:
        return await payment.view(tx, order_id, account)


@post(
    CALLBACK_PATH + "{channel:str}",
    summary="Report from a payment channel",
    tags=["payments"],
    operation_id="TakePaymentCallback",
    status_code=HTTP_204_NO_CONTENT,
    request_max_body_size=_BODY_BYTES_MAX,
    responses=refuses(ChannelUnknown, CallbackNotSigned, CallbackMalformed),
)
async def take_callback(
    channel: ChannelPath, request: Request[Any, Any, Any], payment: Payment, signature: Signature = ""
) -> None:
    """Record what a channel says about a charge or a refund of ours.

    The signature is checked before the body is read, and messages older than five minutes are refused. The same
    report again, late, or out of order changes nothing. Answer 204 means that it is recorded durably.
    """
    await payment.take_callback(channel, signature, await request.body())


routes = [pay_order, get_payment, take_callback]
