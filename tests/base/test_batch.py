"""Natural group commit: everyone is answered, each with its own answer, and nothing waits for ever."""

import asyncio
import json
from collections.abc import Sequence
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.base.batch import ONWARD, Batcher, Onward, Overloaded
from tidegate.base.load import LoadControl


class Odd(Exception):
    """A refusal of one item."""


async def squares(items: list[int]) -> Sequence[int | Exception]:
    await asyncio.sleep(0)
    return [Odd(str(item)) if item % 2 else item * item for item in items]


class Gate:
    """A flush that waits until it is let go, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.opened = asyncio.Event()
        self.at_once = self.at_once_max = 0

    async def flush(self, items: list[int]) -> Sequence[int | Exception]:
        self.batches.append(items)
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        await self.opened.wait()
        await asyncio.sleep(0)
        self.at_once -= 1
        return [item * 10 for item in items]


async def test_each_gets_its_own_answer_and_refusals_reach_their_submitter() -> None:
    batcher: Batcher[int, int] = Batcher("test", squares)
    answers = await asyncio.gather(*[batcher.submit(item) for item in range(1_000)], return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, Odd)] == [item * item for item in range(0, 1_000, 2)]
    assert [str(answer) for answer in answers if isinstance(answer, Odd)] == [str(item) for item in range(1, 1_000, 2)]


async def test_size_in_flight_and_order_are_kept() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher("test", gate.flush, size_max=7, in_flight_max=2)
    submitted = [batcher.submit(item) for item in range(50)]
    await asyncio.sleep(0.01)
    assert gate.batches == [list(range(7)), list(range(7, 14))]
    assert batcher.waiting == 36
    gate.opened.set()
    assert await asyncio.gather(*submitted) == [item * 10 for item in range(50)]
    assert [item for batch in gate.batches for item in batch] == list(range(50))
    assert {len(batch) for batch in gate.batches} == {7, 1}
    assert gate.at_once_max == 2
    assert batcher.waiting == 0


async def test_a_full_line_refuses_and_touches_nothing() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher("test", gate.flush, size_max=2, in_flight_max=1, waiting_max=3)
    first = [batcher.submit(item) for item in range(2)]
    await asyncio.sleep(0)
    second = [batcher.submit(item) for item in range(2, 5)]
    with pytest.raises(Overloaded) as refused:
        batcher.submit(99)
    assert (refused.value.status, refused.value.fields) == (503, {"retry_after": 2})
    assert batcher.waiting == 3
    gate.opened.set()
    assert await asyncio.gather(*first, *second) == [0, 10, 20, 30, 40]
    assert 99 not in [item for batch in gate.batches for item in batch]
    assert await batcher.submit(99) == 990


async def test_a_failing_flush_fails_its_own_batch_only() -> None:
    async def flush(items: list[int]) -> Sequence[int | Exception]:
        await asyncio.sleep(0)
        if 3 in items:
            raise ConnectionError("lost")
        return items

    batcher: Batcher[int, int] = Batcher("test", flush, size_max=5, in_flight_max=1)
    answers = await asyncio.gather(*[batcher.submit(item) for item in range(12)], return_exceptions=True)
    assert [type(answer) for answer in answers[:5]] == [ConnectionError] * 5
    assert answers[5:] == list(range(5, 12))


@pytest.mark.parametrize("count", [0, 2, 5])
async def test_a_flush_that_miscounts_fails_its_batch_instead_of_leaving_it(count: int) -> None:
    async def flush(items: list[int]) -> Sequence[int | Exception]:
        return [0] * count if len(items) == 3 else items

    batcher: Batcher[int, int] = Batcher("test", flush)
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*[batcher.submit(item) for item in range(3)], return_exceptions=True)
        assert [str(answer) for answer in answers] == [f"the flush gave {count} answers to 3 items"] * 3
        assert await batcher.submit(7) == 7


async def test_a_submitter_that_goes_away_harms_nobody_and_its_item_is_carried() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher("test", gate.flush, size_max=10, in_flight_max=1)
    gone_early = batcher.submit(1)
    stays = batcher.submit(2)
    gone_early.cancel()
    await asyncio.sleep(0)
    gone_late = batcher.submit(3)
    stays_too = batcher.submit(4)
    await asyncio.sleep(0)
    gone_late.cancel()
    gate.opened.set()
    assert [await stays, await stays_too] == [20, 40]
    assert gate.batches == [[1, 2], [3, 4]]


async def test_a_cancelled_flush_releases_its_submitters_and_the_lane_goes_on() -> None:
    calls = 0

    async def flush(items: list[int]) -> Sequence[int | Exception]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise asyncio.CancelledError
        return items

    batcher: Batcher[int, int] = Batcher("test", flush, size_max=2, in_flight_max=1)
    submitted = [batcher.submit(item) for item in range(4)]
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*submitted, return_exceptions=True)
    assert [type(answer) for answer in answers[:2]] == [asyncio.CancelledError] * 2
    assert list(answers[2:]) == [2, 3]


async def test_drain_waits_for_everything() -> None:
    batcher: Batcher[int, int] = Batcher("test", squares, size_max=3)
    submitted = [batcher.submit(item) for item in range(0, 40, 2)]
    await batcher.drain()
    assert all(each.done() for each in submitted)
    assert batcher.waiting == 0


moments = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 9), st.booleans()),  # pause in turns, items at once, half of them leave
    min_size=1,
    max_size=25,
)
flushes = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["answer", "refuse", "fail", "miscount"])), min_size=1)


@settings(max_examples=150, deadline=None)
@given(moments, flushes, st.integers(1, 6), st.integers(1, 3))
def test_everything_submitted_is_answered_whatever_flushes_do(
    plan: list[tuple[int, int, bool]], behaviour: list[tuple[int, str]], size_max: int, in_flight_max: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tidegate.base.batch.perf_counter", lambda: 100.0)  # so no stall of the machine gives anything up
        asyncio.run(_everything_is_answered(plan, behaviour, size_max, in_flight_max))


async def _everything_is_answered(  # noqa: C901  one story: what is asked, how flushes behave, what comes back
    plan: list[tuple[int, int, bool]], behaviour: list[tuple[int, str]], size_max: int, in_flight_max: int
) -> None:
    carried: list[int] = []
    calls = 0

    async def flush(items: list[int]) -> Sequence[int | Exception]:
        nonlocal calls
        turns, how = behaviour[calls % len(behaviour)]
        calls += 1
        assert 1 <= len(items) <= size_max
        carried.extend(items)
        for _ in range(turns):
            await asyncio.sleep(0)
        match how:
            case "answer":
                return [-item for item in items]
            case "refuse":
                return [Odd(str(item)) for item in items]
            case "fail":
                raise ConnectionError(str(items))
            case _:
                return [-item for item in items[1:]]

    batcher: Batcher[int, int] = Batcher("test", flush, size_max=size_max, in_flight_max=in_flight_max)
    submitted: dict[int, asyncio.Future[int]] = {}
    for turns, count, leaving in plan:
        for _ in range(turns):
            await asyncio.sleep(0)
        for place in range(count):
            item = len(submitted) + 1
            submitted[item] = batcher.submit(item)
            if leaving and place % 2:
                submitted[item].cancel()
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*submitted.values(), return_exceptions=True)
        await batcher.drain()
    assert sorted(carried) == list(submitted), "each item is carried exactly once"
    assert batcher.waiting == 0
    for item, answer in zip(submitted, answers, strict=True):
        match answer:
            case int():
                assert answer == -item
            case Odd():
                assert str(answer) == str(item)
            case ConnectionError():
                assert item in json.loads(str(answer))
            case RuntimeError():
                assert str(answer).startswith("the flush gave ")
            case _:
                assert isinstance(answer, asyncio.CancelledError)


async def test_what_stands_in_a_queue_too_long_is_refused_and_never_what_is_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("tidegate.base.batch.perf_counter", lambda: now[0])
    gate = Gate()
    lane: Batcher[int, int] = Batcher("test", gate.flush, size_max=2, in_flight_max=1)
    answers = [lane.submit(item) for item in range(6)]
    await asyncio.sleep(0)
    assert gate.batches == [[0, 1]]
    now[0] += 0.6  # the queue has not emptied for more than half a second: what waited over a quarter is given up
    late = lane.submit(6)
    gate.opened.set()
    done = await asyncio.gather(*answers, late, return_exceptions=True)
    assert done[:2] == [0, 10]
    assert all(isinstance(answer, Overloaded) for answer in done[2:6])
    assert done[6] == 60


async def test_only_what_a_batch_left_behind_counts_as_waiting() -> None:
    load = LoadControl()
    waited: list[tuple[str, int]] = []
    load.waited = lambda queue, seconds, items=1: waited.append((queue, items if seconds else 0))  # type: ignore[method-assign]
    lane: Batcher[int, int | Exception] = Batcher("test", squares, size_max=4, in_flight_max=1, load=load)
    await asyncio.gather(*[lane.submit(item * 2) for item in range(4)])
    await asyncio.gather(*[lane.submit(item * 2) for item in range(6)])
    assert waited == [("test", 0), ("test", 0), ("test", 2)]


async def test_what_goes_on_is_answered_by_the_batcher_behind() -> None:
    async def odd_ones_stop(items: list[int]) -> Sequence[Exception | Onward]:
        return [Odd(str(item)) if item % 2 else ONWARD for item in items]

    behind: Batcher[int, int] = Batcher("behind", squares)
    before: Batcher[int, int] = Batcher("before", odd_ones_stop, then=behind)
    answers = await asyncio.gather(*[before.submit(item) for item in range(6)], return_exceptions=True)
    assert [each for each in answers if isinstance(each, int)] == [0, 4, 16]
    assert [str(each) for each in answers if isinstance(each, Odd)] == ["1", "3", "5"]


async def test_one_step_gathers_while_the_next_is_under_way() -> None:
    async def all_go_on(items: list[int]) -> Sequence[Onward]:
        return [ONWARD] * len(items)

    gate = Gate()
    behind: Batcher[int, int] = Batcher("behind", gate.flush, in_flight_max=1, waiting_max=3)
    before: Batcher[int, int] = Batcher("before", all_go_on, then=behind)
    answers = [before.submit(1)]
    while not gate.batches:
        await asyncio.sleep(0)
    answers += [before.submit(item) for item in range(2, 6)]
    while not answers[-1].done():
        await asyncio.sleep(0)
    gate.opened.set()
    await before.drain()
    assert gate.batches == [[1], [2, 3, 4]]
    assert [each.result() for each in answers[:4]] == [10, 20, 30, 40]
    assert isinstance(answers[4].exception(), Overloaded)


async def test_a_batch_begins_beside_another_only_once_enough_wait() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher("test", gate.flush, beside_min=3)
    answers = [batcher.submit(0)]
    await asyncio.sleep(0)
    answers += [batcher.submit(item) for item in (1, 2)]
    await asyncio.sleep(0.01)
    assert gate.batches == [[0]]
    answers.append(batcher.submit(3))
    await asyncio.sleep(0.01)
    assert gate.batches == [[0], [1, 2, 3]]
    answers.append(batcher.submit(4))
    gate.opened.set()
    assert await asyncio.gather(*answers) == [0, 10, 20, 30, 40]


async def test_batches_are_kept_apart_and_what_comes_meanwhile_is_gathered() -> None:
    began: list[tuple[float, list[int]]] = []

    async def noting(items: list[int]) -> Sequence[int | Exception]:
        began.append((perf_counter(), items))
        return items

    batcher: Batcher[int, int] = Batcher("test", noting, in_flight_max=1, apart_seconds=0.3)
    assert await batcher.submit(0) == 0
    assert perf_counter() - began[0][0] < 0.3, "who comes alone waits for nothing"
    later = []
    for item in (1, 2, 3):
        later.append(batcher.submit(item))
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*later) == [1, 2, 3]
    assert [items for _, items in began] == [[0], [1, 2, 3]]
    assert began[1][0] - began[0][0] >= 0.3
    await asyncio.sleep(0.3)
    asked_at = perf_counter()
    assert await batcher.submit(4) == 4
    assert began[2][0] - asked_at < 0.3
