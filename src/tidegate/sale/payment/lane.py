"""Payment's part of the hot lane: attempts begin and answers are recorded in batches, one transaction a batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from tidegate.base.batch import Batcher
from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.base.outbox import Event, Outbox
from tidegate.sale.payment import rules, store, store_payers
from tidegate.sale.payment.contracts import (
    OUTSTANDING,
    AttemptState,
    IntentState,
    PartCaptured,
    PaymentCaptured,
    PaymentRefunded,
    Purpose,
    RefundCause,
    RefundState,
)
from tidegate.sale.payment.metrics import attempts_ended
from tidegate.sale.payment.ports import Captured, ChargeAnswer, RefundAnswer
from tidegate.sale.payment.rules import AttemptFacts, IntentFacts, Oddity, RefundFacts, Transfer

_FROM_CAPTURE = frozenset({RefundCause.ASKED, RefundCause.DEPOSIT})
_GRACE = timedelta(seconds=2)
"""The worker asks about an attempt this long after its call must have ended: its process may have died."""


class Begin(NamedTuple):
    """Begin an attempt at `channel` for the intent named by its own or its order's id."""

    key: UUID
    by_order: bool
    buyer_id: UUID
    channel: str
    chosen: bool


class Heard(NamedTuple):
    """A channel's answer about an attempt; `repeated` ones were probably recorded before."""

    attempt_id: UUID
    channel: str
    answer: ChargeAnswer
    repeated: bool = False


class RefundHeard(NamedTuple):
    """A channel's answer about a refund."""

    refund_id: UUID
    channel: str
    answer: RefundAnswer


class Outcome(NamedTuple):
    """An intent and the attempt in question, as they stand now; no attempt where none was begun or known."""

    intent: IntentFacts | None
    attempt: AttemptFacts | None


class _Changes:
    """What a batch of answers changes, gathered before anything is written."""

    def __init__(self) -> None:
        self.intents: dict[UUID, IntentFacts] = {}
        self.attempts: dict[UUID, AttemptFacts] = {}
        self.references: dict[UUID, str] = {}
        self.touched_intents: set[UUID] = set()
        self.transfers: list[Transfer] = []
        self.events: list[Event] = []
        self.payers: dict[UUID, tuple[str, datetime]] = {}
        self.surplus: list[tuple[UUID, UUID, int, RefundCause, str]] = []
        self.oddities: list[tuple[UUID, str, Oddity, str, str]] = []


class Lane:
    """Begins attempts and records what channels answer."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, outbox: Outbox, *, call_seconds_max: float) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._first_check = timedelta(seconds=call_seconds_max) + _GRACE
        self.begins = Batcher[Begin, Outcome]("payment-begin", self._begin)
        self.answers = Batcher[Heard, Outcome]("payment-answer", self._record)
        self.refund_answers = Batcher[RefundHeard, None]("payment-refund", self._record_refunds)

    async def _begin(self, asked: list[Begin]) -> list[Outcome | Exception]:
        async with self._db.transaction() as tx:
            by_key = await self._lock_asked(tx, asked)
            now = self._clock.now()
            answers: list[Outcome | Exception] = []
            begun: list[AttemptFacts] = []
            for each in asked:
                answer = self._begin_one(each, by_key)
                answers.append(answer)
                if isinstance(answer, Outcome) and answer.intent and answer.attempt:
                    by_key[answer.intent.intent_id] = by_key[answer.intent.order_id] = answer.intent
                    begun.append(answer.attempt)
            if begun:
                await store.insert_attempts(tx, begun, now + self._first_check, now)
        return answers

    async def _lock_asked(self, tx: Tx, asked: Sequence[Begin]) -> dict[UUID, IntentFacts]:
        intents = await store.lock_intents(
            tx, {each.key for each in asked if not each.by_order}, {each.key for each in asked if each.by_order}
        )
        return {key: intent for intent in intents for key in (intent.intent_id, intent.order_id)}

    def _begin_one(self, asked: Begin, by_key: dict[UUID, IntentFacts]) -> Outcome | Refusal:
        intent = by_key.get(asked.key)
        now = self._clock.now()
        verdict = rules.begin(intent, asked.buyer_id, now)
        if isinstance(verdict, Refusal):
            return verdict
        if verdict is not None or intent is None:
            return Outcome(intent, None)
        moved = msgspec.structs.replace(intent, state=IntentState.CONFIRMING, attempts=intent.attempts + 1)
        attempt = AttemptFacts(
            attempt_id=self._ids.new(),
            intent_id=intent.intent_id,
            number=moved.attempts,
            channel=asked.channel,
            chosen=asked.chosen,
            amount=intent.amount,
            currency=intent.currency,
            state=AttemptState.STARTED,
            reason="",
            refund_reserved=0,
            started_at=now,
            ended_at=None,
        )
        return Outcome(moved, attempt)

    async def _record(self, heard: list[Heard]) -> list[Outcome | Exception]:
        async with self._db.transaction() as tx:
            fresh = await self._without_known(tx, heard)
            changes = _Changes()
            for intent, attempt in await store.lock_attempts(tx, {each.attempt_id for each in fresh}):
                changes.intents.setdefault(intent.intent_id, intent)
                changes.attempts[attempt.attempt_id] = attempt
            before = dict(changes.attempts)
            for each in fresh:
                self._hear(each, changes)
            await self._write(tx, changes, before)
            outcomes: list[Outcome | Exception] = [self._outcome(each, changes) for each in heard]
        self._count(changes, before)
        return outcomes

    async def _without_known(self, tx: Tx, heard: list[Heard]) -> list[Heard]:
        """Leave out repeated news of money that is booked already: most callbacks, and they need no lock."""
        repeated = [each.attempt_id for each in heard if each.repeated and isinstance(each.answer, Captured)]
        known = await store.settled_already(tx, repeated) if repeated else {}
        return [each for each in heard if not _says_again(each, known)]

    def _hear(self, heard: Heard, changes: _Changes) -> None:
        """Apply one answer to what the batch holds so far."""
        attempt = changes.attempts.get(heard.attempt_id)
        if attempt is None:
            self._note(changes, heard.channel, Oddity.UNKNOWN_ATTEMPT, str(heard.attempt_id), "not in our books")
            return
        intent = changes.intents[attempt.intent_id]
        verdict = rules.hear(intent, attempt, heard.channel, heard.answer)
        if verdict.oddity is not None:
            self._note(changes, heard.channel, verdict.oddity, str(attempt.attempt_id), verdict.detail)
        now = self._clock.now()
        ended_at = None if verdict.attempt in OUTSTANDING else (attempt.ended_at or now)
        moved = msgspec.structs.replace(attempt, state=verdict.attempt, reason=verdict.reason, ended_at=ended_at)
        changes.attempts[attempt.attempt_id] = moved
        changes.references[attempt.attempt_id] = verdict.reference
        if verdict.intent is not intent.state:
            changes.intents[intent.intent_id] = msgspec.structs.replace(intent, state=verdict.intent)
            changes.touched_intents.add(intent.intent_id)
        if verdict.took_money:
            payer = heard.answer.payer if isinstance(heard.answer, Captured) else ""
            self._take_money(intent, moved, payer, changes)

    def _take_money(self, intent: IntentFacts, attempt: AttemptFacts, payer: str, changes: _Changes) -> None:
        """Book money that arrived: as a sale that is announced, or as surplus that goes back."""
        changes.transfers.append(rules.capture_transfer(attempt, attempt.state, intent.purpose))
        if attempt.state is AttemptState.SURPLUS:
            reason = f"payment was {intent.state} already"
            changes.surplus.append((self._ids.new(), attempt.attempt_id, attempt.amount, RefundCause.SURPLUS, reason))
            return
        captured_at = attempt.ended_at or self._clock.now()
        named = f"{attempt.channel}-{payer}" if payer else ""
        if named:
            changes.payers[intent.buyer_id] = named, captured_at
        changes.events.append(captured_event(intent, attempt, captured_at, named))

    async def _write(self, tx: Tx, changes: _Changes, before: dict[UUID, AttemptFacts]) -> None:
        moved = [each for key, each in changes.attempts.items() if each != before[key]]
        if moved or changes.touched_intents:
            await store.write_outcomes(
                tx,
                [changes.intents[key] for key in sorted(changes.touched_intents)],
                [(each, changes.references.get(each.attempt_id, "")) for each in moved],
                changes.transfers,
                check_at=self._clock.now(),
                now=self._clock.now(),
            )
        if changes.payers:
            await store_payers.put_payers(tx, changes.payers)
        if changes.surplus:
            await store.reserve_refunds(tx, changes.surplus, self._clock.now())
        if changes.oddities:
            await store.insert_discrepancies(tx, changes.oddities, self._clock.now())
        await self._outbox.append(tx, *changes.events)

    def _note(self, changes: _Changes, channel: str, oddity: Oddity, reference: str, detail: str) -> None:
        changes.oddities.append((self._ids.new(), channel, oddity, reference, detail))

    def _outcome(self, heard: Heard, changes: _Changes) -> Outcome:
        attempt = changes.attempts.get(heard.attempt_id)
        return Outcome(changes.intents[attempt.intent_id], attempt) if attempt else Outcome(None, None)

    def _count(self, changes: _Changes, before: dict[UUID, AttemptFacts]) -> None:
        for key, each in changes.attempts.items():
            if each.state is not before[key].state and each.state not in OUTSTANDING:
                attempts_ended.labels(each.channel, each.state.value).inc()

    async def _record_refunds(self, heard: list[RefundHeard]) -> list[Exception | None]:
        async with self._db.transaction() as tx:
            locked = {row[2].refund_id: row for row in await store.lock_refunds(tx, {each.refund_id for each in heard})}
            moved: dict[UUID, tuple[RefundFacts, str]] = {}
            given: list[tuple[IntentFacts, AttemptFacts, RefundFacts]] = []
            changes = _Changes()
            for each in heard:
                row = locked.get(each.refund_id)
                if row is None:
                    self._note(changes, each.channel, Oddity.UNKNOWN_REFUND, str(each.refund_id), "not in our books")
                    continue
                intent, attempt, refund = row
                verdict = rules.hear_refund(refund, each.answer)
                if verdict.oddity is not None:
                    self._note(changes, each.channel, verdict.oddity, str(each.refund_id), verdict.detail)
                refund = self._moved(refund, verdict.state)
                locked[each.refund_id] = intent, attempt, refund
                if refund != row[2] or verdict.answer:
                    moved[each.refund_id] = refund, verdict.answer
                if verdict.gave_money:
                    given.append((intent, attempt, refund))
            await self._write_refunds(tx, moved, given, changes)
        return [None] * len(heard)

    def _moved(self, refund: RefundFacts, state: RefundState) -> RefundFacts:
        ended_at = None if state is RefundState.REQUESTED else (refund.ended_at or self._clock.now())
        return msgspec.structs.replace(refund, state=state, ended_at=ended_at)

    async def _write_refunds(
        self,
        tx: Tx,
        moved: dict[UUID, tuple[RefundFacts, str]],
        given: Sequence[tuple[IntentFacts, AttemptFacts, RefundFacts]],
        changes: _Changes,
    ) -> None:
        now = self._clock.now()
        if moved:
            asked = [(i.intent_id, r.amount) for i, _, r in given if r.cause in _FROM_CAPTURE]
            transfers = [rules.refund_transfer(refund, attempt.channel) for _, attempt, refund in given]
            await store.write_refunds(tx, list(moved.values()), asked, transfers, now)
        if changes.oddities:
            await store.insert_discrepancies(tx, changes.oddities, now)
        await self._outbox.append(tx, *(_refunded(*each) for each in given))


def captured_event(
    intent: IntentFacts, attempt: AttemptFacts, captured_at: datetime, payer: str
) -> PaymentCaptured | PartCaptured:
    """Orders hear of their own payments, presales of deposits and balances: neither reads the other's."""
    if intent.purpose is Purpose.ORDER:
        return PaymentCaptured(
            intent_id=intent.intent_id,
            order_id=intent.order_id,
            attempt_id=attempt.attempt_id,
            channel=attempt.channel,
            amount=attempt.amount,
            currency=attempt.currency,
            captured_at=captured_at,
            payer=payer,
        )
    return PartCaptured(
        intent_id=intent.intent_id,
        order_id=intent.order_id,
        attempt_id=attempt.attempt_id,
        channel=attempt.channel,
        amount=attempt.amount,
        currency=attempt.currency,
        purpose=intent.purpose,
        captured_at=captured_at,
    )


def _says_again(heard: Heard, known: dict[UUID, tuple[str, int, str]]) -> bool:
    """Return whether this is money that is booked already, in every particular."""
    answer = heard.answer
    return isinstance(answer, Captured) and known.get(heard.attempt_id) == (
        heard.channel,
        answer.amount,
        answer.currency,
    )


def _refunded(intent: IntentFacts, attempt: AttemptFacts, refund: RefundFacts) -> PaymentRefunded:
    assert refund.ended_at is not None, "a confirmed refund has ended"
    return PaymentRefunded(
        intent_id=intent.intent_id,
        order_id=intent.order_id,
        refund_id=refund.refund_id,
        attempt_id=attempt.attempt_id,
        channel=attempt.channel,
        amount=refund.amount,
        currency=refund.currency,
        cause=refund.cause,
        refunded_at=refund.ended_at,
    )
