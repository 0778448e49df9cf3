"""The risk station of the hot lane: where a risk engine will stand, told plain facts about a whole batch at once.

No engine is built yet, so every order is allowed; the lane already asks, and already knows what to do with a no.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec


class Verdict(StrEnum):
    """What the station decides on an order before it is taken."""

    ALLOW = "allow"
    DENY = "deny"


class OrderFacts(msgspec.Struct, frozen=True):
    """What is known about an order that is asked for."""

    buyer_id: UUID
    address_id: UUID
    total: int
    units: int
    asked_at: datetime


class RiskStation(Protocol):
    """Judges a batch of orders in one call; the answers stand in the order of the facts."""

    async def judge(self, facts: Sequence[OrderFacts]) -> Sequence[Verdict]:
        """Return one verdict for each of `facts`."""
        ...


class AllowAll:
    """The station while no risk engine is connected."""

    async def judge(self, facts: Sequence[OrderFacts]) -> Sequence[Verdict]:
        """Allow every order."""
        return [Verdict.ALLOW] * len(facts)
