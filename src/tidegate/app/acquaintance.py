"""Who the shoppers are to the shop, as their orders tell: what coupons for new or returning customers ask."""

from uuid import UUID

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import Audience
from tidegate.sale.ordering.api import Ordering


class OrderHistory:
    """Fulfils coupons' Acquaintance: a customer who ever paid for an order is returning, any other is new."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering

    async def audiences(self, tx: Tx, account_id: UUID) -> frozenset[Audience]:
        """Return the audiences that this account belongs to."""
        known = await self._ordering.has_paid(tx, account_id)
        return frozenset({Audience.EVERYONE, Audience.RETURNING if known else Audience.NEW})
