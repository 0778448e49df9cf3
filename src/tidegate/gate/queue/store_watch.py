"""The SQL of what staff watch of a line: each lane's totals, and what moved in the last half hour."""

from datetime import datetime

from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.gate.queue.contracts import Passage
from tidegate.gate.queue.rows import LaneTotals


async def lane_totals(tx: Tx, line_id: int) -> dict[int, LaneTotals]:
    """Return what became of those who came, by lane. Reads every entry of the line, so it is kept for a second."""
    async with tx.cursor(row_factory=class_row(LaneTotals)) as cursor:
        await cursor.execute(
            """
            select p.lane, count(*) as came,
                   count(*) filter (where e.entered_at is not null and e.ended_at is null) as inside,
                   count(*) filter (where e.purchases > 0) as bought,
                   count(*) filter (where e.entered_at is not null and e.ended_at is not null and e.purchases = 0)
                       as gone
              from queue.entry e join queue.place p using (line_id, serial)
             where e.line_id = %s group by p.lane
            """,
            [line_id],
        )
        return {row.lane: row for row in await cursor.fetchall()}


async def calls_in_all(tx: Tx, line_id: int) -> dict[int, int]:
    """Return how many were called of each lane until now."""
    rows = await tx.execute(
        "select lane, sum(calls)::bigint from queue.call where line_id = %s group by lane", [line_id]
    )
    return dict(await rows.fetchall())


async def passages(tx: Tx, line_id: int, since: datetime, span_seconds: int) -> list[Passage]:
    """Return what moved since then in spans of so many seconds, oldest first; those without any are left out."""
    async with tx.cursor(row_factory=class_row(Passage)) as cursor:
        await cursor.execute(
            """
            select (floor(extract(epoch from moved.at) / %(span)s) * %(span)s)::bigint as at,
                   sum(called)::bigint as called, sum(entered)::bigint as entered,
                   sum(bought)::bigint as bought, sum(gone)::bigint as gone
              from (
                select called_at as at, calls as called, 0 as entered, 0 as bought, 0 as gone
                  from queue.call where line_id = %(line)s and called_at >= %(since)s
                union all
                select entered_at, 0, 1, 0, 0 from queue.entry where line_id = %(line)s and entered_at >= %(since)s
                union all
                select ended_at, 0, 0, (purchases > 0)::integer, (purchases = 0)::integer
                  from queue.entry where line_id = %(line)s and ended_at >= %(since)s and entered_at is not null
              ) moved
             group by 1 order by 1
            """,
            {"line": line_id, "since": since, "span": span_seconds},
        )
        return await cursor.fetchall()
