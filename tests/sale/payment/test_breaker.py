"""The circuit breaker: when a channel is left, how it is asked back, and that a buyer is never the one to ask."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.sale.payment.breaker import Breaker, BreakerState, Limits


def failing(now: float = 100.0) -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        breaker.record(good=False, now=now)
    return breaker


def test_it_opens_on_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.record(good=False, now=100)
    assert breaker.allows(100)
    breaker.record(good=False, now=100)
    assert (breaker.state(100), breaker.allows(100)) == (BreakerState.OPEN, False)


def test_it_opens_on_a_share_of_failures_within_the_window() -> None:
    breaker = Breaker(Limits(failures_in_row_max=1_000))
    for place in range(20):
        breaker.record(good=place % 2 == 0, now=100)
    assert breaker.state(100) is BreakerState.OPEN
    calm = Breaker(Limits(failures_in_row_max=1_000))
    for place in range(20):
        calm.record(good=place % 3 != 0, now=100)
    assert calm.state(100) is BreakerState.CLOSED


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker(Limits(failures_in_row_max=1_000))
    for _ in range(4):
        breaker.record(good=False, now=100)
    for _ in range(3):
        breaker.record(good=True, now=111)
    breaker.record(good=False, now=111)
    assert (breaker.state(111), breaker.window(111)) == (BreakerState.CLOSED, (4, 1))


def test_it_asks_after_a_while_and_lets_one_buyer_at_a_time_through() -> None:
    breaker = failing(100)
    assert not breaker.wants_question(100.5)
    assert breaker.wants_question(101)
    breaker.answered(good=False, now=101)
    assert (breaker.state(101), breaker.wants_question(101.5)) == (BreakerState.OPEN, False)
    breaker.answered(good=True, now=102)
    assert breaker.state(102) is BreakerState.HALF_OPEN
    assert [breaker.allows(102), breaker.allows(102)] == [True, False]
    breaker.record(good=True, now=102)
    assert [breaker.allows(102), breaker.allows(102)] == [True, False]
    breaker.record(good=True, now=102)
    breaker.record(good=True, now=102)
    assert (breaker.state(102), breaker.window(102)) == (BreakerState.CLOSED, (0, 0))


def test_a_bad_call_when_half_open_opens_it_again() -> None:
    breaker = failing(100)
    breaker.answered(good=True, now=101)
    breaker.record(good=False, now=101)
    assert breaker.state(101) is BreakerState.OPEN


def test_where_nobody_asks_it_lets_a_call_through_in_the_end() -> None:
    breaker = failing(100)
    assert not breaker.allows(119)
    assert breaker.allows(120)


def test_what_others_counted_opens_it_and_their_all_clear_closes_it() -> None:
    breaker = Breaker()
    breaker.share(40, 30, 100)
    assert breaker.state(100) is BreakerState.OPEN
    breaker.forget_before(101)
    assert breaker.state(101) is BreakerState.CLOSED


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=80))
def test_a_closed_breaker_never_has_a_failing_window(calls: list[tuple[bool, float]]) -> None:
    breaker, now, limits = Breaker(), 1_000.0, Limits()
    for good, pause in calls:
        now += pause
        breaker.record(good=good, now=now)
        if breaker.state(now) is BreakerState.CLOSED:
            made, failed = breaker.window(now)
            assert made < limits.calls_min or failed < made * limits.failure_share_max
