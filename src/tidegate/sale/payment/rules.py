"""Payment's decisions: pure and synchronous. Each ladder reads from top to bottom; time is an argument."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

import msgspec

from tidegate.base.errors import Refusal
from tidegate.sale.payment.contracts import (
    OUTSTANDING,
    AttemptState,
    IntentState,
    Purpose,
    RefundCause,
    RefundState,
)
from tidegate.sale.payment.errors import (
    AttemptsExhausted,
    IntentNotPayable,
    IntentUnknown,
    NothingCaptured,
    RefundExceedsCapture,
)
from tidegate.sale.payment.ports import (
    Captured,
    ChargeAnswer,
    Closed,
    Pending,
    RefundAnswer,
    RefundConfirmed,
    RefundRefused,
    Refused,
    Unknown,
    Unreached,
)

ATTEMPTS_MAX = 12
"""Attempts that one intent may have; failed-over ones count."""

CHECK_SECONDS = (0, 1, 2, 4, 8, 15, 30, 60)
"""Pauses before an outstanding attempt is asked for again; the last one repeats for ever."""

REFUND_SECONDS = (1, 2, 4, 8, 15, 30, 60, 300)
"""Pauses before a refund without an answer is sent again; the last one repeats for ever."""

PENDING_PATIENCE = timedelta(seconds=15)
"""How long a channel may say `pending` before the attempt is closed there."""


class IntentFacts(msgspec.Struct, frozen=True):
    """An intent as the database holds it."""

    intent_id: UUID
    order_id: UUID
    buyer_id: UUID
    amount: int
    currency: str
    state: IntentState
    attempts: int
    refunded: int
    expires_at: datetime
    purpose: Purpose = Purpose.ORDER


class AttemptFacts(msgspec.Struct, frozen=True):
    """An attempt as the database holds it."""

    attempt_id: UUID
    intent_id: UUID
    number: int
    channel: str
    chosen: bool
    amount: int
    currency: str
    state: AttemptState
    reason: str
    refund_reserved: int
    started_at: datetime
    ended_at: datetime | None
    taken: int | None = None
    """What the channel took, where that was another amount than was asked and staff settled it."""

    @property
    def money(self) -> int:
        """What the channel took, once it took it: what was asked, but for what staff settled."""
        return self.amount if self.taken is None else self.taken


class RefundFacts(msgspec.Struct, frozen=True):
    """A refund as the database holds it."""

    refund_id: UUID
    attempt_id: UUID
    amount: int
    currency: str
    cause: RefundCause
    reason: str
    state: RefundState
    requested_at: datetime
    ended_at: datetime | None


class Oddity(StrEnum):
    """Kinds of discrepancies."""

    AMOUNT_DIFFERS = "amount-differs"
    CURRENCY_DIFFERS = "currency-differs"
    CHANNEL_DIFFERS = "channel-differs"
    UNKNOWN_ATTEMPT = "unknown-attempt"
    UNKNOWN_REFUND = "unknown-refund"
    CHARGED_AFTER_END = "charged-after-end"
    DENIED_AFTER_CAPTURE = "denied-after-capture"
    REFUND_REFUSED = "refund-refused"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer about an attempt changes. `took_money` is true once an attempt: when its money arrives."""

    attempt: AttemptState
    intent: IntentState
    reason: str = ""
    reference: str = ""
    took_money: bool = False
    oddity: Oddity | None = None
    detail: str = ""


BeginVerdict: TypeAlias = IntentState | Refusal
"""CONFIRMING: begin an attempt. CAPTURED: nothing left to do. Otherwise why not."""


def begin(intent: IntentFacts | None, buyer_id: UUID, now: datetime) -> BeginVerdict | None:
    """Return None where an attempt may begin, else the state that already answers, or the refusal."""
    if intent is None or intent.buyer_id != buyer_id:
        return IntentUnknown("There is no such payment on this account. Nothing was charged. Look under your orders.")
    match intent.state:
        case IntentState.CAPTURED | IntentState.CONFIRMING:
            return intent.state
        case IntentState.CLOSED:
            return IntentNotPayable("This payment is closed. Nothing was charged. Please place the order again.")
        case IntentState.OPEN:
            return _begin_open(intent, now)
        case _:
            assert_never(intent.state)


def _begin_open(intent: IntentFacts, now: datetime) -> Refusal | None:
    if intent.expires_at <= now:
        return IntentNotPayable("The time to pay is over. Nothing was charged. Please place the order again.")
    if intent.attempts >= ATTEMPTS_MAX:
        return AttemptsExhausted(
            f"This payment was tried {ATTEMPTS_MAX} times, as often as is allowed. Nothing is charged for it. "
            "Please place the order again, or ask our service."
        )
    return None


def hear(intent: IntentFacts, attempt: AttemptFacts, channel: str, answer: ChargeAnswer) -> Verdict:
    """Return what an answer of `channel` about `attempt` changes. The same answer again changes nothing."""
    if channel != attempt.channel:
        return _odd(intent, attempt, Oddity.CHANNEL_DIFFERS, f"{channel} spoke of an attempt at {attempt.channel}")
    match answer:
        case Captured():
            return _hear_captured(intent, attempt, answer)
        case Pending(reference=reference):
            moves = attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN}
            state = AttemptState.PENDING if moves else attempt.state
            return Verdict(attempt=state, intent=intent.state, reference=reference, reason=attempt.reason)
        case Refused() | Unreached() | Closed():
            return _hear_end(intent, attempt, answer)
        case Unknown(reason=reason):
            moves = attempt.state is AttemptState.STARTED
            state = AttemptState.UNKNOWN if moves else attempt.state
            return Verdict(attempt=state, intent=intent.state, reason=reason if moves else attempt.reason)
        case _:
            assert_never(answer)


def _hear_captured(intent: IntentFacts, attempt: AttemptFacts, answer: Captured) -> Verdict:
    """Money arrived: whose amount is it, is it news, and can the intent use it?"""
    if answer.currency != attempt.currency:
        return _odd(intent, attempt, Oddity.CURRENCY_DIFFERS, f"{answer.currency} instead of {attempt.currency}")
    if answer.amount != attempt.money:
        return _odd(intent, attempt, Oddity.AMOUNT_DIFFERS, f"{answer.amount} instead of {attempt.money}")
    if attempt.state in {AttemptState.CAPTURED, AttemptState.SURPLUS}:
        return Verdict(attempt=attempt.state, intent=intent.state, reason=attempt.reason)
    usable = intent.state in {IntentState.OPEN, IntentState.CONFIRMING}
    broke_word = attempt.state not in OUTSTANDING
    return Verdict(
        attempt=AttemptState.CAPTURED if usable else AttemptState.SURPLUS,
        intent=IntentState.CAPTURED if usable else intent.state,
        reference=answer.reference,
        took_money=True,
        oddity=Oddity.CHARGED_AFTER_END if broke_word else None,
        detail=f"charged although the attempt was {attempt.state}" if broke_word else "",
    )


def _hear_end(intent: IntentFacts, attempt: AttemptFacts, answer: Refused | Unreached | Closed) -> Verdict:
    """The attempt ended without money, so that another one may begin."""
    match answer:
        case Refused(reason=reason):
            state = AttemptState.REFUSED
        case Unreached(reason=reason):
            state = AttemptState.UNREACHED
        case Closed():
            state, reason = AttemptState.CLOSED, attempt.reason or "closed"
    if attempt.state in {AttemptState.CAPTURED, AttemptState.SURPLUS}:
        return _odd(intent, attempt, Oddity.DENIED_AFTER_CAPTURE, f"{state} although it was {attempt.state}")
    if attempt.state not in OUTSTANDING:
        return Verdict(attempt=attempt.state, intent=intent.state, reason=attempt.reason)
    after = IntentState.OPEN if intent.state is IntentState.CONFIRMING else intent.state
    return Verdict(attempt=state, intent=after, reason=reason)


def _odd(intent: IntentFacts, attempt: AttemptFacts, oddity: Oddity, detail: str) -> Verdict:
    """Record it and change nothing."""
    return Verdict(attempt=attempt.state, intent=intent.state, reason=attempt.reason, oddity=oddity, detail=detail)


class RefundVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer about a refund changes. `gave_money` is true once a refund."""

    state: RefundState
    answer: str = ""
    gave_money: bool = False
    oddity: Oddity | None = None
    detail: str = ""


def hear_refund(refund: RefundFacts, answer: RefundAnswer) -> RefundVerdict:
    """Return what a channel's answer about a refund changes. The same answer again changes nothing."""
    if refund.state is RefundState.CONFIRMED:
        return RefundVerdict(state=refund.state)
    match answer:
        case RefundConfirmed(amount=amount, currency=currency):
            if (amount, currency) != (refund.amount, refund.currency):
                told = f"{amount} {currency} instead of {refund.amount} {refund.currency}"
                return RefundVerdict(state=refund.state, oddity=Oddity.AMOUNT_DIFFERS, detail=told)
            return RefundVerdict(state=RefundState.CONFIRMED, gave_money=True)
        case RefundRefused(reason=reason):
            return RefundVerdict(
                state=RefundState.REFUSED, answer=reason, oddity=Oddity.REFUND_REFUSED, detail=reason or "refused"
            )
        case Unknown(reason=reason):
            return RefundVerdict(state=refund.state, answer=reason)
        case _:
            assert_never(answer)


def refund_refusal(captured: AttemptFacts | None, amount: int) -> Refusal | None:
    """Return why `amount` cannot be given back, or None."""
    if captured is None:
        return NothingCaptured("Nothing was paid for this order, so nothing can be given back. Nothing was changed.")
    left = captured.money - captured.refund_reserved
    if not 0 < amount <= left:
        return RefundExceedsCapture(
            f"A refund of {amount} was asked for, but {left} of the captured {captured.money} can be given back. "
            "Nothing was refunded. Ask for at most that.",
            left=left,
        )
    return None


def compensation_refusal(captured: AttemptFacts | None, paid_before: int, amount: int) -> Refusal | None:
    """Return why `amount` cannot be paid beyond what was charged, or None: at most as much again is."""
    if captured is None:
        return NothingCaptured("Nothing was paid, so there is nobody to pay to. Nothing was changed.")
    left = captured.amount - paid_before
    if not 0 < amount <= left:
        return RefundExceedsCapture(
            f"A compensation of {amount} was asked for, but {left} beyond the captured {captured.amount} can be paid. "
            "Nothing was paid. Ask for at most that.",
            left=left,
        )
    return None


def must_close(attempt: AttemptFacts, now: datetime) -> bool:
    """Return whether an attempt that the channel still calls pending is to be closed there now."""
    return now - attempt.started_at >= PENDING_PATIENCE


def may_fail_over(intent: IntentFacts, attempt: AttemptFacts, now: datetime) -> bool:
    """Return whether another channel may be tried by itself: the buyer left the choice to us and was not refused."""
    if attempt.chosen or attempt.state not in {AttemptState.UNREACHED, AttemptState.CLOSED}:
        return False
    return intent.state is IntentState.OPEN and intent.expires_at > now and intent.attempts < ATTEMPTS_MAX


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger."""

    kind: str
    reference: UUID
    debit_account: str
    credit_account: str
    amount: int
    currency: str


def capture_transfer(attempt: AttemptFacts, state: AttemptState, purpose: Purpose = Purpose.ORDER) -> Transfer:
    """Return the booking of money that arrived: a sale, or surplus or a deposit, which we owe to the buyer."""
    surplus = state is AttemptState.SURPLUS
    earned = "deposits" if purpose is Purpose.DEPOSIT else "sales"
    return Transfer(
        kind="surplus" if surplus else "capture",
        reference=attempt.attempt_id,
        debit_account=f"channel:{attempt.channel}",
        credit_account="surplus" if surplus else earned,
        amount=attempt.amount,
        currency=attempt.currency,
    )


def hand_transfers(attempt: AttemptFacts, purpose: Purpose) -> list[Transfer]:
    """Return the bookings of a charge that staff settled, all of it: what it pays for, and what goes back."""
    whole = capture_transfer(attempt, attempt.state, purpose)
    if attempt.state is not AttemptState.CAPTURED:
        return [msgspec.structs.replace(whole, amount=attempt.money)]
    beyond = capture_transfer(attempt, AttemptState.SURPLUS, purpose)
    return [whole, msgspec.structs.replace(beyond, amount=attempt.money - attempt.amount)]


_GIVEN_FROM = {
    RefundCause.ASKED: "refunds",
    RefundCause.SURPLUS: "surplus",
    RefundCause.DEPOSIT: "deposits",
    RefundCause.COMPENSATION: "compensation",
}


def deposit_transfer(intent: IntentFacts, *, forfeited: bool) -> Transfer:
    """Return the booking of a captured deposit that is owed no more: it pays for goods, or was lost by the buyer."""
    return Transfer(
        kind="forfeit" if forfeited else "applied",
        reference=intent.intent_id,
        debit_account="deposits",
        credit_account="forfeits" if forfeited else "sales",
        amount=intent.amount,
        currency=intent.currency,
    )


def refund_transfer(refund: RefundFacts, channel: str) -> Transfer:
    """Return the booking of money that went back, or that was paid beyond what was charged."""
    return Transfer(
        kind="compensation" if refund.cause is RefundCause.COMPENSATION else "refund",
        reference=refund.refund_id,
        debit_account=_GIVEN_FROM[refund.cause],
        credit_account=f"channel:{channel}",
        amount=refund.amount,
        currency=refund.currency,
    )


def choose(offered: Sequence[tuple[str, int]], draw: float) -> str:
    """Return one of the named channels, by weight; `draw` is in [0, 1)."""
    total = sum(weight for _, weight in offered)
    mark = draw * total
    for name, weight in offered:
        mark -= weight
        if mark < 0:
            return name
    return offered[-1][0]
