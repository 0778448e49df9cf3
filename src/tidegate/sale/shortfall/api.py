"""What can be done about a shortfall: state it, see what it would do, follow it to its orders, decline to wait."""

import logging
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import psycopg

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.http import KEY_PATTERN
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import RefundLine
from tidegate.sale.ordering.errors import KeyMalformed, KeyReused
from tidegate.sale.shortfall import checks, rules, store
from tidegate.sale.shortfall.contracts import (
    Act,
    ActPage,
    Forecast,
    LaterDeclined,
    Line,
    Outcome,
    StateShortfall,
    Told,
)
from tidegate.sale.shortfall.errors import NothingLater, ShortfallUnknown
from tidegate.sale.shortfall.settling import QueueMoved, Settlement, refund_key
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.errors import StockUnknown

log = logging.getLogger(__name__)

DECLINED = "declined to wait for a later delivery"
_key = re.compile(KEY_PATTERN, re.ASCII)
_TRIES = 5
_RACES = (QueueMoved, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_GRACE = timedelta(seconds=60)


class Shortfalls:
    """Shortfalls from the statement to the last refund."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, outbox: Outbox, stock: Stock, ordering: Ordering) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._stock = stock
        self._ordering = ordering
        self._settlement = Settlement(clock, ids, outbox, stock, ordering)

    async def state(self, key: str, campaign_id: str, command: StateShortfall, by: str) -> Told:
        """State a shortfall durably, settle what can be settled at once, and return what came of it so far.

        From its first transaction on nothing that is not there is sold; what is left to settle the worker takes up.
        Stated again under the same `key` it is the same act. Raises KeyMalformed, KeyReused, ShortfallMalformed,
        StockUnknown, NothingMissing, MoreThanThere.
        """
        if not _key.match(key):
            raise KeyMalformed("A key is 8 to 64 letters, digits, hyphens or underscores. Nothing was changed.")
        try:
            async with self._db.transaction() as tx:
                act = await self._stated(tx, key, campaign_id, command, by)
        except psycopg.errors.UniqueViolation as fault:  # the key was taken for another SKU meanwhile
            raise _reused() from fault
        await self.settle(act)
        async with self._db.transaction() as tx:
            return await self.told(tx, act.act_id)

    async def forecast(self, tx: Tx, campaign_id: str, command: StateShortfall) -> Forecast:
        """Return what stating it would do now; nothing is changed. Raises as `state` does."""
        refusal = rules.command_refusal(command, self._clock.now().date())
        if refusal is not None:
            raise refusal
        level = (await self._stock.levels(tx, campaign_id, [command.sku])).get(command.sku)
        if level is None:
            raise StockUnknown(f"The campaign {campaign_id} never had units of {command.sku}.", sku=command.sku)
        missing = rules.missing_of(command, level)
        if isinstance(missing, Refusal):
            raise missing
        queue, left_out = await self._settlement.queue(tx, campaign_id, command.sku)
        return rules.forecast(level, missing, queue, left_out)

    async def _stated(self, tx: Tx, key: str, campaign_id: str, command: StateShortfall, by: str) -> Act:
        """A ladder: shape, existence, idempotency under the lock of the level, and the count."""
        refusal = rules.command_refusal(command, self._clock.now().date())
        level = await self._stock.lock_level(tx, campaign_id, command.sku)
        request_hash = rules.request_hash(campaign_id, command)
        known = await store.act_of_key(tx, key)
        if known is not None:
            if known.request_hash != request_hash:
                raise _reused()
            return known.act
        missing = refusal or rules.missing_of(command, level)
        if isinstance(missing, Refusal):
            raise missing
        after = await self._stock.lose(tx, campaign_id, command.sku, missing)
        act = Act(
            act_id=self._ids.new(),
            campaign_id=campaign_id,
            sku=command.sku,
            missing=missing,
            there=after.there,
            remedy=command.remedy,
            deliver_by=command.deliver_by,
            reason=command.reason.strip(),
            stated_by=by,
            stated_at=self._clock.now(),
        )
        await store.insert_act(tx, act, key, request_hash)
        return act

    async def settle(self, act: Act) -> int:
        """Settle what is short of the act's SKU as far as can be done now; return how many orders were decided."""
        decided = 0
        for step in (self._settlement.release_unpaid, self._settlement.take_from_paid):
            while done := await self._tried(step, act):
                decided += done
        return decided

    async def _tried(self, step: Callable[[Tx, Act], Awaitable[int]], act: Act) -> int:
        """Take one step in a transaction of its own, again where it lost a race; what is left is for the next turn."""
        for _ in range(_TRIES):
            try:
                async with self._db.transaction() as tx:
                    return await step(tx, act)
            except _RACES as race:
                log.info("settling the shortfall of %s is tried again: %s", act.sku, type(race).__name__)
        return 0

    async def settle_due(self) -> int:
        """Settle whatever is short; return how many orders were decided. The worker repeats it."""
        async with self._db.read() as tx:
            short = await self._stock.short_levels(tx)
            acts = [await store.latest_act(tx, each.campaign_id, each.sku) for each in short]
        return sum([await self.settle(act) for act in acts if act is not None])

    async def decline(self, tx: Tx, order_id: UUID, buyer_id: UUID, line_id: UUID) -> Line:
        """Refund what would come later: the buyer does not wait. Declined again it is the same.

        Raises OrderUnknown, OrderEnded, ShortfallUnknown, NothingLater.
        """
        await self._ordering.lock_orders(tx, [order_id])
        line = next((each for each in await self.lines_of(tx, order_id) if each.line_id == line_id), None)
        if line is None or line.buyer_id != buyer_id or line.outcome is not Outcome.LATER:
            raise ShortfallUnknown("There is nothing of this kind at this order of yours. Nothing was changed.")
        if line.declined_at is not None:
            return line
        if not line.waiting:
            raise NothingLater("Nothing of this comes later any more: it was given back. Nothing was changed.")
        lines = [RefundLine(line.sku, line.waiting)]
        refund = await self._ordering.fall_short(
            tx, order_id, buyer_id, lines, DECLINED, by="", key=refund_key(line_id)
        )
        now = self._clock.now()
        await store.decline(tx, line_id, refund.refund_id, refund.amount, now)
        await self._outbox.append(
            tx,
            LaterDeclined(
                line_id=line_id,
                order_id=order_id,
                buyer_id=buyer_id,
                sku=line.sku,
                units=line.waiting,
                amount=refund.amount,
                declined_at=now,
            ),
        )
        return next(each for each in await self.lines_of(tx, order_id) if each.line_id == line_id)

    # Looking

    async def lines_of(self, tx: Tx, order_id: UUID) -> list[Line]:
        """Return what became of an order's units that were not there, oldest first."""
        lines = await store.lines_of_order(tx, order_id)
        if not lines:
            return []
        holds = await self._stock.holds_of(tx, order_id, sorted({line.sku for line in lines}))
        return rules.with_waiting(lines, {hold.sku: hold.later for hold in holds})

    async def told(self, tx: Tx, act_id: UUID) -> Told:
        """Return an act with what came of it. Raises ShortfallUnknown."""
        found = await store.told(tx, act_id)
        if found is None:
            raise ShortfallUnknown("There is no such shortfall. Look at its number again.")
        return found

    async def lines(self, tx: Tx, act_id: UUID) -> list[Line]:
        """Return what became of the units of an act, oldest first; how many still wait is not looked up."""
        return await store.lines_of_act(tx, act_id)

    async def acts(self, tx: Tx, limit: int, offset: int = 0) -> ActPage:
        """Return a page of all acts, the latest first."""
        return await store.page(tx, limit, offset)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of shortfalls against the database, on one snapshot."""
        return await checks.check(tx, self._clock.now() - _GRACE, self._stock, self._ordering)


def _reused() -> KeyReused:
    return KeyReused("This key belongs to another statement. Nothing was changed. Use a new key.")
