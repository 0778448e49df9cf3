"""Sends the steps of a log through the running system, each customer's in their order, many customers at once.

Bounded: a fixed number of workers with short queues; the log is read only as fast as the system takes it. What must be
remembered is one order id for each order that a later cancellation names, and the ids to compare the books by.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from time import monotonic
from typing import Final, Protocol
from uuid import UUID
from zlib import crc32

import msgspec

from tidegate.sale.payment.contracts import IntentState
from tidegate.watch.rehearsal.contracts import Placement, ReplayManner, Step, SystemRefusal, Undoing
from tidegate.watch.rehearsal.errors import SystemNotReachable
from tidegate.watch.rehearsal.keys import idempotency_key
from tidegate.watch.rehearsal.shop import Shop, Shopper, StepError

_QUEUE_MAX: Final = 4
_REFUSALS_KEPT_MAX: Final = 100


class Accounts(Protocol):
    """Who knows the simulated shopper of each account of the log."""

    def shopper(self, account: str) -> Shopper:
        """Return the shopper of an account."""
        ...


class Sent(msgspec.Struct):
    """What was sent so far."""

    orders: int = 0
    whole_cancellations: int = 0
    partial_refunds: int = 0
    refused_count: int = 0
    refused: list[SystemRefusal] = []
    order_ids: list[UUID] = []


class Replay:
    """One replay of one log."""

    def __init__(self, shop: Shop, accounts: Accounts, log_key: str, manner: ReplayManner) -> None:
        self._shop = shop
        self._accounts = accounts
        self._log_key = log_key
        self._workers = manner.workers
        self._speed = manner.speed
        self._order_ids: dict[str, UUID] = {}
        self.sent = Sent()

    async def run(self, steps: Iterator[Step], told: Callable[[Sent], None]) -> Sent:
        """Send every step; `told` hears after each. A refusal is kept and the rest goes on.

        Raises SystemNotReachable when the system does not answer any more; running again continues.
        """
        queues: list[asyncio.Queue[Step | None]] = [asyncio.Queue(_QUEUE_MAX) for _ in range(self._workers)]
        try:
            async with asyncio.TaskGroup() as group:
                for queue in queues:
                    group.create_task(self._work(queue, told))
                await self._hand_out(steps, queues)
        except* SystemNotReachable as lost:
            unreachable = lost.exceptions[0]
        else:
            return self.sent
        raise unreachable

    async def _hand_out(self, steps: Iterator[Step], queues: "list[asyncio.Queue[Step | None]]") -> None:
        pace = _Pace(self._speed)
        for step in steps:
            await pace.until(step.at)
            # One customer's steps stand in one queue, so that a cancellation never overtakes its order.
            await queues[crc32(step.account.encode()) % self._workers].put(step)
        for queue in queues:
            await queue.put(None)

    async def _work(self, queue: "asyncio.Queue[Step | None]", told: Callable[[Sent], None]) -> None:
        while (step := await queue.get()) is not None:
            try:
                await (self._place(step) if isinstance(step, Placement) else self._undo(step))
            except StepError as refusal:
                self._refused(step, refusal)
            told(self.sent)

    async def _place(self, step: Placement) -> None:
        shopper = self._accounts.shopper(step.account)
        key = idempotency_key(self._log_key, step.key)
        placed = await self._shop.place(shopper, key, step.lines, step.total)
        self.sent.orders += 1
        self.sent.order_ids.append(placed.order_id)
        if step.remembered:
            self._order_ids[step.key] = placed.order_id
        view = await self._shop.pay(shopper, placed.order_id)
        if view.state is not IntentState.CAPTURED:
            raise StepError(409, "not-paid", f"The order's payment is {view.state}.")

    async def _undo(self, step: Undoing) -> None:
        order_id = self._order_ids.get(step.order_key)
        if order_id is None:
            raise StepError(404, "order-not-placed", f"Invoice {step.order_key} had been refused.")
        shopper = self._accounts.shopper(step.account)
        if step.whole:
            await self._shop.cancel(shopper, order_id, step.key)
            self.sent.whole_cancellations += 1
        else:
            await self._shop.give_back(shopper, order_id, step.lines, idempotency_key(self._log_key, step.key))
            self.sent.partial_refunds += 1

    def _refused(self, step: Step, refusal: StepError) -> None:
        self.sent.refused_count += 1
        if len(self.sent.refused) < _REFUSALS_KEPT_MAX:
            kept = SystemRefusal(key=step.key, status=refusal.status, code=refusal.code, detail=refusal.detail)
            self.sent.refused.append(kept)


class _Pace:
    """Waits so that the log's own time passes `speed` times as fast; without a speed it never waits."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._began = monotonic()
        self._first: datetime | None = None

    async def until(self, at: datetime) -> None:
        if self._speed is None:
            return
        self._first = self._first or at
        due = self._began + (at - self._first).total_seconds() / self._speed
        await asyncio.sleep(max(0.0, due - monotonic()))
