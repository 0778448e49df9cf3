"""JSON door of points: one's own balance and its story."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import Parameter

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.sale.points.api import Points
from tidegate.sale.points.contracts import Balance, Entry
from tidegate.trust.identity.contracts import AccountId
from tidegate.trust.identity.errors import NotSignedIn

PAGE_SIZE = 50


class MyPoints(msgspec.Struct, frozen=True):
    """A shopper's balance, and one page of what moved it, newest first."""

    balance: Balance
    entries: list[Entry]
    page: int


@get(
    "/api/v1/points",
    summary="My points",
    tags=["points"],
    operation_id="MyPoints",
    security=[{"session": []}],
    responses=refuses(NotSignedIn),
)
async def my_points(
    points: Points,
    db: Database,
    account: AccountId,
    page: Annotated[int, Parameter(ge=1, le=1_000, description="Page number, from 1.")] = 1,
) -> MyPoints:
    """Return the signed-in shopper's points; 50 entries a page."""
    async with db.read() as tx:
        balance = await points.balance(tx, account)
        entries = await points.entries(tx, account, PAGE_SIZE, (page - 1) * PAGE_SIZE)
    return MyPoints(balance, entries, page)


routes = [my_points]
