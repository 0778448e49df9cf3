"""The monitor's decisions: quantiles, states, time to sold out, the narrowest place, what is told and what is not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.watch.monitor.contracts import ChannelFigures, Figure, HotGoods, Level, Sample, State
from tidegate.watch.monitor.news import LASTING_SAMPLES, Settled, standings, told
from tidegate.watch.monitor.rules import (
    counts_between,
    pace_goal,
    quantile_s,
    sold_out_in_s,
    state_of,
    state_of_goods,
    state_of_share,
    stations,
)

NOW = datetime(2026, 11, 11, 0, 0, 5, tzinfo=UTC)
INF = float("inf")


def test_quantile_is_linear_within_its_bucket() -> None:
    assert quantile_s({0.1: 50, 0.2: 50, INF: 0}, 0.5) == pytest.approx(0.1)
    assert quantile_s({0.1: 50, 0.2: 50, INF: 0}, 0.75) == pytest.approx(0.15)


def test_quantile_beyond_the_last_bound_is_that_bound() -> None:
    assert quantile_s({0.1: 1, 10.0: 0, INF: 99}, 0.99) == 10.0


def test_quantile_of_nothing_is_unknown() -> None:
    assert quantile_s({0.1: 0, INF: 0}, 0.99) is None
    assert quantile_s({}, 0.5) is None


@given(st.dictionaries(st.sampled_from([0.01, 0.1, 1.0, 10.0]), st.integers(0, 1000), min_size=1), st.data())
def test_quantiles_ascend_and_stay_within_the_bounds(buckets: dict[float, float], data: st.DataObject) -> None:
    low = data.draw(st.floats(0.01, 0.99))
    high = data.draw(st.floats(low, 0.99))
    at_low, at_high = quantile_s(buckets, low), quantile_s(buckets, high)
    if at_low is None or at_high is None:
        assert sum(buckets.values()) == 0
        return
    assert 0 <= at_low <= at_high <= max(buckets)


@pytest.mark.parametrize(
    ("value", "at_least", "state"),
    [
        (None, True, State.SILENT),
        (100.0, True, State.GOOD),
        (91.0, True, State.WATCH),
        (89.0, True, State.ACT),
        (100.0, False, State.GOOD),
        (109.0, False, State.WATCH),
        (111.0, False, State.ACT),
    ],
)
def test_state_against_a_goal_of_100(value: float | None, at_least: bool, state: State) -> None:
    assert state_of(value, 100.0, at_least=at_least) is state


def test_a_share_is_judged_by_what_fails() -> None:
    assert state_of_share(0.996, 0.995, 1000) is State.GOOD
    assert state_of_share(0.986, 0.995, 1000) is State.WATCH
    assert state_of_share(0.98, 0.995, 1000) is State.ACT


def test_few_attempts_never_call_for_action() -> None:
    assert state_of_share(0.5, 0.995, 4) is State.WATCH
    assert state_of_share(None, 0.995, 0) is State.SILENT


def test_time_to_sold_out() -> None:
    assert sold_out_in_s(100, 0.5) == 200.0
    assert sold_out_in_s(100, 0.0) is None
    assert sold_out_in_s(0, 3.0) == 0.0
    assert state_of_goods(0, 0.0) is State.ACT
    assert state_of_goods(10, 60.0) is State.WATCH
    assert state_of_goods(10, None) is State.GOOD


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(1.0, 10**6))
def test_keeping_the_pace_reaches_the_goal(goal: int, reached: int, seconds_left: float) -> None:
    assert reached + pace_goal(goal, reached, seconds_left) * seconds_left >= goal * (1 - 1e-9)


def test_the_narrowest_place_is_where_the_smallest_share_goes_on() -> None:
    flow = stations(Sample(taken_at=NOW, order_ask_rate=10.0, order_rate=2.0, paid_rate=1.9, payment_success=0.94))
    assert [(each.key, each.narrowest) for each in flow] == [
        ("arriving", False),
        ("ordering", True),
        ("paying", False),
        ("paid", False),
    ]
    assert flow[1].out_rate == 8.0
    assert flow[1].carried == pytest.approx(0.2)


def test_no_place_is_marked_while_all_goes_on() -> None:
    flow = stations(Sample(taken_at=NOW, order_ask_rate=10.0, order_rate=10.0, paid_rate=9.0, payment_success=1.0))
    assert not any(each.narrowest for each in flow)


def test_a_counter_that_fell_began_anew() -> None:
    counted = counts_between({"a": 10.0, "b": 50.0}, {"a": 15.0, "b": 3.0, "c": 2.0, "d": 0.0})
    assert [(each.code, each.count) for each in counted] == [("a", 5), ("c", 2)]


def _channel(state: State) -> ChannelFigures:
    return ChannelFigures(
        channel="harbour",
        state=state,
        attempts_minute=100,
        captured_minute=90,
        failed_minute=10,
        unknown_minute=0,
        success_minute=0.9,
        success_total=0.99,
        attempts_total=1000,
    )


def _sample(state: State = State.GOOD, *, free: int = 5, cache_up: bool = True) -> Sample:
    goods = HotGoods(
        sku="TG-1",
        name_zh="壶",
        name_en="Kettle",
        loaded=10,
        free=free,
        held=2,
        sold=8 - free,
        rate=0.1,
        sold_out_in_s=1.0,
        state=State.WATCH,
    )
    return Sample(taken_at=NOW, channels=(_channel(state),), hot_goods=(goods,), cache_up=cache_up)


def _follow(settled: Settled, sample: Sample, times: int) -> list[str]:
    kinds = []
    for _ in range(times):
        lines = told(settled.follow(standings(sample, [])), sample, [])
        kinds += [line.kind for line in lines]
    return kinds


def test_what_flickers_is_not_told() -> None:
    settled = Settled()
    for _ in range(20):
        assert _follow(settled, _sample(State.GOOD), 1) == []
        assert _follow(settled, _sample(State.ACT), LASTING_SAMPLES - 1) == []


def test_what_lasts_is_told_once_and_its_end_too() -> None:
    settled = Settled()
    _follow(settled, _sample(), 1)
    assert _follow(settled, _sample(State.ACT, free=0, cache_up=False), 30) == [
        "channel-failing",
        "goods-sold-out",
        "cache-lost",
    ]
    assert _follow(settled, _sample(State.GOOD, free=3), 30) == ["channel-recovered", "goods-back", "cache-back"]


def test_a_failing_channel_calls_for_action_with_its_figures() -> None:
    settled = Settled(lasting_samples=1)
    _follow(settled, _sample(), 1)
    failing = _sample(State.ACT)
    [line] = told(settled.follow(standings(failing, [])), failing, [])
    assert (line.level, line.subject, line.facts) == (Level.ACT, "harbour", {"success": 0.9, "attempts": 100})


def test_a_goal_without_target_is_never_told() -> None:
    figure = Figure(key="awaiting", value=1.0, unit="orders", goal=None, at_least=False, state=State.GOOD)
    assert "figure:awaiting" not in standings(_sample(), [figure])
