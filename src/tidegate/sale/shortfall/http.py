"""Doors to shortfalls: staff state one and follow it; a shopper sees what became of an order, and declines to wait."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_200_OK

from tidegate.base.db import Database
from tidegate.base.openapi import key_header, refuses
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.errors import KeyMalformed, KeyReused, OrderEnded, OrderUnknown
from tidegate.sale.shortfall.api import Shortfalls
from tidegate.sale.shortfall.contracts import ActPage, Forecast, Line, StateShortfall, Told
from tidegate.sale.shortfall.errors import (
    MoreThanThere,
    NothingLater,
    NothingMissing,
    ShortfallMalformed,
    ShortfallUnknown,
)
from tidegate.sale.stock.errors import StockUnknown
from tidegate.trust.identity.contracts import AccountId, Permission, Staff
from tidegate.trust.identity.errors import NotPermitted, NotSignedIn, StaffNotSignedIn

_NO_STORE = CacheControlHeader(no_store=True)
_BODY_BYTES_MAX = 4_096
_PAGE_ROWS = 50

Page = Annotated[int, QueryParameter(ge=1, le=2_000, description="Page number, from 1.")]


@post(
    "/api/v1/stock/shortfalls",
    status_code=HTTP_200_OK,
    summary="State a shortfall",
    description="Units of the current campaign are not there. Nothing of them is sold from now on; unpaid orders are "
    "given up, newest first, then paid ones refunded or put off, the latest paid first.",
    tags=["stock"],
    security=[{"staff": []}],
    operation_id="StateShortfall",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(
        StaffNotSignedIn,
        NotPermitted,
        NoCampaign,
        KeyMalformed,
        KeyReused,
        ShortfallMalformed,
        StockUnknown,
        NothingMissing,
        MoreThanThere,
    ),
)
async def state_shortfall(
    data: StateShortfall,
    shortfalls: Shortfalls,
    pricing: Pricing,
    staff: Staff,
    idempotency_key: Annotated[str, key_header("shortfall")],
) -> Told:
    """State it, and return what came of it so far; the worker goes on where payments are waited for."""
    staff.require(Permission.STOCK_ADJUST)
    return await shortfalls.state(idempotency_key, pricing.rules.campaign_id, data, staff.name)


@post(
    "/api/v1/stock/shortfalls/preview",
    status_code=HTTP_200_OK,
    summary="What a shortfall would do",
    description="How many free units, unpaid orders and paid orders it would take now; nothing is changed.",
    tags=["stock"],
    security=[{"staff": []}],
    operation_id="PreviewShortfall",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(
        StaffNotSignedIn, NotPermitted, NoCampaign, ShortfallMalformed, StockUnknown, NothingMissing, MoreThanThere
    ),
)
async def preview_shortfall(
    data: StateShortfall, shortfalls: Shortfalls, pricing: Pricing, db: Database, staff: Staff
) -> Forecast:
    """Return what it would do."""
    staff.require(Permission.STOCK_ADJUST)
    async with db.read() as tx:
        return await shortfalls.forecast(tx, pricing.rules.campaign_id, data)


@get(
    "/api/v1/stock/shortfalls",
    summary="The shortfalls",
    description="What was stated, by whom and why, and what came of it; the latest first.",
    tags=["stock"],
    security=[{"staff": []}],
    operation_id="ListShortfalls",
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def list_shortfalls(shortfalls: Shortfalls, db: Database, staff: Staff, page: Page = 1) -> ActPage:
    """Return a page of them."""
    staff.require(Permission.STOCK_VIEW)
    async with db.read() as tx:
        return await shortfalls.acts(tx, _PAGE_ROWS, (page - 1) * _PAGE_ROWS)


@get(
    "/api/v1/orders/{order_id:uuid}/shortfalls",
    summary="What of an order is not there",
    tags=["orders"],
    operation_id="ListOrderShortfalls",
    cache_control=_NO_STORE,
    responses=refuses(NotSignedIn, OrderUnknown),
)
async def order_shortfalls(
    order_id: UUID, account: AccountId, ordering: Ordering, shortfalls: Shortfalls, db: Database
) -> list[Line]:
    """Return what became of units of the shopper's own order that the shop does not have, oldest first."""
    async with db.read() as tx:
        await ordering.order(tx, order_id, account)
        return await shortfalls.lines_of(tx, order_id)


@post(
    "/api/v1/orders/{order_id:uuid}/shortfalls/{line_id:uuid}/decline",
    status_code=HTTP_200_OK,
    summary="Decline a later delivery",
    tags=["orders"],
    operation_id="DeclineLater",
    cache_control=_NO_STORE,
    responses=refuses(NotSignedIn, OrderUnknown, OrderEnded, ShortfallUnknown, NothingLater),
)
async def decline_later(
    order_id: UUID, line_id: UUID, account: AccountId, shortfalls: Shortfalls, db: Database
) -> Line:
    """Give units back that would come later: what was paid for them goes back. Declined again, nothing more happens."""
    async with db.transaction() as tx:
        return await shortfalls.decline(tx, order_id, account, line_id)


routes = [state_shortfall, preview_shortfall, list_shortfalls, order_shortfalls, decline_later]
