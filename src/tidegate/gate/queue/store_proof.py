"""The SQL by which a line is checked."""

from datetime import datetime
from uuid import UUID

from tidegate.base.db import Tx


async def first_device(tx: Tx, line_id: int, serial: int) -> UUID | None:
    """Return the device on which a place was taken, where it moved since."""
    row = await (
        await tx.execute(
            "select from_device from queue.move where line_id = %s and serial = %s order by moved_at limit 1",
            [line_id, serial],
        )
    ).fetchone()
    return row[0] if row else None


async def calls(tx: Tx, line_id: int) -> list[tuple[int, int, datetime]]:
    """Return lane, threshold and moment of each call, in their order."""
    rows = await tx.execute(
        "select lane, threshold::text, called_at from queue.call where line_id = %s order by call_id", [line_id]
    )
    return [(lane, int(threshold), at) for lane, threshold, at in await rows.fetchall()]


async def broken(tx: Tx) -> tuple[int, int, int, int]:
    """Return how many entries there are, those that break the cap or the call, accounts inside twice, and gates whose
    count of those inside is wrong.
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
                ))
            """
        )
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])
