"""Who is let in under overload: the rules on any figures, the control on simulated time, the word to others."""

from itertools import pairwise
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.cache import Cache
from tidegate.base.load import (
    CLASSES,
    COHORTS,
    LoadControl,
    cut_of,
    least_admitting,
    level_after,
    publish,
    share_of,
)

OPEN = float(CLASSES * COHORTS)
levels = st.floats(COHORTS, OPEN)
counts = st.lists(st.integers(0, 5_000), min_size=CLASSES, max_size=CLASSES)
waits = st.floats(0, 500)  # in targets


def let_in(level: float, asked: list[int]) -> float:
    return sum(count * share_of(level, number) for number, count in enumerate(asked))


@given(levels, counts, waits)
def test_the_highest_class_is_always_let_in_and_nothing_beyond_open(
    level: float, asked: list[int], wait: float
) -> None:
    after = level_after(level, asked, wait)
    assert COHORTS <= after <= OPEN
    assert share_of(after, 0) == 1


@given(levels, counts, st.floats(1, 500, exclude_min=True), st.integers(0, 20_000))
def test_a_cut_leaves_nine_tenths_of_what_was_served_and_lets_no_more_in_than_before(
    level: float, asked: list[int], wait: float, served: int
) -> None:
    after = level_after(level, asked, wait, served=served)
    assert after <= max(level, COHORTS)
    assert let_in(after, asked) >= min(let_in(level, asked), 0.9 * served) * (1 - 1e-9) - 1e-6


@given(levels, counts, st.floats(1, 500, exclude_min=True))
def test_overload_never_lets_more_in(level: float, asked: list[int], wait: float) -> None:
    after = level_after(level, asked, wait)
    assert after <= level
    assert let_in(after, asked) <= let_in(level, asked)


@given(levels, counts, waits, waits, waits)
def test_a_longer_wait_never_lets_more_in(
    level: float, asked: list[int], one: float, other: float, before: float
) -> None:
    shorter, longer = sorted((one, other))
    assert level_after(level, asked, longer, before) <= level_after(level, asked, shorter, before)


@given(levels, counts, waits, waits)
def test_a_queue_that_shrinks_by_itself_is_left_to(level: float, asked: list[int], wait: float, before: float) -> None:
    if 1 < wait < before:
        assert level_after(level, asked, wait, before) == level


@given(levels, counts)
def test_calm_opens_again_and_cuts_nobody(level: float, asked: list[int]) -> None:
    steps = [level]
    while steps[-1] < OPEN and len(steps) < 2_000:
        steps.append(level_after(steps[-1], asked, 0.0))
    assert steps[-1] == OPEN
    assert all(later >= earlier for earlier, later in pairwise(steps))


@given(levels, counts, waits)
def test_a_lower_class_is_let_in_only_where_the_higher_is_whole(level: float, asked: list[int], wait: float) -> None:
    shares = [share_of(level_after(level, asked, wait), number) for number in range(CLASSES)]
    assert all(lower == 0 or higher == 1 for higher, lower in pairwise(shares))


@given(waits)
def test_the_cut_is_bounded_and_none_within_the_target(wait: float) -> None:
    assert 0 <= cut_of(wait) <= 0.5
    assert (cut_of(wait) == 0) == (wait <= 1)


def test_ten_times_the_load_is_met_within_seconds_and_carried_whole() -> None:
    """A queue that carries 1,000 a second is asked 10,000 a second by browsers while 300 pay."""
    control, queue, carried, now = LoadControl(), 0.0, 0.0, 0.0
    asked = [300, 0, 0, 10_000]
    for step in range(3_000):  # 30 seconds in steps of 10 ms
        now += 0.01
        for number, rate in enumerate(asked):
            for turn in range(rate // 100):
                whole = control.asks(number, now)
                if whole or control.lets_in(number, (step * 37 + turn * 11) % COHORTS):
                    queue += 1
        served = min(queue, 10.0)
        queue -= served
        control.waited("queue", queue / 1_000)
        if step >= 500:
            carried += served
    assert carried >= 0.95 * 25 * 1_000
    assert queue / 1_000 < 0.5
    assert control.admitting < 0.8


def test_a_visitor_is_wholly_in_or_wholly_out_while_the_level_stands() -> None:
    control = LoadControl()
    for window in range(3):
        for _ in range(100):
            control.asks(3, float(window))
        control.waited("loop", 1.0)
        control.close_window(float(window))
    answers = {cohort: [control.lets_in(3, cohort) for _ in range(3)] for cohort in range(COHORTS)}
    assert all(len(set(given)) == 1 for given in answers.values())
    assert 0 < sum(given[0] for given in answers.values()) < COHORTS


def test_one_long_turn_of_the_loop_is_no_overload() -> None:
    """A page made for the first time keeps the loop for 0.4 s; its pictures are asked for meanwhile."""
    now = 0.0
    control = LoadControl(busy=lambda: now)
    for _ in range(20):
        control.looks_again(now + 0.02)
        now += 0.4
        for _ in range(25):
            assert control.asks(3, now)
            now += 0.001
        control.looked(now)
        for _ in range(20):
            control.looks_again(now + 0.02)
            now += 0.02
            control.looked(now)
    assert control.admitting == 1.0


def test_a_few_who_wait_for_a_busy_machine_are_let_in() -> None:
    control = LoadControl(busy=lambda: 0.0)
    for window in range(20):
        for _ in range(40):
            assert control.asks(3, window / 4)
        control.waited("loop", 1.0)
        control.close_window(window / 4)
    assert control.admitting == 1.0


def test_a_few_costly_requests_are_cut_once_they_keep_the_loop_busy() -> None:
    """Pages of 10 ms each, asked for 900 times a second where 100 can be made; all wait in one turn of the loop."""
    now = carried = 0.0
    control = LoadControl(busy=lambda: now)
    latest = 0.0
    while now < 30:
        control.looks_again(now + 0.02)
        due = now + 0.02
        arrived = int((now - latest) * 900)
        latest += arrived / 900
        for number in range(arrived):
            whole = control.asks(3, now)
            if whole or control.lets_in(3, number * 37 % COHORTS):
                now += 0.01
                carried += now > 5
        now = max(now, due)
        control.looked(now)
        if now > 10:
            assert now - due < 1, "nobody waits for a second"
    assert carried > 0.8 * 25 * 100
    assert share_of(control.level, 3) < 0.2


def test_without_a_target_nobody_is_refused() -> None:
    control = LoadControl(inf)
    for _ in range(10):
        control.asks(3, 0.0)
        control.waited("loop", 60.0)
        control.close_window(0.0)
    assert control.admitting == 1.0


async def test_the_worst_process_is_heard_and_without_valkey_nobody(cache: Cache) -> None:
    await cache.client.delete("{load}:admitting")
    assert await least_admitting(cache) == 1.0
    await publish(cache, "one:1", 0.75)
    await publish(cache, "two:2", 0.25)
    assert await least_admitting(cache) == 0.25
    gone = Cache("redis://127.0.0.1:1", timeout_seconds=0.2)
    await publish(gone, "one:1", 0.5)
    assert await least_admitting(gone) == 1.0
    await gone.close()
