"""All SQL of edge, in the schema `edge` only."""

from datetime import datetime

from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.gate.edge.contracts import Purge

_COLUMNS = "purge_id, campaign_id, version, asked_at, tries, pages, done_at, gave_up_at, fault"


async def add(tx: Tx, campaign_id: str, version: int, at: datetime) -> int:
    """Write down that a publication wants a purge; return its number."""
    row = await (
        await tx.execute(
            "insert into edge.purge (campaign_id, version, asked_at) values (%s, %s, %s) returning purge_id",
            [campaign_id, version, at],
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def purge(tx: Tx, purge_id: int) -> Purge | None:
    """Return one purge."""
    async with tx.cursor(row_factory=class_row(Purge)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from edge.purge where purge_id = %s", [purge_id])
        return await cursor.fetchone()


async def done_before(tx: Tx, purge_id: int) -> Purge | None:
    """Return the last purge before this one that was done."""
    async with tx.cursor(row_factory=class_row(Purge)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from edge.purge where purge_id < %s and done_at is not null"
            " order by purge_id desc limit 1",
            [purge_id],
        )
        return await cursor.fetchone()


async def newest(tx: Tx, most: int) -> list[Purge]:
    """Return the newest purges, newest first."""
    async with tx.cursor(row_factory=class_row(Purge)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from edge.purge order by purge_id desc limit %s", [most])
        return await cursor.fetchall()


async def put_done(tx: Tx, purge_id: int, pages: int, at: datetime) -> bool:
    """Write down that so many pages were purged; return False where that stands there already."""
    done = await tx.execute(
        "update edge.purge set tries = tries + 1, pages = %s, done_at = %s, fault = ''"
        " where purge_id = %s and done_at is null and gave_up_at is null",
        [pages, at, purge_id],
    )
    return done.rowcount == 1


async def put_failed(tx: Tx, purge_id: int, fault: str, tries_max: int, at: datetime) -> Purge | None:
    """Write down a try that failed, and the end with the last one; return the purge, or None where it had ended."""
    async with tx.cursor(row_factory=class_row(Purge)) as cursor:
        await cursor.execute(
            "update edge.purge set tries = tries + 1, fault = %(fault)s,"
            " gave_up_at = case when tries + 1 >= %(tries_max)s then %(at)s::timestamptz end"
            f" where purge_id = %(purge_id)s and done_at is null and gave_up_at is null returning {_COLUMNS}",
            {"fault": fault[:500], "tries_max": tries_max, "at": at, "purge_id": purge_id},
        )
        return await cursor.fetchone()
