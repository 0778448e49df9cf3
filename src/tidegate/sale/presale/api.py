"""What can be done with presales and reservations."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import psycopg

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.http import KEY_PATTERN
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignVersion, Presale
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import OrderState, ReservedOrder
from tidegate.sale.ordering.errors import (
    AddressUnknown,
    KeyMalformed,
    KeyReused,
    OrderEnded,
    PaymentUnderWay,
)
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import PartCaptured, PaymentView, RefundCause
from tidegate.sale.presale import checks, rules, store
from tidegate.sale.presale.contracts import (
    REASON_MAX,
    PresaleNow,
    Reservation,
    ReservationFilter,
    ReservationPage,
    ReservationState,
    Reserve,
    Transition,
)
from tidegate.sale.presale.counted import Counted
from tidegate.sale.presale.errors import (
    DepositWouldBeLost,
    PresaleUnknown,
    ReasonNeeded,
    ReservationEnded,
    ReservationUnknown,
)
from tidegate.sale.presale.ports import AddressBook
from tidegate.sale.presale.rules import priced_by
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import Claim, Units
from tidegate.sale.stock.errors import SoldOut

__all__ = ["Presales", "priced_by"]

_key = re.compile(KEY_PATTERN, re.ASCII)
_DUE_MAX = 200
_BUSY_DELAY = timedelta(seconds=3)
_TRIES = 5
_RACES = (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected)
"""The same key, or a new counter, was taken by another process meanwhile; or the hot lane held the other counter."""


class Presales:
    """Reservations from the deposit to the order, or to their end."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Ids,
        campaign: Campaign,
        stock: Stock,
        payment: Payment,
        ordering: Ordering,
        pricing: Pricing,
        addresses: AddressBook,
        hold_seconds: int | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._campaign = campaign
        self._stock = stock
        self._payment = payment
        self._ordering = ordering
        self._addresses = addresses
        self._pricing = pricing
        self._counted = Counted(pricing, addresses)
        self._hold_seconds = hold_seconds

    # Reserving and paying

    async def reserve(
        self, buyer_id: UUID, key: str, command: Reserve, *, session_id: UUID | None = None
    ) -> Reservation:
        """Reserve units durably, with a deposit to pay, or refuse and change nothing.

        A reservation once made is the answer to its buyer's `key` for ever; with another command the key is refused.
        Limits by device count over the device of `session_id`; a reservation without a session counts in none.
        Raises KeyMalformed, KeyReused, PresaleUnknown, PresaleNotOpen, PriceChanged, PresaleLimitReached, SoldOut,
        and pricing's BuyerLimitReached and SharedLimitReached.
        """
        if not _key.match(key):
            raise KeyMalformed(
                "The header Idempotency-Key must be 8 to 64 letters, digits, hyphens or underscores, "
                "new for each reservation and the same when it is sent again. Nothing was reserved."
            )
        for attempt in range(_TRIES):
            try:
                async with self._db.transaction() as tx:
                    return await self._reserve(tx, buyer_id, key, command, session_id)
            except _RACES:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError

    async def pay_deposit(self, reservation_id: UUID, buyer_id: UUID, channel: str | None = None) -> PaymentView:
        """Pay a reservation's deposit. Raises ReservationUnknown and what `Payment.pay` raises."""
        async with self._db.transaction() as tx:
            found = await self.reservation(tx, reservation_id, buyer_id)
        return await self._payment.pay(found.deposit_id, buyer_id, channel)

    async def pay_balance(
        self, reservation_id: UUID, buyer_id: UUID, address_id: UUID, channel: str | None = None
    ) -> PaymentView:
        """Pay a reservation's balance, in its window; the goods go to that address.

        Raises ReservationUnknown, ReservationEnded, BalanceNotDue, AddressUnknown and what `Payment.pay` raises.
        """
        async with self._db.transaction() as tx:
            found = await self._locked(tx, reservation_id, buyer_id)
            refusal = rules.balance_refusal(found, self._clock.now())
            if refusal is not None:
                raise refusal
            if found.state is ReservationState.DEPOSITED:
                await self._ask_balance(tx, found, address_id)
        return await self._payment.pay(reservation_id, buyer_id, channel)

    # Looking

    def presales(self) -> list[Presale]:
        """Return the presales of the current campaign, in the order of its file."""
        current = self._campaign.current()
        return list(current.definition.presales) if current else []

    async def now(self, tx: Tx, skus: Sequence[str] | None = None) -> list[PresaleNow]:
        """Return the current campaign's presales with what is left of each; with `skus`, only those."""
        current = self._campaign.current()
        if current is None:
            return []
        wanted = [each for each in current.definition.presales if skus is None or each.sku in skus]
        named = {each.sku for each in wanted}
        goods = {each.sku: each for each in current.definition.goods if each.sku in named}
        levels = await self._stock.levels(tx, current.campaign_id, sorted(named))
        free = {sku: level.free for sku, level in levels.items()}
        currency = current.definition.currency
        return [rules.presale_now(each, goods[each.sku], currency, free.get(each.sku, 0)) for each in wanted]

    async def reservation(self, tx: Tx, reservation_id: UUID, buyer_id: UUID | None = None) -> Reservation:
        """Return a reservation; with `buyer_id`, only if it is that buyer's. Raises ReservationUnknown."""
        return _known(await store.find(tx, reservation_id), buyer_id)

    async def reservations_of(self, tx: Tx, buyer_id: UUID, limit: int = 20, offset: int = 0) -> list[Reservation]:
        """Return a buyer's reservations, newest first."""
        return await store.of_buyer(tx, buyer_id, limit, offset)

    async def find(self, tx: Tx, asked: ReservationFilter) -> ReservationPage:
        """Return a page of reservations for staff."""
        return await store.page(tx, asked)

    async def transitions(self, tx: Tx, reservation_id: UUID) -> list[Transition]:
        """Return every step of a reservation, oldest first."""
        return await store.transitions(tx, reservation_id)

    # Ending

    async def give_up(self, tx: Tx, reservation_id: UUID, buyer_id: UUID, *, lose_deposit: bool) -> Reservation:
        """Give a reservation up: its units are free at once. A paid deposit is lost, as was said before it was paid.

        Raises ReservationUnknown, ReservationEnded, DepositWouldBeLost, PaymentUnderWay.
        """
        found = await self._locked(tx, reservation_id, buyer_id)
        match found.state:
            case ReservationState.RESERVED:
                await self._close(tx, found)
                await self._end(tx, found, ReservationState.CANCELLED, by="buyer")
            case ReservationState.DEPOSITED if lose_deposit:
                await self._close(tx, found)
                await self._end(tx, found, ReservationState.FORFEITED, by="buyer", reason="given up")
            case ReservationState.DEPOSITED:
                raise DepositWouldBeLost(
                    "The deposit is not returned when a reservation is given up. Nothing was changed. "
                    "Say that you accept this, or pay the balance in its time.",
                    deposit=found.deposit_total,
                )
            case ReservationState.COMPLETED:
                raise ReservationEnded(
                    "It is an order already. Nothing was changed. Cancel it, or give units back, under your orders.",
                    state=found.state,
                )
            case _:
                raise _over(found)
        return await self.reservation(tx, reservation_id)

    async def cannot_deliver(self, tx: Tx, reservation_id: UUID, by: str, reason: str) -> Reservation:
        """The shop cannot deliver: double the deposit goes back, and all of a paid balance; once, whatever is repeated.

        Without a paid deposit the reservation is only cancelled. Of an order of which units went back before, the
        rest is compensated. Source: Civil Code, articles 586 and 587.
        Raises ReasonNeeded, ReservationUnknown, ReservationEnded, PaymentUnderWay, ordering's OrderEnded.
        """
        reason = reason.strip()[:REASON_MAX]
        if not reason:
            raise ReasonNeeded("Say why the shop cannot deliver: it is recorded and told. Nothing was changed.")
        found = _known(await store.lock(tx, reservation_id), None)
        match found.state:
            case ReservationState.RESERVED:
                await self._close(tx, found)
                await self._end(tx, found, ReservationState.CANCELLED, by=by, reason=reason)
            case ReservationState.DEPOSITED:
                await self._close(tx, found)
                await self._payment.refund(tx, found.deposit_id, found.deposit_total, reason, RefundCause.DEPOSIT)
                await self._payment.compensate(tx, found.deposit_id, found.deposit_total, reason)
                await self._end(tx, found, ReservationState.COMPENSATED, by=by, reason=reason)
            case ReservationState.COMPLETED:
                await self._compensate_order(tx, found, by, reason)
            case _:
                raise _over(found)
        return await self.reservation(tx, reservation_id)

    async def end_due(self) -> int:
        """End reservations whose deposit or balance was not paid in time; return how many. Repeated by the worker.

        One whose payment is under way is looked at again in a few seconds: an unknown outcome is never guessed.
        """
        async with self._db.transaction() as tx:
            now = self._clock.now()
            due = await store.lock_due(tx, now, _DUE_MAX)
            if not due:
                return 0
            closed = await self._payment.close_intents(
                tx, [payment for each in due for payment in rules.open_payment(each)]
            )
            ended = [each for each in due if closed.issuperset(rules.open_payment(each))]
            busy = [each.reservation_id for each in due if each not in ended]
            if busy:
                await store.delay(tx, busy, now + _BUSY_DELAY)
            for state, to in (
                (ReservationState.RESERVED, ReservationState.EXPIRED),
                (ReservationState.DEPOSITED, ReservationState.FORFEITED),
            ):
                of_state = [each for each in ended if each.state is state]
                await self._move(tx, of_state, to, reason="not paid in time")
            await self._free(tx, ended)
            return len(ended)

    async def take_captures(self, tx: Tx, captures: list[PartCaptured]) -> None:
        """Take captured deposits and balances; a paid balance makes an order. What was taken before is left alone."""
        paid = {capture.order_id for capture in captures}
        now = self._clock.now()
        for found in await store.lock_of_payments(tx, paid):
            if found.deposit_id in paid and rules.may_move(found.state, ReservationState.DEPOSITED):
                await store.move(tx, [found.reservation_id], ReservationState.DEPOSITED, now)
            elif found.reservation_id in paid and rules.may_move(found.state, ReservationState.COMPLETED):
                await self._complete(tx, found)

    async def counters_used(self, tx: Tx) -> Mapping[str, int]:
        """Return how much of each counter is used by reservations that are no orders yet, by key."""
        return await store.counters_used(tx, rules.HOLDING)

    def subscribe(self, outbox: Outbox) -> None:
        """Subscribe to payment's events."""
        outbox.subscribe("presale", {PartCaptured: self.take_captures})

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of presale against the database, on one snapshot."""
        return await checks.check(tx, self._clock.now(), self._stock, self._payment, self._ordering)

    async def _reserve(
        self, tx: Tx, buyer_id: UUID, key: str, command: Reserve, session_id: UUID | None
    ) -> Reservation:
        """A ladder: idempotency, existence, time, price; then, all under locks, the buyer's limits and the units."""
        request_hash = rules.request_hash(command)
        earlier = await store.earlier(tx, buyer_id, key)
        if earlier is not None:
            return await self._again(tx, earlier, request_hash)
        current, presale = self._presale(command.sku)
        refusal = rules.window_refusal(presale, self._clock.now()) or rules.price_refusal(presale, command)
        if refusal is not None:
            raise refusal
        uses = await self._counted.uses(tx, current.definition, command, buyer_id, session_id)
        counters = await self._pricing.lock_counters(tx, {use.key for use in uses})
        ledger = await self._stock.lock(tx, current.campaign_id, [presale.sku])
        # Who waited for a lock that was held for the same key finds its reservation now.
        earlier = await store.earlier(tx, buyer_id, key)
        if earlier is not None:
            return await self._again(tx, earlier, request_hash)
        before = await store.units_of(tx, current.campaign_id, presale.sku, buyer_id, rules.COUNTED)
        refusal = rules.limit_refusal(presale, before, command.quantity)
        if refusal is not None:
            raise refusal
        beyond = counters.try_use(uses)
        if beyond is not None:
            raise self._pricing.refusal_of(beyond)
        if ledger.free(presale.sku) < command.quantity:
            left = ledger.free(presale.sku)
            raise SoldOut(f"{left} units are left. Nothing was reserved.", sku=presale.sku, left=left)
        made = self._made(current, presale, buyer_id, command.quantity)
        await store.insert(tx, made, key, request_hash, uses)
        await self._payment.open_intents(tx, [rules.deposit_intent(made)])
        await self._pricing.write_counters(tx, counters)
        await self._stock.reserve(tx, made.campaign_id, Units(made.reservation_id, made.sku, made.quantity))
        return made

    async def _again(self, tx: Tx, earlier: tuple[UUID, bytes], request_hash: bytes) -> Reservation:
        reservation_id, known_hash = earlier
        if known_hash != request_hash:
            raise KeyReused(
                "This idempotency key belongs to a reservation that was asked for with another body. "
                "Nothing was reserved. Send the first body again, or use a new key.",
                reservation_id=reservation_id,
            )
        return await self.reservation(tx, reservation_id)

    def _presale(self, sku: str) -> tuple[CampaignVersion, Presale]:
        current = self._campaign.current()
        presale = next((each for each in self.presales() if each.sku == sku), None)
        if current is None or presale is None:
            raise PresaleUnknown("These goods are not in presale. Nothing was reserved.", sku=sku)
        return current, presale

    def _made(self, current: CampaignVersion, presale: Presale, buyer_id: UUID, quantity: int) -> Reservation:
        now = self._clock.now()
        seconds = self._hold_seconds or 60 * current.definition.payment_minutes
        list_price = next(each.list_price for each in current.definition.goods if each.sku == presale.sku)
        return Reservation(
            reservation_id=self._ids.new(),
            buyer_id=buyer_id,
            campaign_id=current.campaign_id,
            campaign_version=current.version,
            sku=presale.sku,
            quantity=quantity,
            state=ReservationState.RESERVED,
            currency=current.definition.currency,
            list_price=list_price,
            price=presale.price,
            deposit=presale.deposit,
            counts_for=presale.counts_for,
            deposit_id=self._ids.new(),
            deposit_due_at=min(now + timedelta(seconds=seconds), presale.balance_until_at),
            balance_from_at=presale.balance_from_at,
            balance_until_at=presale.balance_until_at,
            ships_by_at=presale.ships_by_at,
            reserved_at=now,
            deposited_at=None,
            balance_asked_at=None,
            completed_at=None,
            ended_at=None,
        )

    async def _ask_balance(self, tx: Tx, found: Reservation, address_id: UUID) -> None:
        """Note the address, and open the balance's payment where that was not done before."""
        if await self._addresses.foreign_addresses(tx, [(found.buyer_id, address_id)]):
            raise AddressUnknown(
                "The address is not one of yours. Nothing was charged. Choose another address or enter a new one.",
                address_id=address_id,
            )
        await store.ask_balance(tx, found.reservation_id, address_id, self._clock.now())
        if found.balance_asked_at is None:
            await self._payment.open_intents(tx, [rules.balance_intent(found)])

    async def _complete(self, tx: Tx, found: Reservation) -> None:
        assert found.address_id is not None, "the balance is asked for with an address"
        await store.move(tx, [found.reservation_id], ReservationState.COMPLETED, self._clock.now())
        await self._payment.apply_deposits(tx, [found.deposit_id])
        uses = await store.counters_of(tx, [found.reservation_id])
        await self._ordering.take_reserved(
            tx,
            ReservedOrder(
                order_id=found.reservation_id,
                buyer_id=found.buyer_id,
                campaign_id=found.campaign_id,
                address_id=found.address_id,
                priced=rules.priced(found, uses.get(found.reservation_id, ())),
                deposit=found.deposit_total,
                deposit_id=found.deposit_id,
            ),
        )

    async def _compensate_order(self, tx: Tx, found: Reservation, by: str, reason: str) -> None:
        """Refund all that is left of the order, and pay the deposit of those units once more; no limit counts it."""
        order = await self._ordering.order(tx, found.reservation_id)
        if order.state is not OrderState.PAID:
            raise OrderEnded(
                f"The order is {order.state}: nothing is left to deliver. Nothing was changed.", state=order.state
            )
        back = sum(line.quantity for each in await self._ordering.refunds_of(tx, order.order_id) for line in each.lines)
        await self._ordering.call_off(tx, [order.order_id], reason)
        await self._payment.compensate(tx, found.deposit_id, found.deposit * (found.quantity - back), reason)
        await store.move(
            tx, [found.reservation_id], ReservationState.COMPENSATED, self._clock.now(), by=by, reason=reason
        )

    async def _close(self, tx: Tx, found: Reservation) -> None:
        """Close the payment that the reservation waits for. Raises PaymentUnderWay."""
        waiting = rules.open_payment(found)
        if not (await self._payment.close_intents(tx, waiting)).issuperset(waiting):
            raise PaymentUnderWay(
                "A payment of this reservation is under way. Nothing was changed. Wait for its outcome.",
                reservation_id=found.reservation_id,
            )

    async def _end(self, tx: Tx, found: Reservation, to: ReservationState, *, by: str = "", reason: str = "") -> None:
        """End a reservation that held units."""
        await self._move(tx, [found], to, by=by, reason=reason)
        await self._free(tx, [found])

    async def _move(
        self, tx: Tx, found: Sequence[Reservation], to: ReservationState, *, by: str = "", reason: str = ""
    ) -> None:
        """Set how reservations ended; a forfeited deposit is booked as such."""
        if not found:
            return
        await store.move(tx, [each.reservation_id for each in found], to, self._clock.now(), by=by, reason=reason)
        if to is ReservationState.FORFEITED:
            await self._payment.forfeit_deposits(tx, [each.deposit_id for each in found])

    async def _free(self, tx: Tx, ended: Sequence[Reservation]) -> None:
        """Give back what ended reservations used of limits, then their units: in the order of all locks."""
        await self._counted.give_back(tx, ended)
        for campaign_id in sorted({each.campaign_id for each in ended}):
            claims = [Claim(each.reservation_id, each.sku) for each in ended if each.campaign_id == campaign_id]
            await self._stock.release(tx, campaign_id, claims)

    async def _locked(self, tx: Tx, reservation_id: UUID, buyer_id: UUID) -> Reservation:
        return _known(await store.lock(tx, reservation_id), buyer_id)


def _known(found: Reservation | None, buyer_id: UUID | None) -> Reservation:
    if found is None or (buyer_id is not None and found.buyer_id != buyer_id):
        raise ReservationUnknown("There is no such reservation among yours. Look under your reservations.")
    return found


def _over(found: Reservation) -> ReservationEnded:
    return ReservationEnded(f"The reservation is over: {found.state}. Nothing was changed.", state=found.state)
