"""Polling what is left. A flood of these is answered by the shortcut in app.api; this is the same, documented."""

from typing import Annotated

from litestar import Response, get
from litestar.params import Parameter

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.sale.stock.board import StockAnswer, StockBoard

SKUS_LENGTH_MAX = 4_000
POLL_CACHE = "public, max-age=1, s-maxage=1"

Skus = Annotated[
    str,
    Parameter(
        min_length=1,
        max_length=SKUS_LENGTH_MAX,
        description="SKUs separated by commas; those that are not on sale are missing in the answer.",
        schema_extra={"examples": ["TG-0001,TG-0002"]},
    ),
]


@get(
    "/api/v1/stock",
    summary="What is left",
    tags=["stock"],
    operation_id="PollStock",
    responses=refuses(),
)
async def poll_stock(skus: Skus, board: StockBoard, db: Database) -> Response[StockAnswer]:
    """Return the units left of each SKU, at most half a second old. Everyone may ask."""
    body = await board.answer(db, skus)
    return Response(body, media_type="application/json", headers={"Cache-Control": POLL_CACHE})  # type: ignore[arg-type]


routes = [poll_stock]
