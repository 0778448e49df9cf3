"""What can be done with price protection: look, ask for the difference, and give back what is due once a night."""

import logging
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.invariant import Check
from tidegate.offer.campaign.api import Campaign, protected_skus
from tidegate.offer.campaign.contracts import PROTECTION_DAYS_MAX, CampaignId, CampaignVersion
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.pricing.api import Pricing
from tidegate.offer.pricing.contracts import Facts, PricedOrder
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import Kept, PaidOrder, Refund
from tidegate.sale.protection import store
from tidegate.sale.protection.contracts import AskedBy, Grant, GrantPage, Look
from tidegate.sale.protection.rules import (
    lines_of,
    look_of,
    lowered_of,
    protected_until,
    refusal_of,
)
from tidegate.sale.stock.api import Stock

log = logging.getLogger(__name__)

REASON = "price protection"
_SWEEP_ROWS = 200
_VERSIONS_KEPT = 64


class Protection:
    """Gives back what goods became cheaper by."""

    def __init__(
        self, db: Database, clock: Clock, campaign: Campaign, pricing: Pricing, stock: Stock, ordering: Ordering
    ) -> None:
        self._db = db
        self._clock = clock
        self._campaign = campaign
        self._pricing = pricing
        self._stock = stock
        self._ordering = ordering
        self._promises: dict[tuple[str, int], tuple[CampaignVersion, frozenset[str]]] = {}

    async def look(self, tx: Tx, order_id: UUID, buyer_id: UUID | None = None) -> Look:
        """Return what an order would get back now, line by line, in minor units; nothing is changed.

        With `buyer_id` only that buyer's. Raises OrderUnknown, OrderEnded where it is not paid.
        """
        kept = await self._ordering.kept(tx, order_id, buyer_id, lock=False)
        return (await self._look(tx, kept))[0]

    async def claim(
        self,
        tx: Tx,
        order_id: UUID,
        buyer_id: UUID | None = None,
        *,
        by: AskedBy = AskedBy.BUYER,
        staff: str = "",
    ) -> Grant:
        """Give back what the kept goods of an order became cheaper by; the units stay sold. `staff` names who acted.

        Raises OrderUnknown, OrderEnded, ProtectionNotPromised, ProtectionOver, NothingToCompare, DifferenceGiven and
        NothingCheaper.
        """
        kept = await self._ordering.kept(tx, order_id, buyer_id)
        look, today = await self._look(tx, kept)
        refusal = refusal_of(look)
        if refusal is not None or today is None:
            raise refusal or AssertionError
        refund = await self._ordering.lower(tx, kept, lowered_of(look), REASON, by=staff)
        grant = self._grant(kept, look, today, refund, by)
        await store.insert(tx, grant)
        return grant

    def _grant(self, kept: Kept, look: Look, today: PricedOrder, refund: Refund, by: AskedBy) -> Grant:
        return Grant(
            grant_id=refund.refund_id,
            order_id=refund.order_id,
            buyer_id=kept.order.buyer_id,
            asked_by=by,
            amount=refund.amount,
            currency=kept.order.currency,
            lines=look.lines,
            then_version=kept.order.priced.rules_version,
            then_hash=kept.order.priced.trace_hash,
            today_campaign=self._pricing.rules.campaign_id,
            today_version=today.rules_version,
            today=today,
            granted_at=refund.requested_at,
        )

    async def _look(self, tx: Tx, kept: Kept) -> tuple[Look, PricedOrder | None]:
        order, now = kept.order, self._clock.now()
        version, promised = await self._promise(tx, order.campaign_id, order.priced.rules_version)
        promise = version.definition.price_protection
        until = protected_until(promise, order.paid_at) if promise and order.paid_at else None
        is_open = until is not None and now < until
        today = await self._today(tx, kept) if is_open else None
        return look_of(kept, until, lines_of(kept, promised, today), now), today

    async def _promise(self, tx: Tx, campaign_id: str, number: int) -> tuple[CampaignVersion, frozenset[str]]:
        """Return the version that priced an order with the goods that its promise is about."""
        key = campaign_id, number
        if key not in self._promises:
            version = await self._campaign.version(tx, CampaignId(campaign_id), number)
            if len(self._promises) >= _VERSIONS_KEPT:
                self._promises.clear()
            self._promises[key] = version, protected_skus(version.definition)
        return self._promises[key]

    async def _today(self, tx: Tx, kept: Kept) -> PricedOrder | None:
        """Return the price that this buyer can reach now for what is kept; None while nothing of it is on sale."""
        try:
            rules = self._pricing.rules
        except NoCampaign:
            return None
        now = self._clock.now()
        if not rules.opens_at <= now < rules.closes_at or rules.currency != kept.order.currency:
            return None
        units = {line.sku: line.quantity - line.gifts - kept.back.get(line.sku, 0) for line in kept.priced.lines}
        levels = await self._stock.levels(tx, rules.campaign_id, list(units))
        gone = frozenset(sku for sku, count in units.items() if sku not in levels or levels[sku].free < count)
        facts = Facts(buyer=kept.order.buyer_id, now=now)
        return self._pricing.today(kept.priced, kept.order.coupon, kept.back, facts, without=gone)

    async def grants_of(self, tx: Tx, order_id: UUID) -> list[Grant]:
        """Return an order's grants, oldest first."""
        return await store.of_order(tx, order_id)

    async def grants(self, tx: Tx, limit: int, offset: int = 0) -> GrantPage:
        """Return a page of all grants, latest first."""
        return await store.page(tx, limit, offset)

    async def sweep(self) -> int:
        """Give back every difference that is due, to buyers who did not ask; return to how many orders.

        Each in a transaction of its own, so that it can end at any moment and begin again. The worker calls it nightly.
        """
        given, after = 0, None
        while True:
            async with self._db.read() as tx:
                orders = await self._ordering.paid_orders(tx, PROTECTION_DAYS_MAX, after, _SWEEP_ROWS)
                due = [order.order_id for order in orders if await self._is_due(tx, order)]
            for order_id in due:
                given += await self._claim_quietly(order_id)
            if len(orders) < _SWEEP_ROWS:
                return given
            after = orders[-1].order_id

    async def _is_due(self, tx: Tx, order: PaidOrder) -> bool:
        """Look without a lock, and only where something was promised for this long."""
        version, promised = await self._promise(tx, order.campaign_id, order.rules_version)
        promise = version.definition.price_protection
        if promise is None or not promised or self._clock.now() >= protected_until(promise, order.paid_at):
            return False
        try:
            return (await self.look(tx, order.order_id)).due > 0
        except Refusal:
            return False

    async def _claim_quietly(self, order_id: UUID) -> int:
        """Claim one order; 0 where it was claimed or given back meanwhile."""
        try:
            async with self._db.transaction() as tx:
                await self.claim(tx, order_id, by=AskedBy.NIGHT)
        except Refusal as refusal:
            log.info("price protection of order %s: %s", order_id, refusal.code)
            return 0
        return 1

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of price protection against the database."""
        ours, theirs = await store.fingerprint(tx), await self._ordering.protected_fingerprint(tx)
        misadded = await store.misadded(tx)
        same = "" if ours == theirs else f"grants say {ours}, orders say {theirs}"
        return [
            Check(
                name="protection: each grant is one refund of its order, and each such refund one grant",
                holds=ours == theirs and not misadded,
                examined=ours.count,
                detail=", ".join(map(str, misadded)) or same,
            )
        ]
