"""The SQL of the slow lane: how far it may be called, and which of its places stand again where they would have."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.gate.queue.rows import Home, LaneRow

_HOME = "serial, p.home_lane as lane, p.home_number as number, r.restored_at"


async def late_reach(tx: Tx, line_id: int, slow: LaneRow) -> int:
    """Return up to which number the late of the slow lane may be called: nobody before those who came before him.

    A late place may be called when all drawn ones of its home lane were, and the late ones that it stands behind.
    """
    row = await (
        await tx.execute(
            """
            select min(p.number)
              from queue.place p
              join queue.lane h on h.line_id = p.line_id and h.lane = p.home_lane
             where p.line_id = %s and p.lane = %s and p.number > %s
               and not (
                 (h.drawn = 0 or h.threshold = 18446744073709551616) and p.home_number <= h.late_called
               )
            """,
            [line_id, slow.lane, slow.late_called],
        )
    ).fetchone()
    return slow.late if row is None or row[0] is None else int(row[0]) - 1


async def restore(tx: Tx, line_id: int, accounts: Collection[UUID], now: datetime) -> int:
    """Let the live places of these accounts stand where they would without the slow lane; return how many are new."""
    restored = await tx.execute(
        """
        insert into queue.restored (line_id, serial, restored_at)
        select line_id, serial, %s from queue.place
         where line_id = %s and home_lane is not null and left_at is null and account_id = any(%s)
        on conflict do nothing
        """,
        [now, line_id, list(accounts)],
    )
    return restored.rowcount


async def homes(tx: Tx, line_id: int) -> dict[int, Home]:
    """Return the restored places by serial: as many as staff undid."""
    async with tx.cursor(row_factory=class_row(Home)) as cursor:
        await cursor.execute(
            f"select {_HOME} from queue.restored r join queue.place p using (line_id, serial) where line_id = %s",
            [line_id],
        )
        return {home.serial: home for home in await cursor.fetchall()}


async def home(tx: Tx, line_id: int, serial: int) -> Home | None:
    """Return where a restored place stands, or None for any other."""
    async with tx.cursor(row_factory=class_row(Home)) as cursor:
        await cursor.execute(
            f"select {_HOME} from queue.restored r join queue.place p using (line_id, serial)"
            " where line_id = %s and serial = %s",
            [line_id, serial],
        )
        return await cursor.fetchone()


async def behind(tx: Tx, line_id: int) -> dict[int, tuple[int, int]]:
    """Return home lane and home number of each late place in the slow lane, by its number there."""
    rows = await tx.execute(
        "select number, home_lane, home_number from queue.place"
        " where line_id = %s and home_lane is not null and number > 0",
        [line_id],
    )
    return {number: (lane, count) for number, lane, count in await rows.fetchall()}
