"""Events from a lower room to a higher one, written in the transaction that makes them true.

One transaction writes one row, with all its events. Each subscriber has a cursor of its own and moves it in the
transaction in which it handles the events, so that each event takes effect exactly once per subscriber.
A row is read only when every transaction that began before its own has ended: `xid` orders the rows without gaps.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from types import GenericAlias
from typing import Any, TypeVar

import msgspec
import psycopg

from tidegate.base.db import Database, DatabaseUnavailable, Tx
from tidegate.base.metrics import faults

log = logging.getLogger(__name__)

_ROWS_MAX = 200
_LOOK_SECONDS = 0.1
_LOOKS_TO_PASS_BY = 10
_UNASKED_SECONDS = 5.0
"""When each subscriber looks without being woken."""
_FAULT_SECONDS = 1.0


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happened, named in the past tense. The class name is its name in the outbox."""


class Backlog(msgspec.Struct, frozen=True):
    """Rows that wait for a subscriber, and how long the oldest has waited."""

    rows: int
    seconds: float


E = TypeVar("E", bound=Event)
_Row = tuple[str, int, list[str], str | None]
"""Transaction, number, kinds of events, and the events as JSON."""
Handler = Callable[[Tx, list[Any]], Awaitable[None]]

_encode = msgspec.json.Encoder().encode
_events = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Named(msgspec.Struct):
    """All that is looked at of an event before it is known whom it is for."""

    type: str


_named = msgspec.json.Decoder(_Named).decode


class _Subscription:
    """How events of one type are read, and what handles them."""

    def __init__(self, kind: type[Event], handle: Handler) -> None:
        self.handle = handle
        self.read: Callable[[msgspec.Raw], Event] = msgspec.json.Decoder(kind).decode
        self.read_all: Callable[[str], list[Event]] = msgspec.json.Decoder(GenericAlias(list, kind)).decode


def _told(subscribed: Mapping[str, _Subscription], kinds: Sequence[str], text: str) -> Iterable[Event]:
    """Return those of a row's events that are subscribed to. Nearly every row has one kind and is read at once."""
    if len(kinds) == 1:
        return subscribed[kinds[0]].read_all(text)
    known = ((subscribed.get(_named(raw).type), raw) for raw in _events(text))
    return [subscription.read(raw) for subscription, raw in known if subscription is not None]


class Outbox:
    """Appends events, and carries them to subscribers in batches."""

    def __init__(self) -> None:
        self._subscribers: dict[str, dict[str, _Subscription]] = {}

    async def append(self, tx: Tx, *events: Event) -> None:
        """Write `events` as one row of this transaction."""
        if events:
            kinds = sorted({type(event).__name__ for event in events})
            await tx.execute(
                "insert into base.outbox (kinds, events) values (%s, %s::json)", [kinds, _encode(events).decode()]
            )

    def subscribe(self, name: str, handlers: Mapping[type[Event], Handler]) -> None:
        """Register subscriber `name`: for each type of event, what handles a list of them in one transaction.

        A subscriber sees all events that were ever written, in commit order, starting with the oldest kept row.
        """
        if name in self._subscribers:
            raise ValueError(f"outbox subscriber {name} is registered already")
        self._subscribers[name] = {kind.__name__: _Subscription(kind, handler) for kind, handler in handlers.items()}

    @property
    def subscribers(self) -> list[str]:
        """Names of all subscribers."""
        return list(self._subscribers)

    async def deliver(self, db: Database, name: str) -> int:
        """Hand the next rows to subscriber `name` in one transaction; return how many rows that were."""
        async with db.transaction() as tx:
            cursor = await _lock_cursor(tx, name)
            if cursor is None:
                return 0
            rows = await _rows_after(tx, cursor, list(self._subscribers[name]))
            if not rows:
                return 0
            await self._handle(tx, name, rows)
            last_xid, last_id, _, _ = rows[-1]
            await tx.execute(
                "update base.outbox_cursor set xid = %s::xid8, id = %s, moved_at = now() where subscriber = %s",
                [last_xid, last_id, name],
            )
            return len(rows)

    async def _handle(self, tx: Tx, name: str, rows: Sequence[_Row]) -> None:
        """Call the handlers; runs of one type go together, and order between types is kept."""
        subscribed = self._subscribers[name]
        told = [event for _, _, kinds, events in rows if events for event in _told(subscribed, kinds, events)]
        for kind, run in groupby(told, type):
            await subscribed[kind.__name__].handle(tx, list(run))

    async def run(self, db: Database) -> None:
        """Deliver to every subscriber for ever; a failure is logged, counted and tried again, and stops nobody else.

        One look at the new rows tells whom they concern. The others pass them by all at once, a second later.
        """
        wakes = {name: asyncio.Event() for name in self._subscribers}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(db, wakes))
            for name, wake in wakes.items():
                group.create_task(self._attend(db, name, wake))

    async def _attend(self, db: Database, name: str, wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            try:
                delivered = await self.deliver(db, name)
            except (DatabaseUnavailable, psycopg.OperationalError):
                log.warning("outbox subscriber %s waits for the database", name)
                await asyncio.sleep(_FAULT_SECONDS)
            except Exception:
                log.exception("outbox subscriber %s failed; its events stay and are tried again", name)
                faults.labels(f"outbox:{name}").inc()
                await asyncio.sleep(_FAULT_SECONDS)
            else:
                if delivered < _ROWS_MAX:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_UNASKED_SECONDS):
                            await wake.wait()

    async def _watch(self, db: Database, wakes: Mapping[str, asyncio.Event]) -> None:
        """Wake those whom new rows concern. It is a hint only: what is missed here, each finds by itself."""
        while True:
            try:
                async with db.connection() as connection:
                    await self._look(connection, wakes)
            except (DatabaseUnavailable, psycopg.OperationalError):
                await asyncio.sleep(_FAULT_SECONDS)

    async def _look(self, connection: Tx, wakes: Mapping[str, asyncio.Event]) -> None:
        since: str | None = None
        looks = 0  # since rows came that are still to be passed by
        while True:
            kinds, since = await _kinds_since(connection, since)
            looks = looks + 1 if kinds or looks else 0
            all_pass = looks > _LOOKS_TO_PASS_BY
            for name, wake in wakes.items():
                if all_pass or not kinds.isdisjoint(self._subscribers[name]):
                    wake.set()
            looks = 0 if all_pass else looks
            await asyncio.sleep(_LOOK_SECONDS)

    async def drained(self, db: Database) -> bool:
        """Return whether every subscriber has seen every event committed so far."""
        async with db.transaction() as tx:
            await _make_cursors(tx, self.subscribers)
            row = await (
                await tx.execute(
                    "select exists (select from base.outbox o, base.outbox_cursor c"
                    " where c.subscriber = any(%s) and (o.xid, o.id) > (c.xid, c.id))",
                    [self.subscribers],
                )
            ).fetchone()
            return not (row and row[0])

    async def backlog(self, tx: Tx) -> Backlog:
        """Return what the slowest subscriber has still to see; the count stops at 10,000 rows."""
        row = await (
            await tx.execute(
                "select count(*), coalesce(extract(epoch from now() - min(waiting.written_at)), 0)::float8 from ("
                "  select o.written_at from base.outbox o, (select xid, id from base.outbox_cursor"
                "    where subscriber = any(%s) order by xid, id limit 1) slowest"
                "  where (o.xid, o.id) > (slowest.xid, slowest.id) order by o.xid, o.id limit 10000) waiting",
                [self.subscribers],
            )
        ).fetchone()
        return Backlog(*row) if row else Backlog(0, 0.0)

    async def prune(self, tx: Tx) -> int:
        """Delete rows that every subscriber has seen; return how many."""
        deleted = await tx.execute(
            "delete from base.outbox o using (select xid, id from base.outbox_cursor order by xid, id limit 1) slowest"
            " where (o.xid, o.id) <= (slowest.xid, slowest.id) and o.written_at < now() - interval '1 hour'"
        )
        return deleted.rowcount


async def _make_cursors(tx: Tx, names: list[str]) -> None:
    await tx.execute(
        "insert into base.outbox_cursor (subscriber) select unnest(%s::text[]) on conflict do nothing", [names]
    )


async def _lock_cursor(tx: Tx, name: str) -> tuple[str, int] | None:
    """Lock the subscriber's cursor, or return None where another process is delivering to it."""
    select = "select xid::text, id from base.outbox_cursor where subscriber = %s for update skip locked"
    row = await (await tx.execute(select, [name])).fetchone()
    if row is None:
        await _make_cursors(tx, [name])
        row = await (await tx.execute(select, [name])).fetchone()
    return (row[0], row[1]) if row else None


async def _rows_after(tx: Tx, cursor: tuple[str, int], kinds: list[str]) -> list[_Row]:
    """Return the next rows; the events of a row that has none of these kinds are left out."""
    # The alias matters: a bare `order by xid` would mean the text of the select list, in which 1000 comes before 999.
    rows = await tx.execute(
        "select o.xid::text, o.id, o.kinds, case when o.kinds && %s then o.events::text end"
        " from base.outbox o where (o.xid, o.id) > (%s::xid8, %s)"
        " and o.xid < pg_snapshot_xmin(pg_current_snapshot()) order by o.xid, o.id limit %s",
        [kinds, *cursor, _ROWS_MAX],
    )
    return await rows.fetchall()


async def _kinds_since(connection: Tx, since: str | None) -> tuple[set[str], str]:
    """Return the kinds of events in rows that can be read since transaction `since`, and where to go on."""
    rows = await connection.execute(
        "select coalesce(array_agg(distinct kind), '{}'), pg_snapshot_xmin(pg_current_snapshot())::text"
        " from base.outbox o, unnest(o.kinds) kind where o.xid < pg_snapshot_xmin(pg_current_snapshot())"
        " and o.xid >= coalesce(%s::xid8, pg_snapshot_xmin(pg_current_snapshot()))",
        [since],
    )
    [(kinds, now)] = await rows.fetchall()
    return set(kinds), now
