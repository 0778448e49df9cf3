"""All SQL of segments, as thin functions."""

from collections.abc import Sequence

from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.trust.identity.contracts import AccountId, SegmentChange, SegmentCount


async def lock(tx: Tx, segment: str) -> None:
    """Let changes of one segment wait for each other until the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('identity.segment:' || %s, 0))", [segment])


async def put(tx: Tx, segment: str, phone_indexes: Sequence[bytes]) -> int:
    """Put these numbers into a segment; return how many are new in it."""
    fresh = await tx.execute(
        "insert into identity.segment (segment, phone_index)"
        " select %s, phone_index from unnest(%s::bytea[]) as new (phone_index) order by phone_index"
        " on conflict do nothing",
        [segment, list(phone_indexes)],
    )
    return fresh.rowcount


async def delete(tx: Tx, segment: str, phone_indexes: Sequence[bytes]) -> int:
    """Take these numbers out of a segment; return how many were in it."""
    gone = await tx.execute(
        "delete from identity.segment where segment = %s and phone_index = any(%s)", [segment, list(phone_indexes)]
    )
    return gone.rowcount


async def delete_others(tx: Tx, segment: str, kept: Sequence[bytes]) -> int:
    """Take every number but these out of a segment; return how many."""
    gone = await tx.execute(
        "delete from identity.segment where segment = %s and phone_index not in (select unnest(%s::bytea[]))",
        [segment, list(kept)],
    )
    return gone.rowcount


async def counts(tx: Tx) -> list[SegmentCount]:
    """Return how many numbers each segment holds, and how many of them have an account."""
    async with tx.cursor(row_factory=class_row(SegmentCount)) as cursor:
        await cursor.execute(
            "select segment as name, count(*) as numbers, count(a.account_id) as accounts"
            " from identity.segment left join identity.account a using (phone_index) group by segment order by segment"
        )
        return await cursor.fetchall()


async def holders(tx: Tx, segment: str, limit: int, offset: int) -> list[AccountId]:
    """Return the accounts of a segment, in the order of their ids."""
    rows = await tx.execute(
        "select account_id from identity.account join identity.segment s using (phone_index)"
        " where s.segment = %s order by account_id limit %s offset %s",
        [segment, limit, offset],
    )
    return [AccountId(account_id) for (account_id,) in await rows.fetchall()]


async def insert_change(tx: Tx, change: SegmentChange) -> None:
    """Record a change."""
    await tx.execute(
        "insert into identity.segment_change"
        " (change_id, segment, how, numbers, added, ended, changed_by, reason, changed_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            change.change_id,
            change.segment,
            change.how,
            change.numbers,
            change.added,
            change.ended,
            change.changed_by,
            change.reason,
            change.changed_at,
        ],
    )


async def changes(tx: Tx, segment: str | None, limit: int) -> list[SegmentChange]:
    """Return the newest changes, of one segment or of all."""
    async with tx.cursor(row_factory=class_row(SegmentChange)) as cursor:
        await cursor.execute(
            "select change_id, segment, how, numbers, added, ended, changed_by, reason, changed_at"
            " from identity.segment_change where %(segment)s::text is null or segment = %(segment)s"
            " order by changed_at desc, change_id desc limit %(limit)s",
            {"segment": segment, "limit": limit},
        )
        return await cursor.fetchall()
