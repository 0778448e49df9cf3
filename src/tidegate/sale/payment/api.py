"""Payment's use cases."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from time import perf_counter
from typing import Any
from uuid import UUID

from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.config import ChannelSetting
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.base.metrics import faults
from tidegate.base.outbox import Outbox
from tidegate.sale.payment import reconciliation, rules, store, store_figures, store_hand, store_ledger, store_payers
from tidegate.sale.payment.adapters.sandbox import sandbox_adapters
from tidegate.sale.payment.contracts import (
    AccountBalance,
    AttemptState,
    ChannelView,
    Charged,
    DiscrepancyView,
    HandRemedy,
    IntentState,
    OpenIntent,
    PaymentClosed,
    PaymentView,
    Purpose,
    RefundCause,
    RefundId,
    SettledByHand,
)
from tidegate.sale.payment.enquiry import Enquiry
from tidegate.sale.payment.errors import (
    ChannelSilent,
    ChannelUnknown,
    IntentUnknown,
    NoChannelAvailable,
    NothingCaptured,
    RefundNotRefused,
)
from tidegate.sale.payment.health import ChannelHealth
from tidegate.sale.payment.lane import Begin, Heard, Lane, Outcome, RefundHeard
from tidegate.sale.payment.metrics import call_seconds
from tidegate.sale.payment.ports import (
    Captured,
    Channel,
    ChargeHeard,
    ChargeRequest,
    Unknown,
    Unreached,
)
from tidegate.sale.payment.rules import AttemptFacts, RefundFacts
from tidegate.sale.payment.settling import ByHand
from tidegate.sale.payment.store_figures import LedgerSums, Takings
from tidegate.sale.payment.views import outcome_view, view_of
from tidegate.sale.stock.contracts import Fingerprint

log = logging.getLogger(__name__)

_CLAIM_MAX = 200
_HEAL_MAX = 500
_EARLIER = timedelta(hours=24)
_LATER = timedelta(hours=1)


class Payment:
    """Takes each order's money once, and gives back what is owed.

    Methods with `tx` write in the caller's transaction. The others talk to channels: they open short transactions
    of their own, before and after each call, and must not be used inside one.
    """

    def __init__(
        self,
        db: Database,
        cache: Cache,
        clock: Clock,
        ids: Ids,
        outbox: Outbox,
        channels: Sequence[ChannelSetting],
        *,
        public_url: str,
        adapters: Sequence[Channel] = (),
        randomness: Random | None = None,
        call_seconds_max: float = 3.0,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        speaks = adapters or sandbox_adapters(channels, public_url=public_url, call_seconds_max=call_seconds_max)
        self._channels: dict[str, Channel] = {each.name: each for each in speaks}
        self._health = ChannelHealth(cache, channels, randomness=randomness or Random())  # noqa: S311 spreads load
        self._lane = Lane(db, clock, ids, outbox, call_seconds_max=call_seconds_max)
        self._enquiry = Enquiry(self._channels, clock)
        self._by_hand = ByHand(db, clock, ids, outbox, self._channels)
        self._tasks: set[asyncio.Task[None]] = set()

    # What orders ask for, in their own transaction

    async def open_intents(self, tx: Tx, intents: Sequence[OpenIntent]) -> None:
        """Record what orders have to pay, in one statement. Amounts are minor units, at least 1."""
        if intents:
            await store.insert_intents(tx, intents, self._clock.now())

    async def close_intents(self, tx: Tx, intent_ids: Iterable[UUID]) -> set[UUID]:
        """Close those for which nothing is under way, in one statement; return which are closed.

        An intent with an outstanding attempt or with captured money is left alone and not returned; ask again later.
        One that was closed before is returned again. Money that arrives after closing goes back by itself.
        """
        rows = await store.close_open(tx, list(intent_ids), self._clock.now())
        fresh = [(intent_id, order_id) for intent_id, order_id, now_closed in rows if now_closed]
        events = [PaymentClosed(intent_id=i, order_id=o, closed_at=self._clock.now()) for i, o in fresh]
        await self._outbox.append(tx, *events)
        return {intent_id for intent_id, _, _ in rows}

    async def refund(
        self, tx: Tx, intent_id: UUID, amount: int, reason: str, cause: RefundCause = RefundCause.ASKED
    ) -> RefundId:
        """Promise `amount` (minor units) of a captured intent back; the worker sends it until the channel confirms.

        Raises IntentUnknown, NothingCaptured, RefundExceedsCapture. PaymentRefunded follows when it is confirmed.
        """
        captured = await self._captured(tx, intent_id)
        refusal = rules.refund_refusal(captured, amount)
        if refusal is not None or captured is None:
            raise refusal or AssertionError
        return await self._promise(tx, captured, amount, cause, reason)

    async def send_again(self, tx: Tx, refund_id: UUID, by: str) -> None:
        """Send a refund that its channel refused again, at the word of a member of staff, named in `by`.

        Raises RefundNotRefused.
        """
        if not await store.send_again(tx, refund_id, f"sent again by {by}", self._clock.now()):
            raise RefundNotRefused("This refund was not refused. Nothing was sent. Look at the order again.")

    async def charged(self, attempt_id: UUID) -> Charged:
        """Ask the channel what it took for an attempt that waits for a person; not inside a transaction.

        Raises NothingToSettle, ChannelSilent.
        """
        return await self._by_hand.charged(attempt_id)

    async def settle_by_hand(
        self, attempt_id: UUID, remedy: HandRemedy, *, taken: int, reason: str, by: str
    ) -> SettledByHand:
        """Accept a charge of another amount for what was asked, or give all of it back, at the word of staff.

        Not inside a transaction. Decided again, it is what was decided first. Raises NothingToSettle, ChannelSilent,
        ChargeChanged, CannotAccept.
        """
        return await self._by_hand.settle(attempt_id, remedy, taken=taken, reason=reason, by=by)

    async def settlements_of(self, tx: Tx, order_id: UUID) -> list[SettledByHand]:
        """Return what staff decided about charges for an order, oldest first."""
        return await store_hand.settlements_of(tx, order_id)

    async def odd_among(self, tx: Tx, attempt_ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the attempts that wait for a person: another amount was taken than was asked."""
        return await store_hand.odd_among(tx, attempt_ids)

    async def compensate(self, tx: Tx, intent_id: UUID, amount: int, reason: str) -> RefundId:
        """Promise `amount` (minor units) of our own money to whoever paid an intent, beyond what was charged.

        At most as much again as was captured, over all compensations of the intent.
        Raises IntentUnknown, NothingCaptured, RefundExceedsCapture. PaymentRefunded follows when it is confirmed.
        """
        captured = await self._captured(tx, intent_id)
        before = sum(
            each.amount for each in await store.find_refunds(tx, intent_id) if each.cause is RefundCause.COMPENSATION
        )
        refusal = rules.compensation_refusal(captured, before, amount)
        if refusal is not None or captured is None:
            raise refusal or AssertionError
        return await self._promise(tx, captured, amount, RefundCause.COMPENSATION, reason)

    async def apply_deposits(self, tx: Tx, intent_ids: Iterable[UUID]) -> None:
        """Book these captured deposits as part of what goods were paid with. Raises NothingCaptured."""
        await self._settle(tx, intent_ids, forfeited=False)

    async def forfeit_deposits(self, tx: Tx, intent_ids: Iterable[UUID]) -> None:
        """Book these captured deposits as lost by their buyers. Raises NothingCaptured."""
        await self._settle(tx, intent_ids, forfeited=True)

    async def _settle(self, tx: Tx, intent_ids: Iterable[UUID], *, forfeited: bool) -> None:
        intents = await store.lock_intents(tx, intent_ids)
        if any(each.state is not IntentState.CAPTURED or each.purpose is not Purpose.DEPOSIT for each in intents):
            raise NothingCaptured("One of these is no captured deposit. Nothing was booked.")
        transfers = [rules.deposit_transfer(intent, forfeited=forfeited) for intent in intents]
        if transfers:
            await store_ledger.book(tx, transfers, self._clock.now())

    async def _captured(self, tx: Tx, intent_id: UUID) -> AttemptFacts | None:
        if not await store.lock_intents(tx, [intent_id]):
            raise IntentUnknown("There is no such payment. Nothing was refunded. Check the order's number.")
        attempts = await store.find_attempts(tx, intent_id)
        return next((each for each in attempts if each.state is AttemptState.CAPTURED), None)

    async def _promise(self, tx: Tx, captured: AttemptFacts, amount: int, cause: RefundCause, reason: str) -> RefundId:
        refund_id = RefundId(self._ids.new())
        row = (refund_id, captured.attempt_id, amount, cause, reason)
        await store.reserve_refunds(tx, [row], self._clock.now())
        return refund_id

    async def view(
        self, tx: Tx, order_id: UUID, buyer_id: UUID | None = None, *, deposit_id: UUID | None = None
    ) -> PaymentView:
        """Return an order's payment with all its attempts and refunds; with `buyer_id`, only that buyer's.

        With `deposit_id` the refunds of that payment stand among them. Raises IntentUnknown.
        """
        intent = await store.find_intent(tx, order_id)
        if intent is None or buyer_id not in {None, intent.buyer_id}:
            raise IntentUnknown("There is no payment for this order on this account. Look under your orders.")
        attempts = await store.find_attempts(tx, intent.intent_id)
        refunds = await store.find_refunds(tx, intent.intent_id) if attempts else []
        refunds += await store.find_refunds(tx, deposit_id) if deposit_id else []
        return view_of(intent, attempts, refunds)

    # Paying

    async def pay(self, intent_id: UUID, buyer_id: UUID, channel: str | None = None) -> PaymentView:
        """Charge an intent once, at `channel` or at the best one that works.

        Returns it captured; or confirming, when the outcome is not known yet and is being asked for; or open with a
        reason, when it was refused. A channel that was never reached is left for the next one at once.
        Raises IntentUnknown, IntentNotPayable, AttemptsExhausted, ChannelUnknown, NoChannelAvailable, Overloaded.
        """
        return await self._pay(intent_id, buyer_id, channel, by_order=False)

    async def pay_order(self, order_id: UUID, buyer_id: UUID, channel: str | None = None) -> PaymentView:
        """Do as `pay` does, for the intent of an order."""
        return await self._pay(order_id, buyer_id, channel, by_order=True)

    async def take_callback(self, channel: str, signature: str, body: bytes) -> None:
        """Check a channel's message, and record what it says; the same message again changes nothing.

        Raises ChannelUnknown, CallbackNotSigned (before anything is parsed), CallbackMalformed.
        """
        known = self._channels.get(channel)
        if known is None:
            raise ChannelUnknown(f"There is no payment channel {channel!r}. The message was not read.")
        heard = known.read_callback(signature, body)
        if isinstance(heard, ChargeHeard):
            await self._lane.answers.submit(Heard(heard.attempt_id, channel, heard.answer, repeated=True))
        else:
            await self._lane.refund_answers.submit(RefundHeard(heard.refund_id, channel, heard.answer))

    # What the processes repeat

    async def refresh(self) -> None:
        """Share channel health with the other processes, and ask channels that were left whether they are back.

        Every process that pays calls this each second; it does not wait for the channels.
        """
        await self._health.refresh()
        for name in self._health.silent():
            self._health.answered(name, good=False)
            self._keep(self._ask_back(name))

    async def resolve_due(self) -> int:
        """Ask about attempts whose outcome is not known and that are due; return how many. The worker repeats it."""
        async with self._db.transaction() as tx:
            due = await store.claim_attempts(tx, self._clock.now(), _CLAIM_MAX)
        await self._each("payment.resolve", [self._resolve(each) for each in due])
        return len(due)

    async def send_refunds_due(self) -> int:
        """Send refunds that are due; return how many. The worker repeats it."""
        async with self._db.transaction() as tx:
            due = await store.claim_refunds(tx, self._clock.now(), _CLAIM_MAX)
        await self._each("payment.refund", [self._send_refund(refund, channel) for refund, channel in due])
        return len(due)

    async def close(self) -> None:
        """Close the connections to the channels."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for channel in self._channels.values():
            await channel.disconnect()

    # Looking at the books

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the configured channels."""
        return tuple(self._channels)

    async def channels(self, tx: Tx) -> list[ChannelView]:
        """Return each channel's health over the last seconds, and how many attempts are outstanding there."""
        outstanding = await store_ledger.outstanding_by_channel(tx)
        views = []
        for name in self._channels:
            state, calls, failures = self._health.look(name)
            count, oldest_at = outstanding.get(name, (0, None))
            views.append(
                ChannelView(
                    name=name,
                    weight=self._health.weight(name),
                    state=state,
                    calls=calls,
                    failures=failures,
                    outstanding=count,
                    oldest_outstanding_at=oldest_at,
                )
            )
        return views

    async def balances(self, tx: Tx) -> list[AccountBalance]:
        """Return the ledger's accounts with their sums, minor units; all balances together are 0."""
        return await store_ledger.balances(tx)

    async def discrepancies(self, tx: Tx, since_at: datetime, limit: int = 100) -> list[DiscrepancyView]:
        """Return what channels said since `since_at` that does not fit our books, latest first."""
        return await store_ledger.discrepancies_since(tx, since_at, limit)

    async def attempts_between(self, tx: Tx, since_at: datetime, until_at: datetime) -> dict[str, dict[str, int]]:
        """Return each channel's attempts begun in the span: captured, declined, failed, or unknown as yet."""
        counted: dict[str, dict[str, int]] = {}
        for channel, outcome, count in await store_ledger.attempts_between(tx, since_at, until_at):
            counted.setdefault(channel, {})[outcome] = count
        return counted

    async def payers_of(self, tx: Tx, buyer_ids: Sequence[UUID]) -> dict[UUID, str]:
        """Return a digest of the account at a channel from which each shopper paid last, as far as channels tell; one
        statement.
        """
        return await store_payers.payers(tx, buyer_ids)

    async def takings(self, tx: Tx, since_at: datetime, until_at: datetime) -> Takings:
        """Return what became of the intents opened in the span: tried, captured, refunded."""
        return await store_figures.takings(tx, since_at, until_at)

    async def ledger_sums(self, tx: Tx, order_ids: Sequence[UUID]) -> LedgerSums:
        """Return what the ledger has booked for these orders, in minor units."""
        return await store_figures.ledger_sums(tx, order_ids)

    async def captured_fingerprint(
        self, tx: Tx, purpose: Purpose = Purpose.ORDER, *, leaving_out: Sequence[UUID] = ()
    ) -> Fingerprint:
        """Return the fingerprint of (order, amount) over all captured intents of a purpose, to compare with orders."""
        return await store_ledger.captured_fingerprint(tx, purpose, leaving_out)

    async def settled_fingerprint(self, tx: Tx, *, forfeited: bool) -> Fingerprint:
        """Return the fingerprint of (deposit, amount) over all deposits that were forfeited, or applied."""
        return await store_ledger.settled_fingerprint(tx, forfeited=forfeited)

    async def asked_fingerprint(self, tx: Tx) -> Fingerprint:
        """Return the fingerprint of (refund, amount) over all refunds that orders asked for."""
        return await store_ledger.asked_fingerprint(tx)

    async def reports(self, tx: Tx) -> list[reconciliation.Report]:
        """Return the latest reconciliation of each channel."""
        return await store_ledger.latest_reports(tx)

    async def reconcile(self, channel: str, from_at: datetime, to_at: datetime) -> reconciliation.Report:
        """Compare our ledger with a channel's statement from `from_at` until before `to_at`, and keep the report.

        Charges that are missing here and belong to an attempt of ours are recorded as money that arrived.
        Raises ChannelUnknown, ChannelSilent.
        """
        known = self._channels.get(channel)
        if known is None:
            raise ChannelUnknown(f"There is no payment channel {channel!r}. Nothing was compared.")
        pages = [page async for page in known.statement(from_at - _EARLIER, to_at + _LATER)]
        theirs = [
            reconciliation.Entry(line.kind, line.reference, line.amount, line.currency, line.booked_at)
            for page in pages
            for line in page
        ]
        async with self._db.transaction() as tx:
            found = await store_ledger.both_books(tx, channel, theirs, from_at, to_at)
            report = reconciliation.report(
                found,
                report_id=self._ids.new(),
                channel=channel,
                from_at=from_at,
                to_at=to_at,
                made_at=self._clock.now(),
            )
            await store_ledger.insert_report(tx, report)
        await self._heal(channel, report)
        return report

    async def reconcile_all(self, span: timedelta) -> None:
        """Reconcile each channel over the last `span`; one that does not answer is left for the next time."""
        now = self._clock.now()
        for name in self._channels:
            try:
                report = await self.reconcile(name, now - span, now)
            except ChannelSilent:
                log.warning("channel %s gave no statement; it is asked again", name)
                continue
            if not report.clean:
                log.error("the books of channel %s differ from ours: report %s", name, report.report_id)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold payment's invariants against the database."""
        return await store_ledger.check(tx)

    async def _pay(
        self, key: UUID, buyer_id: UUID, wanted: str | None, *, by_order: bool, left: Sequence[str] = ()
    ) -> PaymentView:
        """Record the attempt, commit, call the channel, record the outcome; next channel where that is certain.

        Channels that were `left` before are not tried.
        """
        tried = list(left)
        last: Outcome | None = None
        while True:
            channel = self._pick(wanted, tried, last)
            if channel is None:
                return outcome_view(last)
            begun = await self._lane.begins.submit(Begin(key, by_order, buyer_id, channel, wanted is not None))
            if begun.attempt is None:
                return outcome_view(begun)
            last = await self._charge(begun.attempt)
            if not self._may_fail_over(last):
                return outcome_view(last)
            tried.append(channel)

    def _pick(self, wanted: str | None, tried: Sequence[str], last: Outcome | None) -> str | None:
        try:
            return self._health.pick(wanted, tried)
        except NoChannelAvailable:
            if last is None:
                raise
            return None

    async def _charge(self, attempt: AttemptFacts) -> Outcome:
        """Call the channel, outside any transaction, and record what it says."""
        request = ChargeRequest(
            attempt_id=attempt.attempt_id, amount=attempt.amount, currency=attempt.currency, subject=attempt.intent_id
        )
        began = perf_counter()
        answer = await self._channels[attempt.channel].charge(request)
        call_seconds.labels(attempt.channel, type(answer).__name__.lower()).observe(perf_counter() - began)
        self._health.record(attempt.channel, good=not isinstance(answer, (Unreached, Unknown)))
        return await self._lane.answers.submit(Heard(attempt.attempt_id, attempt.channel, answer))

    def _may_fail_over(self, outcome: Outcome) -> bool:
        if outcome.intent is None or outcome.attempt is None:
            return False
        return rules.may_fail_over(outcome.intent, outcome.attempt, self._clock.now())

    async def _resolve(self, attempt: AttemptFacts) -> None:
        """Find out what became of an attempt; where it never charged and never will, pay through another channel."""
        answer = await self._enquiry.about(attempt)
        outcome = await self._lane.answers.submit(Heard(attempt.attempt_id, attempt.channel, answer))
        if not self._may_fail_over(outcome) or outcome.intent is None:
            return
        intent_id, buyer_id = outcome.intent.intent_id, outcome.intent.buyer_id
        try:
            await self._pay(intent_id, buyer_id, None, by_order=False, left=[attempt.channel])
        except NoChannelAvailable:  # then the one that was left may be back
            await self.pay(intent_id, buyer_id)

    async def _send_refund(self, refund: RefundFacts, channel: str) -> None:
        answer = await self._enquiry.send_refund(refund, channel)
        await self._lane.refund_answers.submit(RefundHeard(refund.refund_id, channel, answer))

    async def _ask_back(self, name: str) -> None:
        """Ask a silent channel about an attempt that does not exist: moves no money, and no buyer waits for it."""
        answer = await self._channels[name].query(self._ids.new())
        self._health.answered(name, good=not isinstance(answer, Unknown))

    async def _each(self, name: str, works: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Do all; one that fails is logged and counted, its turn comes again."""
        for fault in await asyncio.gather(*works, return_exceptions=True):
            if isinstance(fault, Refusal):
                log.info("%s waits for its next turn: %s", name, fault.detail)
            elif isinstance(fault, Exception):
                log.error("%s failed and is tried again", name, exc_info=fault)
                faults.labels(name).inc()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _heal(self, channel: str, report: reconciliation.Report) -> None:
        """Record charges that the channel has and we did not hear of; the lane tells what becomes of them."""
        charges = [each for each in report.missing_here if each.kind == "charge" and each.theirs]
        for each in charges[:_HEAL_MAX]:
            answer = Captured(amount=each.theirs or 0, currency=each.currency)
            await self._lane.answers.submit(Heard(UUID(each.reference), channel, answer))
