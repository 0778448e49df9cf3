"""The ladders, and the laws that hold whatever channels say in whatever order."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.sale.payment import rules
from tidegate.sale.payment.contracts import OUTSTANDING, AttemptState, IntentState, RefundCause, RefundState
from tidegate.sale.payment.errors import AttemptsExhausted, IntentNotPayable, IntentUnknown, RefundExceedsCapture
from tidegate.sale.payment.ports import (
    Captured,
    ChargeAnswer,
    Closed,
    Pending,
    RefundConfirmed,
    RefundRefused,
    Refused,
    Unknown,
    Unreached,
)
from tidegate.sale.payment.rules import AttemptFacts, IntentFacts, Oddity, RefundFacts

NOW = datetime(2026, 11, 11, tzinfo=UTC)
BUYER = uuid4()


def intent_in(state: IntentState, *, attempts: int = 0, minutes: int = 15) -> IntentFacts:
    return IntentFacts(uuid4(), uuid4(), BUYER, 500, "CNY", state, attempts, 0, NOW + timedelta(minutes=minutes))


def attempt_in(state: AttemptState, *, number: int = 1, chosen: bool = False) -> AttemptFacts:
    ended_at = None if state in OUTSTANDING else NOW
    return AttemptFacts(uuid4(), uuid4(), number, "harbour", chosen, 500, "CNY", state, "", 0, NOW, ended_at)


def refund_in(state: RefundState) -> RefundFacts:
    ended_at = None if state is RefundState.REQUESTED else NOW
    return RefundFacts(uuid4(), uuid4(), 200, "CNY", RefundCause.ASKED, "", state, NOW, ended_at)


PAID = Captured(amount=500, currency="CNY", reference="c1")


@pytest.mark.parametrize(
    ("intent", "buyer", "answer"),
    [
        (None, BUYER, IntentUnknown),
        (intent_in(IntentState.OPEN), uuid4(), IntentUnknown),
        (intent_in(IntentState.CAPTURED), BUYER, IntentState.CAPTURED),
        (intent_in(IntentState.CONFIRMING), BUYER, IntentState.CONFIRMING),
        (intent_in(IntentState.CLOSED), BUYER, IntentNotPayable),
        (intent_in(IntentState.OPEN, minutes=0), BUYER, IntentNotPayable),
        (intent_in(IntentState.OPEN, attempts=rules.ATTEMPTS_MAX), BUYER, AttemptsExhausted),
        (intent_in(IntentState.OPEN, attempts=rules.ATTEMPTS_MAX - 1), BUYER, None),
    ],
)
def test_an_attempt_begins_only_on_an_open_intent_of_its_buyer(
    intent: IntentFacts | None, buyer: UUID, answer: object
) -> None:
    verdict = rules.begin(intent, buyer, NOW)
    assert verdict is answer or type(verdict) is answer


@pytest.mark.parametrize(
    ("intent", "attempt", "answer", "intent_after", "attempt_after", "took_money", "oddity"),
    [
        ("confirming", "started", PAID, "captured", "captured", True, None),
        ("confirming", "unknown", PAID, "captured", "captured", True, None),
        ("confirming", "started", Pending(), "confirming", "pending", False, None),
        ("confirming", "started", Unknown(reason="timeout"), "confirming", "unknown", False, None),
        ("confirming", "pending", Unknown(reason="timeout"), "confirming", "pending", False, None),
        ("confirming", "unknown", Pending(), "confirming", "pending", False, None),
        ("confirming", "started", Refused(reason="no"), "open", "refused", False, None),
        ("confirming", "started", Unreached(reason="refused"), "open", "unreached", False, None),
        ("confirming", "unknown", Closed(), "open", "closed", False, None),
        ("captured", "captured", PAID, "captured", "captured", False, None),
        ("captured", "captured", Pending(), "captured", "captured", False, None),
        ("captured", "captured", Unknown(reason="late"), "captured", "captured", False, None),
        ("captured", "captured", Closed(), "captured", "captured", False, Oddity.DENIED_AFTER_CAPTURE),
        ("captured", "started", PAID, "captured", "surplus", True, None),
        ("captured", "unknown", Closed(), "captured", "closed", False, None),
        ("closed", "closed", PAID, "closed", "surplus", True, Oddity.CHARGED_AFTER_END),
        ("open", "refused", PAID, "captured", "captured", True, Oddity.CHARGED_AFTER_END),
        ("confirming", "closed", PAID, "captured", "captured", True, Oddity.CHARGED_AFTER_END),
        ("closed", "surplus", PAID, "closed", "surplus", False, None),
        ("open", "closed", Pending(), "open", "closed", False, None),
        ("open", "refused", Closed(), "open", "refused", False, None),
        (
            "confirming",
            "started",
            Captured(amount=499, currency="CNY"),
            "confirming",
            "started",
            False,
            Oddity.AMOUNT_DIFFERS,
        ),
        (
            "confirming",
            "started",
            Captured(amount=500, currency="USD"),
            "confirming",
            "started",
            False,
            Oddity.CURRENCY_DIFFERS,
        ),
    ],
)
def test_what_an_answer_changes(
    *,
    intent: str,
    attempt: str,
    answer: ChargeAnswer,
    intent_after: str,
    attempt_after: str,
    took_money: bool,
    oddity: Oddity | None,
) -> None:
    verdict = rules.hear(intent_in(IntentState(intent)), attempt_in(AttemptState(attempt)), "harbour", answer)
    assert (verdict.intent, verdict.attempt) == (intent_after, attempt_after)
    assert (verdict.took_money, verdict.oddity) == (took_money, oddity)


def test_a_channel_speaks_of_its_own_attempts_only() -> None:
    verdict = rules.hear(intent_in(IntentState.CONFIRMING), attempt_in(AttemptState.STARTED), "lantern", PAID)
    assert (verdict.attempt, verdict.took_money, verdict.oddity) == ("started", False, Oddity.CHANNEL_DIFFERS)


ANSWERS = st.sampled_from(
    [PAID, Pending(), Refused(reason="no"), Unreached(reason="down"), Closed(), Unknown(reason="timeout")]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("answer"), st.integers(0, 5), ANSWERS),
        st.tuples(st.just("begin"), st.just(0), st.none()),
        st.tuples(st.just("close"), st.just(0), st.none()),
    ),
    max_size=60,
)


@given(steps=STEPS)
@settings(max_examples=400, deadline=None)
def test_whatever_is_said_in_whatever_order_an_intent_is_captured_at_most_once(
    steps: list[tuple[str, int, ChargeAnswer | None]],
) -> None:
    intent, attempts, took = intent_in(IntentState.OPEN), list[AttemptFacts](), list[UUID]()
    for step, place, answer in steps:
        if step == "begin" and rules.begin(intent, BUYER, NOW) is None:
            intent = msgspec.structs.replace(intent, state=IntentState.CONFIRMING, attempts=intent.attempts + 1)
            attempts.append(attempt_in(AttemptState.STARTED, number=intent.attempts))
        elif step == "close" and intent.state is IntentState.OPEN:
            intent = msgspec.structs.replace(intent, state=IntentState.CLOSED)
        elif answer is not None and place < len(attempts):
            before, attempt = intent.state, attempts[place]
            verdict = rules.hear(intent, attempt, "harbour", answer)
            took += [attempt.attempt_id] * verdict.took_money
            intent = msgspec.structs.replace(intent, state=verdict.intent)
            attempts[place] = msgspec.structs.replace(attempt, state=verdict.attempt)
            assert not (before is IntentState.CAPTURED and intent.state is not IntentState.CAPTURED)
            assert not (before is IntentState.CLOSED and intent.state is not IntentState.CLOSED)
        states = [each.state for each in attempts]
        outstanding = sum(state in OUTSTANDING for state in states)
        assert states.count(AttemptState.CAPTURED) == (intent.state is IntentState.CAPTURED)
        assert outstanding <= 1
        assert intent.state is IntentState.CAPTURED or (outstanding == 1) == (intent.state is IntentState.CONFIRMING)
    assert len(took) == len(set(took))
    assert len(took) == sum(each.state in {AttemptState.CAPTURED, AttemptState.SURPLUS} for each in attempts)


def test_only_what_certainly_did_not_charge_is_tried_elsewhere_by_itself() -> None:
    open_one = intent_in(IntentState.OPEN, attempts=1)
    may = {state: rules.may_fail_over(open_one, attempt_in(state), NOW) for state in AttemptState}
    assert {state for state, allowed in may.items() if allowed} == {AttemptState.UNREACHED, AttemptState.CLOSED}
    assert not rules.may_fail_over(open_one, attempt_in(AttemptState.UNREACHED, chosen=True), NOW)
    assert not rules.may_fail_over(intent_in(IntentState.CLOSED), attempt_in(AttemptState.CLOSED), NOW)
    assert not rules.may_fail_over(intent_in(IntentState.OPEN, minutes=0), attempt_in(AttemptState.CLOSED), NOW)


def test_a_refund_is_confirmed_once_and_refused_ones_are_told() -> None:
    given_back = RefundConfirmed(amount=200, currency="CNY")
    assert rules.hear_refund(refund_in(RefundState.REQUESTED), given_back).gave_money
    assert not rules.hear_refund(refund_in(RefundState.CONFIRMED), given_back).gave_money
    assert rules.hear_refund(refund_in(RefundState.REFUSED), given_back).gave_money
    other = rules.hear_refund(refund_in(RefundState.REQUESTED), RefundConfirmed(amount=199, currency="CNY"))
    assert (other.state, other.oddity) == (RefundState.REQUESTED, Oddity.AMOUNT_DIFFERS)
    refused = rules.hear_refund(refund_in(RefundState.REQUESTED), RefundRefused(reason="too old"))
    assert (refused.state, refused.oddity) == (RefundState.REFUSED, Oddity.REFUND_REFUSED)
    unknown = rules.hear_refund(refund_in(RefundState.REQUESTED), Unknown(reason="timeout"))
    assert (unknown.state, unknown.oddity) == (RefundState.REQUESTED, None)


@given(amounts=st.lists(st.integers(-50, 600), max_size=20))
def test_refunds_never_exceed_the_capture(amounts: list[int]) -> None:
    captured = attempt_in(AttemptState.CAPTURED)
    for amount in amounts:
        refusal = rules.refund_refusal(captured, amount)
        if refusal is None:
            captured = msgspec.structs.replace(captured, refund_reserved=captured.refund_reserved + amount)
        else:
            assert isinstance(refusal, RefundExceedsCapture)
    assert 0 <= captured.refund_reserved <= captured.amount


@given(
    weights=st.lists(st.integers(1, 10), min_size=1, max_size=5),
    draw=st.floats(0, 1, exclude_max=True, allow_nan=False),
)
def test_a_channel_is_chosen_by_weight(weights: list[int], draw: float) -> None:
    offered = [(str(place), weight) for place, weight in enumerate(weights)]
    chosen = int(rules.choose(offered, draw))
    below = sum(weights[:chosen])
    assert below <= draw * sum(weights) + 1e-9
    assert draw * sum(weights) <= below + weights[chosen] + 1e-9
