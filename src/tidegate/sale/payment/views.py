"""Facts as people see them."""

from collections.abc import Sequence

from tidegate.sale.payment.contracts import AttemptState, AttemptView, PaymentView, RefundView
from tidegate.sale.payment.errors import IntentUnknown
from tidegate.sale.payment.lane import Outcome
from tidegate.sale.payment.rules import AttemptFacts, IntentFacts, RefundFacts


def outcome_view(outcome: Outcome | None) -> PaymentView:
    """Return the payment with the attempt in question only."""
    if outcome is None or outcome.intent is None:
        raise IntentUnknown("There is no such payment. Nothing was charged.")
    return view_of(outcome.intent, [outcome.attempt] if outcome.attempt else [], [])


def view_of(intent: IntentFacts, attempts: Sequence[AttemptFacts], refunds: Sequence[RefundFacts]) -> PaymentView:
    """Return the payment with these attempts and refunds; it shows the channel that captured, or the last one."""
    captured = next((each for each in attempts if each.state is AttemptState.CAPTURED), None)
    told = captured or (attempts[-1] if attempts else None)
    return PaymentView(
        intent_id=intent.intent_id,
        order_id=intent.order_id,
        state=intent.state,
        amount=intent.amount,
        currency=intent.currency,
        expires_at=intent.expires_at,
        channel=told.channel if told else "",
        reason=told.reason if told else "",
        refunded=intent.refunded,
        attempts=tuple(_attempt_view(each) for each in attempts),
        refunds=tuple(_refund_view(each) for each in refunds),
    )


def _attempt_view(attempt: AttemptFacts) -> AttemptView:
    return AttemptView(
        attempt_id=attempt.attempt_id,
        number=attempt.number,
        channel=attempt.channel,
        state=attempt.state,
        amount=attempt.amount,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        reason=attempt.reason,
    )


def _refund_view(refund: RefundFacts) -> RefundView:
    return RefundView(
        refund_id=refund.refund_id,
        attempt_id=refund.attempt_id,
        amount=refund.amount,
        cause=refund.cause,
        reason=refund.reason,
        state=refund.state,
        requested_at=refund.requested_at,
        ended_at=refund.ended_at,
    )
