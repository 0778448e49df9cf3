"""What coupons must learn from above: who is a new customer and who comes back. The application wires it."""

from typing import Protocol
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import Audience


class Acquaintance(Protocol):
    """Who knows the shoppers."""

    async def audiences(self, tx: Tx, account_id: UUID) -> frozenset[Audience]:
        """Return the audiences that this account belongs to."""
        ...
