"""All SQL of bots, as thin functions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from tidegate.base.db import Tx
from tidegate.gate.bots.contracts import Decision, Lane, Misuse, MisuseTally, SpanTally, Tally, TokenKind, Undo


class Count(NamedTuple):
    """Under what a visit is counted."""

    minute_at: datetime
    kind: str
    lane: Lane
    work_factor: int


class MisusedTimes(NamedTuple):
    """How often one kind of token was refused for one reason in one minute."""

    minute_at: datetime
    token: TokenKind
    reason: Misuse
    times: int


async def add_tallies(tx: Tx, counts: Sequence[tuple[Count, int]]) -> None:
    """Add visits to their counts, in key order, so that two processes never wait for each other in a ring."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            """
            insert into bots.tally as t (minute_at, kind, lane, work_factor, visits) values (%s, %s, %s, %s, %s)
            on conflict (minute_at, kind, lane, work_factor) do update set visits = t.visits + excluded.visits
            """,
            sorted((*count, visits) for count, visits in counts),
        )


async def add_misuse(tx: Tx, found: Sequence[MisusedTimes]) -> None:
    """Add refused tokens to their counts, in key order."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            """
            insert into bots.misuse as m (minute_at, token, reason, times) values (%s, %s, %s, %s)
            on conflict (minute_at, token, reason) do update set times = m.times + excluded.times
            """,
            sorted(found),
        )


async def misuse(tx: Tx, since: datetime) -> list[MisuseTally]:
    """Return the refused tokens since a moment, by kind and reason."""
    async with tx.cursor(row_factory=class_row(MisuseTally)) as cursor:
        await cursor.execute(
            """
            select token, reason, sum(times)::bigint as times, max(minute_at) as last_at
              from bots.misuse where minute_at >= %s
             group by token, reason order by token, reason
            """,
            [since],
        )
        return await cursor.fetchall()


async def insert_decisions(tx: Tx, decisions: Sequence[tuple[str, Decision]]) -> None:
    """Add whole decisions, each under its kind."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            """
            insert into bots.decision (decision_id, decided_at, kind, account_id, device, body)
            values (%s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    each.decision_id,
                    each.decided_at,
                    kind,
                    each.account_id,
                    each.device,
                    Jsonb(msgspec.to_builtins(each)),
                )
                for kind, each in decisions
            ],
        )


async def tallies(tx: Tx, since: datetime) -> list[Tally]:
    """Return the counts since a moment, most visits first."""
    async with tx.cursor(row_factory=class_row(Tally)) as cursor:
        await cursor.execute(
            """
            select kind, lane, work_factor, sum(visits)::bigint as visits, max(minute_at) as last_at
              from bots.tally where minute_at >= %s
             group by kind, lane, work_factor order by visits desc, kind, lane, work_factor
            """,
            [since],
        )
        return await cursor.fetchall()


async def course(tx: Tx, since: datetime, span_seconds: int) -> list[SpanTally]:
    """Return the counts since a moment by span, oldest first; a span is cut by the clock, not by the moment."""
    async with tx.cursor(row_factory=class_row(SpanTally)) as cursor:
        await cursor.execute(
            """
            select (floor(extract(epoch from minute_at) / %(span)s) * %(span)s)::bigint as at,
                   kind, lane, work_factor, sum(visits)::bigint as visits
              from bots.tally where minute_at >= %(since)s
             group by 1, kind, lane, work_factor order by 1, kind, lane, work_factor
            """,
            {"since": since, "span": span_seconds},
        )
        return await cursor.fetchall()


async def decision(tx: Tx, decision_id: UUID) -> Decision | None:
    """Return a recorded decision."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select body from bots.decision where decision_id = %s", [decision_id])
        body = await cursor.fetchone()
    return None if body is None else msgspec.convert(body, Decision)


async def decisions(tx: Tx, kind: str | None, limit: int, account_id: UUID | None = None) -> list[Decision]:
    """Return the newest decisions, of one kind or of all, of one account or of all."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select body from bots.decision
             where (%(kind)s::text is null or kind = %(kind)s)
               and (%(account)s::uuid is null or account_id = %(account)s)
             order by decided_at desc limit %(limit)s
            """,
            {"kind": kind, "account": account_id, "limit": limit},
        )
        return [msgspec.convert(body, Decision) for body in await cursor.fetchall()]


async def insert_undo(tx: Tx, undo: Undo) -> None:
    """Add an undo."""
    await tx.execute(
        """
        insert into bots.undo (undo_id, account_id, device, staff_id, reason, undone_at, ends_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        list(msgspec.structs.astuple(undo)),
    )


async def undos(tx: Tx, now: datetime) -> list[Undo]:
    """Return the undos that stand."""
    async with tx.cursor(row_factory=class_row(Undo)) as cursor:
        await cursor.execute(
            """
            select undo_id, account_id, device, staff_id, reason, undone_at, ends_at
              from bots.undo where ends_at > %s order by ends_at, undo_id
            """,
            [now],
        )
        return await cursor.fetchall()


async def newest_undos(tx: Tx, limit: int) -> list[Undo]:
    """Return the undos that were ever written and are not too old, newest first."""
    async with tx.cursor(row_factory=class_row(Undo)) as cursor:
        await cursor.execute(
            """
            select undo_id, account_id, device, staff_id, reason, undone_at, ends_at
              from bots.undo order by undone_at desc, undo_id limit %s
            """,
            [limit],
        )
        return await cursor.fetchall()


async def cleared(tx: Tx, now: datetime) -> frozenset[UUID]:
    """Return the accounts of the undos that stand, and those that were seen on their devices."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select account_id from bots.undo where ends_at > %(now)s
            union
            select d.account_id from bots.undo u join bots.decision d using (device)
             where u.ends_at > %(now)s and u.device <> ''
            """,
            {"now": now},
        )
        return frozenset(await cursor.fetchall())


async def undos_too_long(tx: Tx, longest: timedelta) -> tuple[int, int]:
    """Return how many undos there are, and how many of them stand for longer than that."""
    row = await (
        await tx.execute("select count(*), count(*) filter (where ends_at - undone_at > %s) from bots.undo", [longest])
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def uncounted(tx: Tx) -> tuple[int, int]:
    """Return how many counts there are, and under how many of them more examples are kept than visits counted."""
    row = await (
        await tx.execute(
            """
            select count(*), count(*) filter (where kept > visits)
              from (
                select t.visits, (
                    select count(*) from bots.decision d
                     where d.kind = t.kind and d.decided_at >= t.minute_at
                       and d.decided_at < t.minute_at + interval '1 minute'
                       and d.body ->> 'lane' = t.lane and (d.body ->> 'work_factor')::int = t.work_factor
                ) as kept
                  from (select * from bots.tally order by minute_at desc limit 1000) t
              ) counted
            """
        )
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def delete_old(tx: Tx, before: datetime) -> int:
    """Delete decisions, counts and ended undos older than a moment; return how many rows went."""
    gone = 0
    for statement in (
        "delete from bots.decision where decided_at < %s",
        "delete from bots.tally where minute_at < %s",
        "delete from bots.misuse where minute_at < %s",
        "delete from bots.undo where ends_at < %s",
    ):
        gone += (await tx.execute(statement, [before])).rowcount
    return gone
