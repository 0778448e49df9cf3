"""What the queue wants to know from rooms above it, which the app wires, and from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.gate.queue.contracts import AnnouncedNumber, Purchases, SupplyLevel
from tidegate.gate.queue.public_number import PublishedNumber


class Supply(Protocol):
    """Who knows the stock, and whose orders are open."""

    async def supply(self, tx: Tx, campaign_id: str, skus: Sequence[str] | None) -> SupplyLevel:
        """Return the sums over these SKUs of a campaign; None means all."""
        ...

    async def purchases(self, tx: Tx, campaign_id: str, since: Mapping[UUID, datetime]) -> Mapping[UUID, Purchases]:
        """Return what each account ordered since its moment; an account that ordered nothing may be missing."""
        ...


class Outlook(Supply, Protocol):
    """The supply, and how much of its usual flow the shop can carry now."""

    def admission_factor(self) -> float:
        """Return 1.0 for all, 0.0 for nothing."""
        ...


class Audiences(Protocol):
    """Who knows for whom a lane is."""

    async def audiences(self, tx: Tx, account_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[str]]:
        """Return the audiences that each account belongs to, in the words of the campaign file."""
        ...


class Means(Protocol):
    """Who knows what accounts share: browsers, and ways to pay. One statement a batch each."""

    async def devices_of(self, tx: Tx, session_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Return the browser that each session was opened on; a session of which none is known is its own."""
        ...

    async def payers_of(self, tx: Tx, account_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Return from which account each of these last paid; who never paid, or whose channel tells nothing, misses."""
        ...


class PublicNumbers(Protocol):
    """An outside source of numbers that nobody knows before their time."""

    async def number(self, wanted: AnnouncedNumber) -> PublishedNumber | None:
        """Return the announced number; None while it cannot be had.

        Raises NumberNotGenuine where the source gave one that the announced key did not sign; for nothing else.
        """
        ...
