"""My points: the balance, what is with orders, and every movement with its reason."""

from typing import Annotated

from litestar import Response, get
from litestar.params import Parameter

from tidegate.app.storefront.offers import Offers
from tidegate.app.storefront.visit import Visit
from tidegate.base.db import Database
from tidegate.sale.points.api import Points

ENTRIES_SHOWN = 30


@get("/points", include_in_schema=False)
async def my_points(
    visit: Visit, offers: Offers, points: Points, db: Database, page: Annotated[int, Parameter(ge=1, le=500)] = 1
) -> Response[bytes]:
    """My points, what moved them newest first, and what this festival says of points."""
    async with db.read() as tx:
        balance = await points.balance(tx, visit.account)
        found = await points.entries(tx, visit.account, ENTRIES_SHOWN + 1, (page - 1) * ENTRIES_SHOWN)
    definition = visit.version.definition if visit.version else None
    return visit.personal(
        "points",
        balance=balance,
        entries=found[:ENTRIES_SHOWN],
        more=len(found) > ENTRIES_SHOWN,
        page=page,
        earning=definition.earning if definition else None,
        spends=offers.take_points,
    )


routes = [my_points]
