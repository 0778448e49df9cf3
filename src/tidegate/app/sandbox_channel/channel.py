"""What the channel does: charge, close, give back, call back - and the faults that were ordered."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from tidegate.app.sandbox_channel.books import (
    Books,
    Entry,
    connect,
    find_charge,
    find_letters,
    find_pending,
    find_refund,
    read_statement,
    read_totals,
)
from tidegate.app.sandbox_channel.contracts import (
    Callback,
    Charge,
    ChargeOrder,
    ChargeState,
    Faults,
    Letter,
    Refund,
    RefundOrder,
    Statement,
    Totals,
)
from tidegate.app.sandbox_channel.post import PostOffice, now_ms
from tidegate.base.batch import Batcher, Overloaded
from tidegate.base.ids import Ids

R = TypeVar("R")

_ENTRIES_MAX = 500
_BUSY_SECONDS = 0.5
_encode = msgspec.json.Encoder().encode


class SandboxChannel:
    """One channel with its books in `data`."""

    def __init__(self, name: str, secret: bytes, data: Path) -> None:
        self.name = name
        self.faults = Faults()
        self._ids = Ids()
        path = data / f"{name}.sqlite3"
        self._books = Books(path)
        self._reader = connect(path, read_only=True)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="books")
        self._entries = Batcher[Entry, object]("sandbox-books", self._enter, size_max=_ENTRIES_MAX, in_flight_max=1)
        self._post = PostOffice(name, secret, self._forget, self._postpone)
        self._draws = 0
        self._tasks: set[asyncio.Task[object]] = set()

    async def start(self) -> None:
        """Take up what an earlier process left: callbacks not delivered, charges not confirmed."""
        self._post.take(find_letters(self._reader))
        for attempt_id, created_ms in find_pending(self._reader):
            self._confirm_at(attempt_id, created_ms + self.faults.confirm_ms)
        self._keep(asyncio.get_running_loop().create_task(self._post.run()))

    async def stop(self) -> None:
        """Finish the entries under way and close the books."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._entries.drain()
        self._thread.shutdown()
        self._reader.close()
        self._books.close()

    async def charge(self, order: ChargeOrder) -> Charge:
        """Charge, durably, or return what the attempt id was answered before."""
        state, reason = self._verdict(order)
        if self.faults.charge_more:
            order = msgspec.structs.replace(order, amount=max(order.amount + self.faults.charge_more, 1))
        charge_id, at_ms = str(self._ids.new()), now_ms()

        def entry(books: Books) -> tuple[Charge, list[Letter]]:
            charge = books.charge(order, charge_id, state, reason, at_ms)
            fresh = charge.charge_id == charge_id
            return charge, self._write_home(books, order.callback_url, charge, at_ms) if fresh else []

        charge, letters = await self._enter_one(entry, tuple[Charge, list[Letter]])
        self._post.take(letters)
        if charge.charge_id == charge_id and charge.state == "pending":
            self._confirm_at(charge.attempt_id, at_ms + self.faults.confirm_ms)
        return self._told(charge)

    async def close_charge(self, attempt_id: str) -> Charge:
        """Make sure that the attempt can never charge from now on, unless it has charged already."""
        charge_id, at_ms = str(self._ids.new()), now_ms()
        closed = await self._enter_one(lambda books: books.close_charge(attempt_id, charge_id, at_ms), Charge)
        return self._told(closed)

    async def refund(self, order: RefundOrder, *, payout: bool = False) -> Refund:
        """Give money back, durably, or return what the refund id was answered before; a payout is given beyond it."""
        at_ms = now_ms()

        def entry(books: Books) -> tuple[Refund, list[Letter]]:
            known = books.refund(order, at_ms, payout=payout)
            body = _encode(Callback(event=f"refund.{known.state}", refund=known))
            return known, self._letters(books, order.callback_url, order.refund_id, body, at_ms)

        refund, letters = await self._enter_one(entry, tuple[Refund, list[Letter]])
        self._post.take(letters)
        return refund

    def find_charge(self, attempt_id: str) -> Charge | None:
        """Return the charge of an attempt id as the books hold it."""
        found = find_charge(self._reader, attempt_id)
        return self._told(found) if found is not None else None

    def find_refund(self, refund_id: str) -> Refund | None:
        """Return the refund of a refund id as the books hold it."""
        return find_refund(self._reader, refund_id)

    def statement(self, from_ms: int, to_ms: int, first_line: int, lines_max: int) -> Statement:
        """Return a page of the statement."""
        return read_statement(self._reader, from_ms, to_ms, first_line, lines_max)

    def totals(self) -> Totals:
        """Return the sums of the books."""
        return read_totals(self._reader)

    def draw(self, kind: str, reference: str = "") -> float:
        """Return a number in [0, 1) drawn from the ordered seed; each request's draw is another one."""
        if not reference:
            self._draws += 1
            reference = str(self._draws)
        text = f"{self.faults.seed} {kind} {reference}".encode()
        return int.from_bytes(blake2b(text, digest_size=6).digest(), "big") / 2**48

    def _told(self, charge: Charge) -> Charge:
        """Return the charge as the channel tells it: with who paid, where it tells that."""
        if not self.faults.payers or charge.state != "succeeded":
            return charge
        payer = int(self.draw("payer", charge.subject) * self.faults.payers)
        return msgspec.structs.replace(charge, payer=f"payer-{payer}")

    def _verdict(self, order: ChargeOrder) -> tuple[ChargeState, str]:
        if self.draw("refuse", order.attempt_id) < self.faults.refuse_share:
            return "refused", "insufficient-funds"
        return self.faults.answer, ""

    def _write_home(self, books: Books, url: str, charge: Charge, at_ms: int) -> list[Letter]:
        """Post the callbacks about a charge, with whatever the ordered faults do to them."""
        told = charge = self._told(charge)
        if self.draw("wrong-amount", charge.attempt_id) < self.faults.wrong_amount_share:
            told = msgspec.structs.replace(charge, amount=charge.amount + 1)
        body = _encode(Callback(event=f"charge.{charge.state}", charge=told))
        letters = self._letters(books, url, charge.attempt_id, body, at_ms)
        if letters and self.faults.shuffle_ms and charge.state == "succeeded":
            stale = msgspec.structs.replace(charge, state="pending")
            body = _encode(Callback(event="charge.pending", charge=stale))
            letters.append(books.post(url, body, self._late(f"stale {charge.attempt_id}", at_ms)))
        return letters

    def _letters(self, books: Books, url: str, reference: str, body: bytes, at_ms: int) -> list[Letter]:
        if not url or self.draw("lost", reference) < self.faults.lost_share:
            return []
        copies = 2 if self.draw("duplicate", reference) < self.faults.duplicate_share else 1
        return [books.post(url, body, self._late(f"{copy} {reference}", at_ms)) for copy in range(copies)]

    def _late(self, reference: str, at_ms: int) -> int:
        return at_ms + int(self.draw("late", reference) * self.faults.shuffle_ms)

    def _confirm_at(self, attempt_id: str, due_ms: int) -> None:
        self._keep(asyncio.get_running_loop().create_task(self._confirm(attempt_id, due_ms)))

    async def _confirm(self, attempt_id: str, due_ms: int) -> None:
        await asyncio.sleep(max(0, due_ms - now_ms()) / 1000)
        at_ms, break_close = now_ms(), self.faults.close_ignored

        def entry(books: Books) -> list[Letter]:
            confirmed = books.confirm(attempt_id, at_ms, break_close=break_close)
            return self._write_home(books, confirmed[1], confirmed[0], at_ms) if confirmed else []

        while True:
            try:
                letters = await self._enter_one(entry, list[Letter])
            except Overloaded:
                await asyncio.sleep(_BUSY_SECONDS)
            else:
                self._post.take(letters)
                return

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(cast("asyncio.Task[object]", task))
        task.add_done_callback(lambda done: self._tasks.discard(cast("asyncio.Task[object]", done)))

    async def _forget(self, letter_id: int) -> None:
        await self._entries.submit(lambda books: books.delivered(letter_id))

    async def _postpone(self, letter_id: int, due_ms: int, tries: int) -> None:
        await self._entries.submit(lambda books: books.postpone(letter_id, due_ms, tries))

    async def _enter_one(self, entry: Entry, _answer: type[R]) -> R:
        return cast("R", await self._entries.submit(entry))

    async def _enter(self, entries: list[Entry]) -> Sequence[object]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._books.enter, entries)
