"""Hands what was sold down to the price history: ordering knows the deals, the history is in a room below it."""

from tidegate.base.db import Tx
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.campaign.errors import CampaignUnknown
from tidegate.offer.history.api import PriceHistory
from tidegate.offer.history.contracts import Deal
from tidegate.sale.ordering.contracts import OrderPaid


class Deals:
    """Takes each paid order from the outbox exactly once, many at a time, after its hot lane is done with it."""

    def __init__(self, campaign: Campaign, history: PriceHistory) -> None:
        self._campaign = campaign
        self._history = history

    def subscribe(self, outbox: Outbox) -> None:
        """Hear of paid orders."""
        outbox.subscribe("history.deals", {OrderPaid: self.take_paid})

    async def take_paid(self, tx: Tx, paid: list[OrderPaid]) -> None:
        """Record every unit with what was paid for it. Orders paid before shares were told are left out."""
        shops = {campaign_id: await self._shops(tx, campaign_id) for campaign_id in {each.campaign_id for each in paid}}
        await self._history.record_deals(
            tx,
            [
                Deal(
                    sku=sku,
                    shop=shops[order.campaign_id].get(sku, ""),
                    currency=order.currency,
                    price=price,
                    units=units,
                    at=order.paid_at,
                    source=f"campaign:{order.campaign_id}",
                )
                for order in paid
                for sku, units, price in order.shares
            ],
        )

    async def _shops(self, tx: Tx, campaign_id: str) -> dict[str, str]:
        """Who sells each SKU of the campaign, by its last version."""
        current = self._campaign.current()
        try:
            if current is None or current.campaign_id != campaign_id:
                current = await self._campaign.version(tx, CampaignId(campaign_id))
        except CampaignUnknown:
            return {}
        return {entry.sku: entry.shop for entry in current.definition.goods}
