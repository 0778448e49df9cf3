"""UUIDv7: the layout of RFC 9562, and ids that ascend whatever the clock does."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.clock import ManualClock
from tidegate.base.ids import Ids

NOON = datetime(2026, 11, 10, 12, 0, 0, 123_000, tzinfo=UTC)


def test_layout_is_version_seven_with_milliseconds_first() -> None:
    made = Ids(ManualClock(NOON), randomness=lambda count: b"\xff" * count).new()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(NOON.timestamp() * 1000) == 1_794_312_000_123
    assert (
        str(made) == f"{1_794_312_000_123:012x}"[:8] + "-" + f"{1_794_312_000_123:012x}"[8:] + "-7000-bfff-ffffffffffff"
    )


@given(st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=50))
def test_ids_ascend_also_when_the_clock_goes_back(steps_ms: list[int]) -> None:
    clock = ManualClock(NOON)
    ids = Ids(clock)
    made = [ids.new()]
    for step in steps_ms:
        clock.advance(seconds=step / 1000)
        made += [ids.new(), ids.new()]
    assert made == sorted(set(made))


def test_ids_ascend_when_the_clock_stands_still_longer_than_the_counter_counts() -> None:
    ids = Ids(ManualClock(NOON), randomness=bytes)
    made = [ids.new() for _ in range(10_000)]
    assert all(first < second for first, second in pairwise(made))
    assert made[4_095].int >> 80 == 1_794_312_000_123
    assert made[4_096].int >> 80 == 1_794_312_000_124
    assert {each.version for each in made} == {7}


def test_ids_of_two_processes_differ_in_the_same_millisecond() -> None:
    first, second = Ids(ManualClock(NOON)), Ids(ManualClock(NOON))
    made = {source.new() for source in (first, second) for _ in range(1_000)}
    assert len(made) == 2_000


def test_time_is_taken_up_again_when_the_clock_has_caught_up() -> None:
    clock = ManualClock(NOON)
    ids = Ids(clock)
    ids.new()
    clock.advance(seconds=-60)
    assert ids.new().int >> 80 == 1_794_312_000_123
    clock.advance(seconds=timedelta(seconds=61).total_seconds())
    assert ids.new().int >> 80 == 1_794_312_001_123
