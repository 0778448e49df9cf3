"""Natural group commit: whatever waits while a batch is under way forms the next batch.

No timer but where batches are kept apart, so an idle lane adds no delay; capped in size, in flight, in waiting and in
time (CoDel, RFC 8289: what stands in a queue that does not empty is given up sooner), so a flooded lane stays bounded.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from time import perf_counter
from typing import Final, Generic, TypeVar

from tidegate.base.errors import Refusal
from tidegate.base.load import LoadControl
from tidegate.base.metrics import batch_size, batch_wait_seconds

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE_SECONDS = 2.0
_HURRY_SECONDS = 0.25
_STANDING_SECONDS = 0.5
"""How long an item may wait; how long where the queue has not been emptied for so many seconds."""


class Onward(Enum):
    """What a flush answers for an item that goes on to the batcher behind."""

    ONWARD = "onward"


ONWARD: Final = Onward.ONWARD

Flush = Callable[[list[T]], Awaitable[Sequence[R | Exception | Onward]]]


class Overloaded(Refusal):
    """More is waiting than can be carried in time."""

    code = "overloaded"
    status = 503
    title = "Too busy at this moment"


class Batcher(Generic[T, R]):
    """Gathers what is submitted into batches for one `flush`, and gives each submitter its own answer.

    `flush` returns one answer an item, in order; an answer that is an exception is raised to its submitter.
    When `flush` itself fails, all its submitters get that failure: the batch was one transaction.
    A batch begins beside one that is under way only once `beside_min` items wait: small batches cost more an item.
    With `apart_seconds` a batch begins so long after the one before it at the earliest: for a flush that is sooner done
    than a batch worth its statements has gathered. Who comes after a pause waits for nothing.
    What `flush` answers with ONWARD joins the batcher `then`, which answers its submitter: so one step's batch can be
    under way while the next one gathers in the step before.
    """

    def __init__(
        self,
        name: str,
        flush: Flush[T, R],
        *,
        size_max: int = 500,
        in_flight_max: int = 2,
        beside_min: int = 1,
        apart_seconds: float = 0.0,
        waiting_max: int = 20_000,
        load: LoadControl | None = None,
        then: "Batcher[T, R] | None" = None,
    ) -> None:
        self._name = name
        self._flush = flush
        self._size_max = size_max
        self._in_flight_max = in_flight_max
        self._beside_min = beside_min
        self._apart_seconds = apart_seconds
        self._began_at = float("-inf")
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[T, asyncio.Future[R], float]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._load = load
        self._then = then
        self._left_behind = 0
        self._standing_since: float | None = None
        self._size_metric = batch_size.labels(name)
        self._wait_metric = batch_wait_seconds.labels(name)

    @property
    def waiting(self) -> int:
        """How many items wait for the next batch."""
        return len(self._waiting)

    def submit(self, item: T) -> "asyncio.Future[R]":
        """Return the future of this item's answer. Raises Overloaded when `waiting_max` items wait already."""
        if len(self._waiting) >= self._waiting_max:
            raise _overloaded("The line is full.")
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer, perf_counter()))
        self._start()
        return answer

    def join(self, item: T, answer: "asyncio.Future[R]", now: float) -> None:
        """Let an item wait here, since `now`, whose submitter waits for an answer already."""
        if len(self._waiting) >= self._waiting_max:
            _fail([answer], _overloaded("The line is full."))
        elif not answer.done():
            self._waiting.append((item, answer, now))
            self._start()

    async def drain(self) -> None:
        """Wait until nothing waits and nothing is under way, here and behind."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        if self._then is not None:
            await self._then.drain()

    def _start(self) -> None:
        if len(self._under_way) < self._in_flight_max and self._enough_wait(beside=len(self._under_way)):
            task = asyncio.get_running_loop().create_task(self._carry())
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()

    def _enough_wait(self, beside: int) -> bool:
        """Return whether a batch may begin beside so many others."""
        return len(self._waiting) >= (self._beside_min if beside else 1)

    async def _carry(self) -> None:
        """Carry batches until nothing waits, or too little beside another."""
        while self._enough_wait(beside=len(self._under_way) - 1):
            await self._keep_apart()
            batch = self._next(perf_counter())
            if not batch:
                continue
            try:
                answers = await self._flush([item for item, _, _ in batch])
                _require_all(batch, answers)
            except BaseException as fault:
                _fail([answer for _, answer, _ in batch], fault)
                if not isinstance(fault, Exception):
                    raise
            else:
                self._settle(batch, answers)

    async def _keep_apart(self) -> None:
        """Let more gather where a batch has just begun."""
        if self._apart_seconds:
            early = self._began_at + self._apart_seconds - perf_counter()
            if early > 0:
                await asyncio.sleep(early)
            self._began_at = perf_counter()

    def _settle(
        self, batch: Sequence[tuple[T, "asyncio.Future[R]", float]], answers: Sequence[R | Exception | Onward]
    ) -> None:
        now = perf_counter()
        for (item, future, _), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Onward):
                assert self._then is not None
                self._then.join(item, future, now)
            elif isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _next(self, now: float) -> list[tuple[T, "asyncio.Future[R]", float]]:
        """Give up what has waited too long, and take the next batch."""
        standing = self._standing_since is not None and now - self._standing_since >= _STANDING_SECONDS
        self._give_up(now - (_HURRY_SECONDS if standing else _PATIENCE_SECONDS))
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._size_max))]
        if batch:
            self._size_metric.observe(len(batch))
            self._wait_metric.observe(now - batch[0][2])
            self._note_waits(batch, now)
        self._left_behind = len(self._waiting)
        if not self._left_behind:
            self._standing_since = None
        elif self._standing_since is None:
            self._standing_since = now
        return batch

    def _give_up(self, before: float) -> None:
        """Refuse what was submitted before that moment; nothing of it is under way."""
        while self._waiting and self._waiting[0][2] < before:
            _fail([self._waiting.popleft()[1]], _overloaded("This waited too long."))

    def _note_waits(self, batch: Sequence[tuple[T, "asyncio.Future[R]", float]], now: float) -> None:
        """Note the waits of those that the batch before left behind: the others joined the first batch they could."""
        if self._load is not None:
            queued = batch[: self._left_behind]
            self._load.waited(self._name, sum(now - since for _, _, since in queued), len(batch))


def _overloaded(why: str) -> Overloaded:
    return Overloaded(f"{why} Nothing was done; please try again in a few seconds.", retry_after=2)


def _require_all(items: Sequence[object], answers: Sequence[object]) -> None:
    if len(answers) != len(items):
        raise RuntimeError(f"the flush gave {len(answers)} answers to {len(items)} items")


def _fail(futures: Sequence["asyncio.Future[R]"], fault: BaseException) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(fault if isinstance(fault, Exception) else asyncio.CancelledError())
