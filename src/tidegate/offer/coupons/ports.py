"""What coupons must learn from above: who is new, who comes back, who is a member. The application wires it."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import Audience


class Acquaintance(Protocol):
    """Who knows the shoppers."""

    async def audiences(self, tx: Tx, account_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[Audience]]:
        """Return the audiences that each account belongs to."""
        ...
