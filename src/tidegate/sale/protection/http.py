"""Doors to price protection: look at an order, and ask for the difference."""

from uuid import UUID

import msgspec
from litestar import get, post

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.sale.ordering.errors import OrderEnded, OrderUnknown
from tidegate.sale.protection.api import Protection
from tidegate.sale.protection.contracts import Grant, Look
from tidegate.sale.protection.errors import (
    DifferenceGiven,
    NothingCheaper,
    NothingToCompare,
    ProtectionNotPromised,
    ProtectionOver,
)
from tidegate.trust.identity.contracts import AccountId
from tidegate.trust.identity.errors import NotSignedIn


class ProtectedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What price protection would give back now, and what it has given."""

    now: Look
    grants: list[Grant]


@get(
    "/api/v1/orders/{order_id:uuid}/price-protection",
    summary="Price protection of an order",
    tags=["orders"],
    operation_id="ShowPriceProtection",
    responses=refuses(NotSignedIn, OrderUnknown, OrderEnded),
)
async def show_protection(order_id: UUID, account: AccountId, protection: Protection, db: Database) -> ProtectedOrder:
    """Compare what the goods that are kept had cost with their price today, and list what was given back before."""
    async with db.read() as tx:
        look = await protection.look(tx, order_id, account)
        return ProtectedOrder(now=look, grants=await protection.grants_of(tx, order_id))


@post(
    "/api/v1/orders/{order_id:uuid}/price-protection",
    summary="Ask for the difference",
    tags=["orders"],
    operation_id="ClaimPriceProtection",
    responses=refuses(
        NotSignedIn,
        OrderUnknown,
        OrderEnded,
        ProtectionNotPromised,
        ProtectionOver,
        NothingToCompare,
        DifferenceGiven,
        NothingCheaper,
    ),
)
async def claim_difference(order_id: UUID, account: AccountId, protection: Protection, db: Database) -> Grant:
    """Give back what the goods that are kept became cheaper by; it goes back the way it was paid, once."""
    async with db.transaction() as tx:
        return await protection.claim(tx, order_id, account)


routes = [show_protection, claim_difference]
