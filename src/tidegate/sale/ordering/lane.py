"""The hot lane: one transaction takes a whole batch of orders.

Price and pass are settled before an order comes here. Orders are counted against the rate limits and judged for risk
while a batch before them is written; then, in one transaction: what was asked for before is found, counters and stock
levels are looked at, every order is decided in memory, and what is taken is written by one statement a table.
A lost race or a lost connection is tried again as a whole: the idempotency keys make that safe even when a commit's
answer was lost.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import psycopg

from tidegate.base.batch import ONWARD, Batcher, Onward
from tidegate.base.clock import Clock
from tidegate.base.db import Database, DatabaseUnavailable, Tx, together
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.base.load import LoadControl
from tidegate.base.outbox import Outbox
from tidegate.gate.limits.api import Limits
from tidegate.gate.limits.contracts import Asker, LimitedAct
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.ordering import store
from tidegate.sale.ordering.contracts import Asked, OrderPlaced, Placed, Terms
from tidegate.sale.ordering.errors import OrderDenied
from tidegate.sale.ordering.prices import KnownPrices
from tidegate.sale.ordering.rules import Decision, Earlier, Taken, decide
from tidegate.sale.ordering.sharing import Subjects, with_subjects
from tidegate.sale.ordering.station import OrderFacts, RiskStation, Verdict
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import OpenIntent
from tidegate.sale.points.api import Points
from tidegate.sale.stock.api import Stock

_TRIES = 5
_BESIDE_MIN = 64
"""Orders that must wait before a batch of them begins while another is written: each batch costs a dozen statements."""
_RACES = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.CheckViolation,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


class AddressBook(Subjects, Protocol):
    """Who knows which addresses belong to whom, and what accounts share."""

    async def foreign_addresses(self, tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
        """Return those of the (account, address) pairs that are not true."""
        ...


class HotLane:
    """Takes orders in batches."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Ids,
        outbox: Outbox,
        addresses: AddressBook,
        pricing: Pricing,
        coupons: Coupons,
        points: Points,
        stock: Stock,
        payment: Payment,
        limits: Limits,
        risk: RiskStation,
        load: LoadControl,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._addresses = addresses
        self._pricing = pricing
        self._coupons = coupons
        self._points = points
        self._stock = stock
        self._payment = payment
        self._limits = limits
        self._risk = risk
        self._prices = KnownPrices()
        self._taking: Batcher[Asked, Placed] = Batcher(
            "order", self._commit, size_max=256, beside_min=_BESIDE_MIN, load=load
        )
        self._asking: Batcher[Asked, Placed] = Batcher(
            "order-door", self._let_in, size_max=256, in_flight_max=1, then=self._taking
        )

    def submit(self, asked: Asked) -> "asyncio.Future[Placed]":
        """Return the future answer for one order. Raises Overloaded when the line is full."""
        return self._asking.submit(asked)

    async def count(self, asker: Asker | None) -> None:
        """Count one who is answered without the lane. Raises RateLimitReached and RateLimitUnknown."""
        if asker is not None:
            await self._limits.require(LimitedAct.PLACE_ORDER, asker)

    async def _let_in(self, batch: list[Asked]) -> Sequence[Refusal | Onward]:
        """Ask the rate limits, and of those whom they admit the risk station, while the batch before is written."""
        refusals = await self._limits.refusals(LimitedAct.PLACE_ORDER, [each.asker for each in batch])
        admitted = [place for place, refusal in enumerate(refusals) if refusal is None]
        verdicts = await self._judge([batch[place] for place in admitted])
        for place, verdict in zip(admitted, verdicts, strict=True):
            if verdict is not Verdict.ALLOW:
                refusals[place] = _denied()
        return [refusal or ONWARD for refusal in refusals]

    async def _judge(self, batch: Sequence[Asked]) -> Sequence[Verdict]:
        now = self._clock.now()
        return await self._risk.judge(
            [
                OrderFacts(each.buyer_id, each.address_id, each.priced.total, len(each.priced.lines), now)
                for each in batch
            ]
        )

    async def _commit(self, batch: Sequence[Asked]) -> Sequence[Placed | Exception]:
        for attempt in range(_TRIES):
            try:
                new: dict[bytes, bytes] = {}
                async with self._db.pipelined() as tx:
                    answers = await self._decide_and_write(tx, batch, new, lock=attempt > 0)
                    if new:
                        await store.put_prices(tx, new)
            except _RACES:
                if attempt == _TRIES - 1:
                    raise
            except psycopg.OperationalError as fault:
                self._prices.forget()
                if attempt == _TRIES - 1:
                    raise DatabaseUnavailable from fault
                await asyncio.sleep(0.2 * (attempt + 1))
            else:
                self._prices.learn(new)
                return answers
        raise DatabaseUnavailable

    async def _decide_and_write(
        self, tx: Tx, batch: Sequence[Asked], new: dict[bytes, bytes], *, lock: bool
    ) -> Sequence[Placed | Exception]:
        """Decide and write the part of each campaign and its terms in turn; nearly always there is one.

        Prices that may not be kept yet are added to `new`.
        """
        parts = sorted({asked.terms for asked in batch})
        if len(parts) == 1:
            return await self._part(tx, parts[0], batch, new, lock=lock)
        answers: dict[int, Placed | Exception] = {}
        for terms in parts:
            places = [place for place, asked in enumerate(batch) if asked.terms == terms]
            part = await self._part(tx, terms, [batch[place] for place in places], new, lock=lock)
            answers.update(zip(places, part, strict=True))
        return [answers[place] for place in range(len(batch))]

    async def _part(
        self, tx: Tx, terms: Terms, batch: Sequence[Asked], new: dict[bytes, bytes], *, lock: bool
    ) -> Sequence[Placed | Exception]:
        if any(asked.scoped for asked in batch):
            batch = await with_subjects(tx, self._addresses, batch)
        units: Counter[str] = Counter()
        for asked in batch:
            for line in asked.priced.lines:
                units[line.sku] += line.quantity
        # What a buyer owns is locked, and counters before it, as everywhere.
        shows_own = any(asked.own_coupon or asked.priced.points_used for asked in batch)
        read_counters = self._pricing.lock_counters if lock or shows_own else self._pricing.look_at_counters
        earlier, foreign, counters, ledger = await together(
            store.earlier(tx, [(asked.buyer_id, asked.key) for asked in batch]),
            self._addresses.foreign_addresses(tx, [(asked.buyer_id, asked.address_id) for asked in batch]),
            read_counters(tx, {use.key for asked in batch for use in asked.priced.counters}),
            self._stock.look(tx, terms.campaign_id, units),
        )
        # Asked for only where somebody shows a claimed coupon or spends points; before stock is locked, as everywhere.
        wallet = await self._coupons.lock(tx, {asked.own_coupon for asked in batch if asked.own_coupon})
        purse = await self._points.lock(tx, {asked.buyer_id for asked in batch if asked.priced.points_used})
        if lock or not ledger.ample(units):
            ledger = await self._stock.lock(tx, terms.campaign_id, units)
        numbered = list(zip(self._ids.many(len(batch)), batch, strict=True))
        now = self._clock.now()
        refusal_of = self._pricing.refusal_of
        decisions = decide(numbered, earlier, foreign, counters, wallet, purse, ledger, refusal_of, now)
        taken = [decision for decision in decisions if isinstance(decision, Taken)]
        expires_at = now + timedelta(seconds=terms.payment_seconds)
        placed = [_placed(each, expires_at, now) for each in taken]
        if taken:
            # Nothing is read back here: the writes and the COMMIT are sent without waiting. What many orders share, a
            # promotion's counter and a hot SKU's level, comes last, so that it is locked only while the batch commits.
            await self._coupons.freeze(tx, wallet)
            await self._points.hold(tx, purse)
            prices = [self._prices.parted(each.asked.priced) for each in taken]
            await store.insert_orders(tx, taken, prices, terms, now, expires_at)
            new |= self._prices.unknown(prices)
            await self._payment.open_intents(
                tx, [_intent(each, answer) for each, answer in zip(taken, placed, strict=True)]
            )
            await self._outbox.append(tx, *[_event(each, answer) for each, answer in zip(taken, placed, strict=True)])
            await self._pricing.write_counters(tx, counters)
            await self._stock.hold(tx, ledger)
        return await _answers(tx, decisions, {answer.order_id: answer for answer in placed})


async def _answers(tx: Tx, decisions: Sequence[Decision], fresh: dict[UUID, Placed]) -> Sequence[Placed | Exception]:
    """Return the answers; an order that existed before is answered as it was then."""
    known = [each.order_id for each in decisions if isinstance(each, Earlier) and each.order_id not in fresh]
    if known:
        fresh |= await store.placed(tx, known)
    return [each if isinstance(each, Refusal) else fresh[each.order_id] for each in decisions]


def _denied() -> OrderDenied:
    return OrderDenied("This order cannot be taken at present. Nothing was ordered. Our service can tell you more.")


def _placed(taken: Taken, expires_at: datetime, now: datetime) -> Placed:
    priced = taken.asked.priced
    return Placed(
        order_id=taken.order_id,
        total=priced.total,
        currency=priced.currency,
        placed_at=now,
        expires_at=expires_at,
        gifts_left_off=priced.gifts_left_off,
    )


def _intent(taken: Taken, placed: Placed) -> OpenIntent:
    """One intent an order: it bears the order's id."""
    return OpenIntent(
        intent_id=taken.order_id,
        order_id=taken.order_id,
        buyer_id=taken.asked.buyer_id,
        amount=placed.total,
        currency=placed.currency,
        expires_at=placed.expires_at,
    )


def _event(taken: Taken, placed: Placed) -> OrderPlaced:
    return OrderPlaced(
        order_id=taken.order_id,
        buyer_id=taken.asked.buyer_id,
        campaign_id=taken.asked.terms.campaign_id,
        total=placed.total,
        currency=placed.currency,
        lines=taken.units,
        placed_at=placed.placed_at,
    )
