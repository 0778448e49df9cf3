"""The laws of the state machine: no flapping, an end when it is calm, two signals, undo, expiry, no news no change."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tidegate.gate.defence import rules
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
from tidegate.offer.campaign.contracts import Threshold

START = datetime(2026, 11, 11, tzinfo=UTC)
STAY, EXPIRY = 20, 60
RULE = DefenceRule(
    name="flood",
    starts=Defence.WORK_FOR_ALL,
    trigger=Threshold(signal=Signal.REQUESTS, start_at=1_000, stop_below=500),
    second=Threshold(signal=Signal.FAILURES, start_at=3_000, stop_below=1_000),
    window_seconds=10,
    stay_seconds=STAY,
    expiry_seconds=EXPIRY,
)


def seen_as(trigger: float, second: float, held_off: float = 0) -> Seen:
    """What is read, and what would be if `held_off` had been let in."""
    return Seen(
        trigger=trigger,
        second=second,
        trigger_under_pressure=trigger,
        second_under_pressure=second + held_off,
    )


ATTACK = seen_as(1_000, 3_000)
CALM = seen_as(0, 0)

levels = st.sampled_from([0, 499, 500, 999, 1_000, 5_000])
shares = st.sampled_from([0, 999, 1_000, 2_999, 3_000, 10_000])
readings = st.none() | st.builds(seen_as, levels, shares, shares)
histories = st.lists(readings, min_size=1, max_size=150)


def history(seen: list[Seen | None], state: On | Off | None = None) -> list[tuple[int, Act]]:
    """What happens, second by second."""
    states = {RULE.name: state or Off()}
    happened = []
    for second, each in enumerate(seen):
        states, acts = rules.step(states, [RULE], {RULE.name: each}, START + timedelta(seconds=second))
        happened += [(second, act) for act in acts]
    return happened


@given(histories)
def test_it_starts_and_ends_in_turn_and_never_flaps(seen: list[Seen | None]) -> None:
    happened = history(seen)
    assert [act.happening for _, act in happened] == [
        (Happening.STARTED, Happening.ENDED)[place % 2] for place in range(len(happened))
    ]
    for (began, _), (ended, act) in zip(happened[::2], happened[1::2], strict=False):
        assert ended - began >= STAY
        assert (act.why is Why.EXPIRED) == (ended - began == EXPIRY)


@given(histories)
def test_it_starts_only_where_both_signals_agree(seen: list[Seen | None]) -> None:
    for second, act in history(seen):
        if act.happening is Happening.STARTED:
            at = seen[second]
            assert at is not None
            assert at.trigger >= 1_000
            assert at.second >= 3_000
            assert act.seen == at


@given(histories)
def test_whatever_came_before_calm_ends_it(seen: list[Seen | None]) -> None:
    happened = history([*seen, *[CALM] * (STAY + 1)])
    assert not happened or happened[-1][1].happening is Happening.ENDED


@given(histories)
def test_between_the_two_thresholds_nothing_changes_before_it_expires(seen: list[Seen | None]) -> None:
    between = seen_as(700, 2_000)
    on = rules.started(RULE, START, stay=STAY, expiry=EXPIRY)
    states, acts = rules.step({RULE.name: on}, [RULE], {RULE.name: between}, START + timedelta(seconds=EXPIRY - 1))
    assert (states, acts) == ({RULE.name: on}, [])
    states, acts = rules.step({RULE.name: Off()}, [RULE], {RULE.name: between}, START)
    assert (states, acts) == ({RULE.name: Off()}, [])
    assert all(act.seen != between for _, act in history([between if each else None for each in seen]))


@given(histories, st.integers(1, 100))
def test_an_undo_holds_until_its_end(seen: list[Seen | None], hold_seconds: int) -> None:
    happened = history(seen, Off(START + timedelta(seconds=hold_seconds)))
    assert all(second >= hold_seconds for second, _ in happened)


def test_after_an_undo_it_starts_again_where_the_attack_goes_on() -> None:
    happened = history([ATTACK] * 10, Off(START + timedelta(seconds=5)))
    assert [(second, act.why) for second, act in happened] == [(5, Why.SIGNALS)]


@given(st.integers(0, EXPIRY - 1))
def test_without_news_it_stays_as_it_is(second: int) -> None:
    now = START + timedelta(seconds=second)
    on = rules.started(RULE, START, stay=STAY, expiry=EXPIRY)
    for state in (on, Off()):
        assert rules.step({RULE.name: state}, [RULE], {RULE.name: None}, now) == ({RULE.name: state}, [])


def test_it_expires_without_news_and_under_attack() -> None:
    assert history([None] * 70, rules.started(RULE, START, stay=STAY, expiry=EXPIRY))[0][0] == EXPIRY
    # Under a lasting attack it begins anew a second later, on record.
    happened = history([ATTACK] * 70)
    assert [(second, act.why) for second, act in happened] == [
        (0, Why.SIGNALS),
        (EXPIRY, Why.EXPIRED),
        (EXPIRY + 1, Why.SIGNALS),
    ]


def test_an_attack_that_a_defence_holds_off_is_not_over() -> None:
    held_off = seen_as(5_000, 0, held_off=4_000)
    assert [(second, act.why) for second, act in history([ATTACK, *[held_off] * 50])] == [(0, Why.SIGNALS)]
    # It is no reason to start one, though: the next attempt after an expiry needs failures again.
    assert history([held_off] * 10) == []


def test_what_staff_started_does_not_end_by_calm() -> None:
    on = rules.started(RULE, START, stay=0, expiry=40, by="lin")
    assert [(second, act.why) for second, act in history([CALM] * 50, on)] == [(40, Why.EXPIRED)]


def test_a_defence_whose_rule_is_gone_ends() -> None:
    on = rules.started(RULE, START, stay=STAY, expiry=EXPIRY)
    states, acts = rules.step({RULE.name: on, "old": Off()}, [], {}, START)
    assert states == {}
    assert [(act.name, act.happening, act.why) for act in acts] == [(RULE.name, Happening.ENDED, Why.WITHDRAWN)]


@given(st.lists(st.builds(Counts, reports=st.integers(0, 2), requests=st.integers(0, 5_000)), max_size=60))
def test_a_reading_is_the_mean_of_the_seconds_that_are_known(seconds: list[Counts]) -> None:
    known = [counts.requests for counts in seconds[-10:] if counts.reports]
    seen = rules.see(RULE, seconds, 0)
    if len(known) <= 5:
        assert seen is None
    else:
        assert seen is not None
        assert seen.trigger == sum(known) / len(known)


def test_each_signal_has_its_unit() -> None:
    seconds = [Counts(reports=1, requests=100, failures=25, failed_sign_ins=2, new_devices=3)] * 10

    def read(signal: Signal) -> float:
        other = Signal.REQUESTS if signal is not Signal.REQUESTS else Signal.FAILURES
        rule = DefenceRule(
            name="one",
            starts=Defence.HOOK,
            trigger=Threshold(signal=signal, start_at=2, stop_below=1),
            second=Threshold(signal=other, start_at=2, stop_below=1),
            window_seconds=10,
            stay_seconds=STAY,
            expiry_seconds=EXPIRY,
        )
        seen = rules.see(rule, seconds, failed_payments=7)
        assert seen is not None
        return seen.trigger

    assert {signal: read(signal) for signal in Signal} == {
        Signal.REQUESTS: 100,
        Signal.FAILURES: 2_500,
        Signal.FAILED_SIGN_INS: 120,
        Signal.FAILED_PAYMENTS: 42,
        Signal.NEW_DEVICES: 3,
    }


def test_under_pressure_what_was_held_off_counts_as_failed() -> None:
    seconds = [Counts(reports=1, requests=100, failures=5, held_off=20, failed_sign_ins=1, held_off_sign_ins=4)] * 10
    seen = rules.see(RULE, seconds, 0)
    assert seen == Seen(trigger=100, second=500, trigger_under_pressure=100, second_under_pressure=2_500)
    guessing = DefenceRule(
        name="guessing",
        starts=Defence.HOOK,
        trigger=Threshold(signal=Signal.FAILED_SIGN_INS, start_at=2, stop_below=1),
        second=Threshold(signal=Signal.NEW_DEVICES, start_at=2, stop_below=1),
        window_seconds=10,
        stay_seconds=STAY,
        expiry_seconds=EXPIRY,
    )
    seen = rules.see(guessing, seconds, 0)
    assert seen == Seen(trigger=60, second=0, trigger_under_pressure=300, second_under_pressure=4)


def test_refusals_of_an_honest_sale_are_no_failures() -> None:
    statuses = (200, 303, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
    assert [status for status in statuses if rules.is_failure(status)] == [400, 401, 403, 404, 413, 422, 500]


def test_the_lowest_factor_counts_and_only_while_it_is_on() -> None:
    lower = [
        On(
            defence=Defence.LOWER_LIMITS,
            factor=factor,
            started_at=START,
            stay_until=START,
            expires_at=START + timedelta(seconds=seconds),
            started_by="",
        )
        for factor, seconds in ((5_000, 60), (2_500, 30))
    ]
    states: dict[str, State] = {"a": lower[0], "b": lower[1], "c": Off()}
    assert rules.active_at(states, START) == (frozenset({Defence.LOWER_LIMITS}), 0.25)
    assert rules.active_at(states, START + timedelta(seconds=30)) == (frozenset({Defence.LOWER_LIMITS}), 0.5)
    assert rules.active_at(states, START + timedelta(seconds=60)) == (frozenset(), 1.0)
