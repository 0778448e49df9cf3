"""Hands what was sold down to the price history: ordering knows the deals, the history is in a room below it."""

from datetime import datetime
from typing import NamedTuple

from tidegate.base.db import Tx
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.campaign.errors import CampaignUnknown
from tidegate.offer.history.api import PriceHistory
from tidegate.offer.history.contracts import Deal
from tidegate.sale.groups.api import Groups
from tidegate.sale.groups.contracts import GroupFilled
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import OrderPaid


class Sold(NamedTuple):
    """What was sold at one moment: (SKU, units, what each of them was paid with)."""

    campaign_id: str
    currency: str
    shares: tuple[tuple[str, int, int], ...]
    at: datetime


class Deals:
    """Takes each paid order from the outbox exactly once, many at a time, after its hot lane is done with it.

    The price of a group is agreed on the condition that the group fills: its orders are deals from then on. Those of a
    group that fails are refunded, and nothing was ever sold at their price.
    """

    def __init__(self, campaign: Campaign, history: PriceHistory, ordering: Ordering, groups: Groups) -> None:
        self._campaign = campaign
        self._history = history
        self._ordering = ordering
        self._groups = groups

    def subscribe(self, outbox: Outbox) -> None:
        """Hear of paid orders, and of groups that fill."""
        outbox.subscribe("history.deals", {OrderPaid: self.take_paid, GroupFilled: self.take_filled})

    async def take_paid(self, tx: Tx, paid: list[OrderPaid]) -> None:
        """Record every unit with what was paid for it, but for orders of groups.

        Orders paid before shares were told are left out.
        """
        grouped = await self._groups.placed_in_groups(tx, paid)
        await self._record(
            tx,
            [
                Sold(order.campaign_id, order.currency, order.shares, order.paid_at)
                for order in paid
                if order.order_id not in grouped
            ],
        )

    async def take_filled(self, tx: Tx, filled: list[GroupFilled]) -> None:
        """Record the units of the orders of filled groups, at the moment at which each group filled."""
        sold = []
        for group in filled:
            for order_id in group.order_ids:
                order = await self._ordering.order(tx, order_id)
                shares = tuple(
                    (line.sku, each.units, each.paid) for line in order.priced.lines for each in line.bought()
                )
                sold.append(Sold(group.campaign_id, order.priced.currency, shares, group.filled_at))
        await self._record(tx, sold)

    async def _record(self, tx: Tx, sold: list[Sold]) -> None:
        shops = {campaign_id: await self._shops(tx, campaign_id) for campaign_id in {each.campaign_id for each in sold}}
        await self._history.record_deals(
            tx,
            [
                Deal(
                    sku=sku,
                    shop=shops[each.campaign_id].get(sku, ""),
                    currency=each.currency,
                    price=price,
                    units=units,
                    at=each.at,
                    source=f"campaign:{each.campaign_id}",
                )
                for each in sold
                for sku, units, price in each.shares
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
