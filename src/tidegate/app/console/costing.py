"""What a draft's promotions would cost on the orders that this shop has had already."""

import asyncio

from tidegate.base.db import Database
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.sale.ordering.api import Ordering
from tidegate.watch.rehearsal.api import CostReport, Purchase, cost_of

PAST_ORDERS = 1_000
"""So many of the latest paid orders: about a second of one core for a campaign with a dozen coupons."""


async def past_cost(db: Database, ordering: Ordering, definition: CampaignDefinition) -> CostReport | None:
    """Price the latest paid orders by a definition, in a thread; None while nobody has paid for anything."""
    async with db.read() as tx:
        past = await ordering.past_orders(tx, PAST_ORDERS)
    if not past:
        return None
    purchases = [Purchase(each.buyer_id.hex, each.placed_at, each.units) for each in past]
    return await asyncio.to_thread(cost_of, definition, purchases)
