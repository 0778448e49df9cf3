"""Natural group commit: whatever waits while a batch is under way forms the next batch.

No timer, so an idle lane adds no delay; capped in size, in flight and in waiting, so a flooded lane stays bounded.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Generic, TypeVar

from tidegate.base.errors import Refusal
from tidegate.base.metrics import batch_size, batch_wait_seconds

T = TypeVar("T")
R = TypeVar("R")

Flush = Callable[[list[T]], Awaitable[Sequence[R | Exception]]]


class Overloaded(Refusal):
    """More is waiting than can be carried in time."""

    code = "overloaded"
    status = 503
    title = "Too busy at this moment"


class Batcher(Generic[T, R]):
    """Gathers what is submitted into batches for one `flush`, and gives each submitter its own answer.

    `flush` returns one answer an item, in order; an answer that is an exception is raised to its submitter.
    When `flush` itself fails, all its submitters get that failure: the batch was one transaction.
    """

    def __init__(
        self, name: str, flush: Flush[T, R], *, size_max: int = 500, in_flight_max: int = 2, waiting_max: int = 20_000
    ) -> None:
        self._flush = flush
        self._size_max = size_max
        self._in_flight_max = in_flight_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[T, asyncio.Future[R], float]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._size_metric = batch_size.labels(name)
        self._wait_metric = batch_wait_seconds.labels(name)

    @property
    def waiting(self) -> int:
        """How many items wait for the next batch."""
        return len(self._waiting)

    def submit(self, item: T) -> "asyncio.Future[R]":
        """Return the future of this item's answer. Raises Overloaded when `waiting_max` items wait already."""
        if len(self._waiting) >= self._waiting_max:
            raise Overloaded("The line is full. Nothing was done; please try again in a few seconds.", retry_after=2)
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer, perf_counter()))
        self._start()
        return answer

    async def drain(self) -> None:
        """Wait until nothing waits and nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _start(self) -> None:
        if self._waiting and len(self._under_way) < self._in_flight_max:
            task = asyncio.get_running_loop().create_task(self._carry())
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()

    async def _carry(self) -> None:
        """Carry batches until nothing waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._size_max))]
            self._size_metric.observe(len(batch))
            self._wait_metric.observe(perf_counter() - batch[0][2])
            try:
                answers = await self._flush([item for item, _, _ in batch])
                _require_all(batch, answers)
            except BaseException as fault:
                _fail([answer for _, answer, _ in batch], fault)
                if not isinstance(fault, Exception):
                    raise
            else:
                _settle([answer for _, answer, _ in batch], answers)


def _require_all(items: Sequence[object], answers: Sequence[object]) -> None:
    if len(answers) != len(items):
        raise RuntimeError(f"the flush gave {len(answers)} answers to {len(items)} items")


def _settle(futures: Sequence["asyncio.Future[R]"], answers: Sequence[R | Exception]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _fail(futures: Sequence["asyncio.Future[R]"], fault: BaseException) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(fault if isinstance(fault, Exception) else asyncio.CancelledError())
