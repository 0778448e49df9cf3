"""What the waiting room learns from other rooms and from all processes: stock, purchases, load, what accounts share."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tidegate.base.cache import Cache
from tidegate.base.db import Tx
from tidegate.base.load import least_admitting
from tidegate.gate.queue.contracts import Purchases, SupplyLevel
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.payment.api import Payment
from tidegate.sale.stock.api import Stock
from tidegate.trust.identity.api import Identity


class Means:
    """Fulfils the queue's `Means`: identity knows browsers, payment who paid."""

    def __init__(self, identity: Identity, payment: Payment) -> None:
        self._identity = identity
        self._payment = payment

    async def devices_of(self, tx: Tx, session_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Return the browser that each session was opened on."""
        return await self._identity.devices_of(tx, session_ids)

    async def payers_of(self, tx: Tx, account_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Return from which account each of these last paid."""
        return await self._payment.payers_of(tx, account_ids)


class Outlook:
    """Fulfils the queue's `Supply` and `LoadSignal`."""

    def __init__(self, cache: Cache, stock: Stock, ordering: Ordering) -> None:
        self._cache = cache
        self._stock = stock
        self._ordering = ordering
        self._factor = 1.0

    async def supply(self, tx: Tx, campaign_id: str, skus: Sequence[str] | None) -> SupplyLevel:
        """Return what can still be promised, and what open orders hold."""
        sellable, held = await self._stock.totals(tx, campaign_id, skus)
        return SupplyLevel(sellable=sellable, held=held)

    async def purchases(self, tx: Tx, campaign_id: str, since: Mapping[UUID, datetime]) -> Mapping[UUID, Purchases]:
        """Return what each account ordered since its moment."""
        found = await self._ordering.orders_since(tx, campaign_id, since)
        return {buyer: Purchases(placed=placed, awaiting=awaiting) for buyer, (placed, awaiting) in found.items()}

    def admission_factor(self) -> float:
        """Return how much the process that is worst off lets in, as last heard."""
        return self._factor

    async def refresh(self) -> None:
        """Ask how much every process lets in."""
        self._factor = await least_admitting(self._cache)
