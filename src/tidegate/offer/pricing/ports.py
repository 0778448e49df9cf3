"""What pricing must learn from above: who a shopper is, and which gifts are gone. The application wires it."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.offer.pricing.contracts import Shopper


class Shoppers(Protocol):
    """Who knows the shoppers."""

    async def shopper(self, account_id: UUID) -> Shopper:
        """Return who this account is at this moment. Raises Overloaded and DatabaseUnavailable."""
        ...


class GiftStock(Protocol):
    """Who knows what is left of the gifts."""

    async def gone(self, tx: Tx, campaign_id: str, skus: Collection[str]) -> frozenset[str]:
        """Return those of the SKUs of which no unit is free."""
        ...
