"""Flash prices in slots for staff: each slot with the units sold in it at its price, and what is left."""

from litestar import Response, get

from tidegate.app.console.frame import Desk, PageRequest
from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.pricing.api import Pricing, SlotSold
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires


@get("/console/slots", include_in_schema=False, dependencies={"staff": requires(Permission.ORDERS_VIEW)})
async def slots_page(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    campaign: Campaign,
    pricing: Pricing,
    catalogue: Catalogue,
    clock: Clock,
) -> Response[bytes]:
    """Show every slot of the current campaign, product by product, as the database has it."""
    current = campaign.current()
    async with db.read() as tx:
        sold = await pricing.slots_sold(tx, clock.now()) if current else []
        goods = await catalogue.goods_of(tx, sorted({each.view.sku for each in sold}))
    by_sku: dict[str, list[SlotSold]] = {}
    for each in sold:
        by_sku.setdefault(each.view.sku, []).append(each)
    currency = current.definition.currency if current else "CNY"
    return await desk.show(request, staff, "slots", "slots.html", slots=by_sku, goods=goods, currency=currency)
