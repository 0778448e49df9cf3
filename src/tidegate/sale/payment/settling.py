"""Settles by hand a charge of another amount than was asked, which is never applied by itself.

The channel is asked what it took, outside any transaction; what staff decide is then booked in one. What was taken
stands whole in the ledger, so that our books and the channel's agree: what it pays for as a sale, the rest as surplus
that goes back.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.base.outbox import Outbox
from tidegate.sale.payment import rules, store, store_hand
from tidegate.sale.payment.contracts import (
    OUTSTANDING,
    AttemptState,
    Charged,
    HandRemedy,
    IntentState,
    RefundCause,
    SettledByHand,
)
from tidegate.sale.payment.errors import CannotAccept, ChannelSilent, ChargeChanged, NothingToSettle
from tidegate.sale.payment.lane import captured_event
from tidegate.sale.payment.ports import Captured, Channel, Unknown
from tidegate.sale.payment.rules import AttemptFacts, IntentFacts, Oddity


class ByHand:
    """What a person decides about charges."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, outbox: Outbox, channels: Mapping[str, Channel]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._channels = channels

    async def charged(self, attempt_id: UUID) -> Charged:
        """Ask the channel what it took for an attempt whose outcome is open.

        Raises NothingToSettle where that is what was asked, or nothing, or in another currency; ChannelSilent.
        """
        async with self._db.transaction() as tx:
            found = await self._found(tx, attempt_id)
        if isinstance(found, SettledByHand):
            raise _nothing()
        return (await self._asked(*found))[0]

    async def settle(self, attempt_id: UUID, remedy: HandRemedy, *, taken: int, reason: str, by: str) -> SettledByHand:
        """Do what staff decided about a charge of `taken`, as the channel told it before and tells it now.

        Decided again, it is what was decided first. Raises NothingToSettle, ChannelSilent, ChargeChanged, CannotAccept.
        """
        async with self._db.transaction() as tx:
            found = await self._found(tx, attempt_id)
        if isinstance(found, SettledByHand):
            return found
        charged, payer = await self._asked(*found)
        if charged.taken != taken:
            raise ChargeChanged("The channel says another amount now. Nothing was changed.", taken=charged.taken)
        if remedy not in charged.remedies:
            raise CannotAccept("Less was taken than the price, so it cannot pay for it. Nothing was changed.")
        async with self._db.transaction() as tx:
            return await self._decided(tx, charged, remedy, payer, reason, by)

    async def _found(self, tx: Tx, attempt_id: UUID) -> tuple[IntentFacts, AttemptFacts] | SettledByHand:
        """Lock an attempt whose outcome is open, with its intent, or return what was decided about it.

        Raises NothingToSettle.
        """
        for intent, attempt in await store.lock_attempts(tx, [attempt_id]):
            if attempt.state in OUTSTANDING:
                return intent, attempt
        before = await store_hand.settlement(tx, attempt_id)
        if before is None:
            raise _nothing()
        return before

    async def _asked(self, intent: IntentFacts, attempt: AttemptFacts) -> tuple[Charged, str]:
        channel = self._channels.get(attempt.channel)
        answer = await channel.query(attempt.attempt_id) if channel else None
        if answer is None or isinstance(answer, Unknown):
            raise ChannelSilent(f"The channel {attempt.channel} does not answer. Nothing was changed. Try again.")
        if not isinstance(answer, Captured) or answer.amount == attempt.amount or answer.currency != attempt.currency:
            raise _nothing()
        charged = Charged(
            attempt_id=attempt.attempt_id,
            order_id=intent.order_id,
            channel=attempt.channel,
            asked=attempt.amount,
            taken=answer.amount,
            currency=answer.currency,
        )
        return charged, answer.payer

    async def _decided(
        self, tx: Tx, charged: Charged, remedy: HandRemedy, payer: str, reason: str, by: str
    ) -> SettledByHand:
        found = await self._found(tx, charged.attempt_id)
        if isinstance(found, SettledByHand):  # somebody else was faster
            return found
        intent, attempt = found
        now = self._clock.now()
        accepts = remedy is HandRemedy.ACCEPT
        moved = msgspec.structs.replace(
            attempt,
            state=AttemptState.CAPTURED if accepts else AttemptState.SURPLUS,
            reason="" if accepts else Oddity.AMOUNT_DIFFERS,
            ended_at=now,
            taken=charged.taken,
        )
        intent_state = IntentState.CAPTURED if accepts else IntentState.OPEN
        await store_hand.take(tx, charged.attempt_id, charged.taken, moved.state, now)
        await store.write_outcomes(
            tx,
            [msgspec.structs.replace(intent, state=intent_state)],
            [(moved, "")],
            rules.hand_transfers(moved, intent.purpose),
            check_at=now,
            now=now,
        )
        back = charged.taken - charged.asked if accepts else charged.taken
        row = (self._ids.new(), charged.attempt_id, back, RefundCause.SURPLUS, reason)
        await store.reserve_refunds(tx, [row], now)
        if accepts:
            named = f"{charged.channel}-{payer}" if payer else ""
            await self._outbox.append(tx, captured_event(intent, moved, now, named))
        settled = SettledByHand(
            attempt_id=charged.attempt_id,
            remedy=remedy,
            asked=charged.asked,
            taken=charged.taken,
            reason=reason,
            settled_by=by,
            settled_at=now,
        )
        await store_hand.insert(tx, settled)
        return settled


def _nothing() -> Refusal:
    return NothingToSettle("No charge of another amount than was asked waits here. Nothing was changed.")
