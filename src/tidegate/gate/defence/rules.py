"""The decisions of defence, pure: what the signals read, and the state machine of each rule.

Off --both signals agree, no undo holds--> On --calm, after the minimum stay--> Off
                                           On --expired, undone, withdrawn----> Off
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tidegate.gate.defence.contracts import (
    Act,
    Counts,
    Defence,
    DefenceRule,
    Happening,
    Off,
    On,
    Seen,
    Signal,
    State,
    Why,
)

NO_FACTOR = 10_000
SOLD_OUT = frozenset({409})
HELD_OFF = frozenset({429, 503})
"""Answers that no attack is read from: sold out and limits reached are the festival's daily bread. What was held off
counts only for whether an attack that was seen is over."""


def is_failure(status: int) -> bool:
    """Return whether an answer of this HTTP status counts as a failure."""
    return status >= 400 and status not in SOLD_OUT | HELD_OFF


def see(rule: DefenceRule, seconds: Sequence[Counts], failed_payments: int) -> Seen | None:
    """Return what a rule's signals read over its window, or None where too little of it is known.

    `seconds` are the last whole seconds, oldest first; `failed_payments` those of the window. Seconds without a report
    are left out of the means; more than half of a window must be known.
    """
    known = [counts for counts in seconds[-rule.window_seconds :] if counts.reports]
    if 2 * len(known) <= rule.window_seconds:
        return None
    payments = failed_payments * 60 / rule.window_seconds
    pressed = [_pressed(counts) for counts in known]
    return Seen(
        trigger=_reading(rule.trigger.signal, known, payments),
        second=_reading(rule.second.signal, known, payments),
        trigger_under_pressure=_reading(rule.trigger.signal, pressed, payments),
        second_under_pressure=_reading(rule.second.signal, pressed, payments),
    )


def _pressed(counts: Counts) -> Counts:
    """Return the counts as if all that was held off had been let in and had failed."""
    return Counts(
        reports=counts.reports,
        requests=counts.requests,
        failures=counts.failures + counts.held_off,
        failed_sign_ins=counts.failed_sign_ins + counts.held_off_sign_ins,
        new_devices=counts.new_devices + counts.held_off_sign_ins,
    )


def _reading(signal: Signal, known: Sequence[Counts], failed_payments_a_minute: float) -> float:
    match signal:
        case Signal.REQUESTS:
            return sum(counts.requests for counts in known) / len(known)
        case Signal.FAILURES:
            requests = sum(counts.requests for counts in known)
            return sum(counts.failures for counts in known) * 10_000 / requests if requests else 0.0
        case Signal.FAILED_SIGN_INS:
            return sum(counts.failed_sign_ins for counts in known) * 60 / len(known)
        case Signal.FAILED_PAYMENTS:
            return failed_payments_a_minute
        case Signal.NEW_DEVICES:
            return sum(counts.new_devices for counts in known) / len(known)


def step(
    states: Mapping[str, State], rules: Sequence[DefenceRule], seen: Mapping[str, Seen | None], now: datetime
) -> tuple[dict[str, State], list[Act]]:
    """Return where every defence stands after this moment, and what happened.

    `seen` has None for a rule whose signals are not known: nothing starts and nothing is called calm then, only time
    passes. A state whose rule is gone ends.
    """
    after: dict[str, State] = {}
    acts: list[Act] = []
    for rule in rules:
        state, act = _step(rule, states.get(rule.name, Off()), seen.get(rule.name), now)
        after[rule.name] = state
        acts += [act] if act else []
    for name, state in states.items():
        if name not in after and isinstance(state, On):
            acts.append(_ended(name, state, Why.WITHDRAWN, None))
    return after, acts


def _step(rule: DefenceRule, state: State, seen: Seen | None, now: datetime) -> tuple[State, Act | None]:
    match state:
        case Off() if _rests(state, now) or seen is None or not _is_attack(rule, seen):
            return state, None
        case Off():
            act = Act(name=rule.name, defence=rule.starts, happening=Happening.STARTED, why=Why.SIGNALS, seen=seen)
            return started(rule, now, stay=rule.stay_seconds, expiry=rule.expiry_seconds), act
        case On() if now >= state.expires_at:
            return Off(), _ended(rule.name, state, Why.EXPIRED, seen)
        case On() if not state.started_by and now >= state.stay_until and seen is not None and _is_calm(rule, seen):
            return Off(), _ended(rule.name, state, Why.CALM, seen)
        case _:
            return state, None


def _rests(state: Off, now: datetime) -> bool:
    return state.quiet_until is not None and now < state.quiet_until


def _is_attack(rule: DefenceRule, seen: Seen) -> bool:
    return seen.trigger >= rule.trigger.start_at and seen.second >= rule.second.start_at


def _is_calm(rule: DefenceRule, seen: Seen) -> bool:
    """Calm is when either signal, under pressure, no longer reaches the lower of its two thresholds."""
    return seen.trigger_under_pressure < rule.trigger.stop_below or seen.second_under_pressure < rule.second.stop_below


def started(rule: DefenceRule, now: datetime, *, stay: int, expiry: int, by: str = "") -> On:
    """Return the state of a defence that starts now, with its minimum stay and its expiry in seconds."""
    return On(
        defence=rule.starts,
        factor=rule.factor,
        started_at=now,
        stay_until=now + timedelta(seconds=stay),
        expires_at=now + timedelta(seconds=expiry),
        started_by=by,
    )


def _ended(name: str, state: On, why: Why, seen: Seen | None) -> Act:
    return Act(name=name, defence=state.defence, happening=Happening.ENDED, why=why, seen=seen)


def signals_of(rule: DefenceRule | None, seen: Seen | None) -> dict[str, float]:
    """Return what a rule's signals read, by name, to one decimal; empty where it is not known."""
    if rule is None or seen is None:
        return {}
    return {rule.trigger.signal.value: round(seen.trigger, 1), rule.second.signal.value: round(seen.second, 1)}


def active_at(states: Mapping[str, State], now: datetime) -> tuple[frozenset[Defence], float]:
    """Return which defences are on now, and the factor of all limits: the lowest of those that lower them, else 1."""
    on = [state for state in states.values() if isinstance(state, On) and now < state.expires_at]
    factors = [state.factor for state in on if state.defence is Defence.LOWER_LIMITS]
    return frozenset(state.defence for state in on), min(factors, default=NO_FACTOR) / NO_FACTOR
