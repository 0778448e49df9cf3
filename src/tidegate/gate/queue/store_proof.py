"""The SQL by which a line is checked."""

from uuid import UUID

from tidegate.base.db import Tx
from tidegate.gate.queue.rows import CallRow, Coming, Home


async def first_device(tx: Tx, line_id: int, serial: int) -> UUID | None:
    """Return the device on which a place was taken, where it moved since."""
    row = await (
        await tx.execute(
            "select from_device from queue.move where line_id = %s and serial = %s order by moved_at limit 1",
            [line_id, serial],
        )
    ).fetchone()
    return row[0] if row else None


async def subtrees(tx: Tx, line_id: int) -> list[bytes]:
    """Return the roots of the sealed list's parts, in their order."""
    rows = await tx.execute("select root from queue.subtree where line_id = %s order by number", [line_id])
    return [root for (root,) in await rows.fetchall()]


async def campaigns(tx: Tx) -> list[str]:
    """Return the campaigns that ever had a line: one row each."""
    rows = await tx.execute("select campaign_id from queue.line order by line_id")
    return [campaign_id for (campaign_id,) in await rows.fetchall()]


async def calls(tx: Tx, line_id: int, start: int = 0, limit: int | None = None) -> list[CallRow]:
    """Return the calls in their order, all of them or a part."""
    rows = await tx.execute(
        "select lane, threshold::text, late_called, calls, called_at from queue.call where line_id = %s"
        " order by call_id offset %s limit %s",
        [line_id, start, limit],
    )
    return [
        CallRow(lane=lane, threshold=int(threshold), late_called=late, calls=count, called_at=at)
        for lane, threshold, late, count, at in await rows.fetchall()
    ]


async def comings(tx: Tx, line_id: int) -> list[Coming]:
    """Return the places whose owners came, with their calls and entries."""
    rows = await tx.execute(
        "select serial, p.lane, p.number, e.called_at, e.entered_at, p.home_lane, p.home_number, r.restored_at"
        " from queue.entry e join queue.place p using (line_id, serial)"
        " left join queue.restored r using (line_id, serial) where line_id = %s order by serial",
        [line_id],
    )
    return [
        Coming(
            serial=row[0], lane=row[1], number=row[2], called_at=row[3], entered_at=row[4],
            home=Home(serial=row[0], lane=row[5], number=row[6], restored_at=row[7]) if row[7] is not None else None,
        )
        for row in await rows.fetchall()
    ]  # fmt: skip


async def broken(tx: Tx) -> tuple[int, int, int, int, int]:
    """Return how many entries there are, those that break the cap or the call, accounts inside twice, gates whose
    count of those inside is wrong, and slow lanes that were called further than another lane.
    """
    row = await (
        await tx.execute(
            """
            select
                (select count(*) from queue.entry),
                (select count(*) from queue.entry where inside_then > cap_then or entered_at < called_at),
                (select count(*) from (
                    select from queue.entry where ended_at is null group by line_id, account_id having count(*) > 1
                ) twice),
                (select count(*) from queue.gate g where g.inside <> (
                    select count(*) from queue.entry e
                    where e.line_id = g.line_id and e.entered_at is not null and e.ended_at is null
                )),
                (select count(*) from queue.lane s where s.audience = 'slow' and exists (
                    select from queue.lane o
                    where o.line_id = s.line_id and o.audience <> 'slow' and o.drawn > 0 and o.threshold < s.threshold
                ))
            """
        )
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2]), int(row[3]), int(row[4])


async def miscounted_networks(tx: Tx) -> tuple[int, int]:
    """Return how many networks are counted, and of how many the count is not that of the places which name it."""
    row = await (
        await tx.execute(
            """
            select count(*), count(*) filter (where counted.places is distinct from named.places)
              from (select line_id, network, places from queue.network where places > 0) counted
              full join (
                select line_id, network, count(*) as places
                  from queue.place where network is not null group by line_id, network
              ) named using (line_id, network)
            """
        )
    ).fetchone()
    assert row is not None
    return row[0], row[1]
