"""What the queue wants to know from rooms above it; the app wires it."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from tidegate.base.db import Tx


class SupplyLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Units that can still be promised, and units held by orders that are not paid yet."""

    sellable: int
    held: int


class Supply(Protocol):
    """Who knows the stock, and whose orders are open."""

    async def supply(self, tx: Tx, campaign_id: str, skus: Sequence[str] | None) -> SupplyLevel:
        """Return the sums over these SKUs of a campaign; None means all."""
        ...

    async def with_open_holds(self, tx: Tx, campaign_id: str, accounts: Sequence[UUID]) -> set[UUID]:
        """Return those of the accounts that have an order which waits for its payment."""
        ...


class LoadSignal(Protocol):
    """How much of its usual flow the shop can carry now."""

    def admission_factor(self) -> float:
        """Return 1.0 for all, 0.0 for nothing."""
        ...


class Audiences(Protocol):
    """Who belongs to which audience of a campaign file."""

    async def audiences(self, tx: Tx, accounts: Sequence[UUID]) -> Mapping[UUID, frozenset[str]]:
        """Return the audiences of each account; one that is missing belongs to everyone only."""
        ...


class FullFlow:
    """The load signal while none is connected: everything can be carried."""

    def admission_factor(self) -> float:
        """Return 1.0."""
        return 1.0


class EveryoneAlike:
    """The audiences while nobody tells members from others."""

    async def audiences(self, tx: Tx, accounts: Sequence[UUID]) -> Mapping[UUID, frozenset[str]]:
        """Return nothing: all belong to everyone only."""
        del tx, accounts
        return {}
