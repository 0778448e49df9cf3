"""What the line is told comes true as often as is said: forecasts against simulated lines with fixed seeds."""

from random import Random

import pytest

from tests.gate.queue.test_steering import lane
from tidegate.gate.queue.draw import RANKS
from tidegate.gate.queue.forecast import ahead_of, chance_of_goods, wait_for

LINES = 2_000


@pytest.mark.parametrize(("ahead", "rate"), [(3, 0.1), (5, 1.0), (50, 0.4), (500, 5.0)])
def test_eight_of_ten_waits_lie_in_their_interval(ahead: int, rate: float) -> None:
    """A Poisson line is watched for a minute; the true wait for the place is then drawn from the same line."""
    random = Random(2026)
    within = told = 0
    for _ in range(LINES):
        calls, at = -1, 0.0
        while at <= 60:
            calls, at = calls + 1, at + random.expovariate(rate)
        if calls == 0:
            continue
        wait = wait_for(ahead, calls=calls, seconds=60)
        assert wait.late_seconds is not None
        true = sum(random.expovariate(rate) for _ in range(ahead + 1))
        told += 1
        within += wait.early_seconds - 1 < true <= wait.late_seconds
    assert 0.76 <= within / told <= 0.90, "whole seconds widen the interval a little"


def test_nobody_can_say_when_while_nothing_moves() -> None:
    assert wait_for(10, calls=0, seconds=60).late_seconds is None
    assert wait_for(10, calls=0, seconds=60, until_open=90).early_seconds == 90


def test_the_wait_before_the_opening_is_added() -> None:
    now, before = wait_for(99, calls=60, seconds=60), wait_for(99, calls=60, seconds=60, until_open=1_000)
    assert before.early_seconds == now.early_seconds + 1_000


@pytest.mark.parametrize(("ahead", "units", "conversion"), [(100, 50, 0.5), (100, 60, 0.5), (400, 30, 0.1), (9, 12, 1)])
def test_the_chance_of_goods_is_that_of_the_simulation(ahead: int, units: int, conversion: float) -> None:
    random = Random(2026)
    left = sum(sum(random.random() < conversion for _ in range(ahead)) < units for _ in range(LINES))
    chance = chance_of_goods(ahead, inside=0, sellable=units, held=0, conversion=conversion)
    assert chance == pytest.approx(100 * left / LINES, abs=4)


def test_the_number_in_line_follows_from_count_and_distance() -> None:
    row = lane(drawn=1_000)
    assert ahead_of(row, rank=RANKS // 2, number=0) == 500
    assert ahead_of(row, rank=None, number=0) is None
    assert ahead_of(row, rank=None, number=3) == 1_002, "the late stand behind all that were drawn"
