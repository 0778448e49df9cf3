"""All SQL of members, as thin functions."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from tidegate.base import columns
from tidegate.base.db import Tx
from tidegate.trust.identity.contracts import AccountId, Standing, TierChange


async def lock(tx: Tx) -> None:
    """Let changes of many members wait for each other until the transaction ends: a number moves between tiers."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('identity.member', 0))")


async def put(tx: Tx, tiers: Mapping[bytes, str], now: datetime) -> tuple[int, int]:
    """Write the tiers of these numbers in key order; return how many are new, and how many changed."""
    rows = await tx.execute(
        """
        insert into identity.member as m (phone_index, tier, set_at)
        select phone_index, tier, %s from unnest(%s::bytea[], %s::text[]) as new (phone_index, tier)
        order by phone_index
        on conflict (phone_index) do update set tier = excluded.tier, set_at = excluded.set_at
        where m.tier <> excluded.tier
        returning xmax = 0
        """,
        [now, list(tiers), list(tiers.values())],
    )
    fresh = [is_new for (is_new,) in await rows.fetchall()]
    return sum(fresh), len(fresh) - sum(fresh)


async def delete(tx: Tx, phone_index: bytes) -> str | None:
    """End one membership and return its tier; None where there was none."""
    gone = await tx.execute("delete from identity.member where phone_index = %s returning tier", [phone_index])
    row = await gone.fetchone()
    return str(row[0]) if row else None


async def delete_of_tier(tx: Tx, tier: str, phone_indexes: Sequence[bytes]) -> int:
    """End the memberships of these numbers that are in this tier; return how many."""
    gone = await tx.execute(
        "delete from identity.member where tier = %s and phone_index = any(%s)", [tier, list(phone_indexes)]
    )
    return gone.rowcount


async def delete_others_of_tier(tx: Tx, tier: str, kept: Sequence[bytes]) -> int:
    """End every membership in this tier but these; return how many."""
    gone = await tx.execute(
        "delete from identity.member where tier = %s and phone_index not in (select unnest(%s::bytea[]))",
        [tier, list(kept)],
    )
    return gone.rowcount


async def insert_change(tx: Tx, change: TierChange) -> None:
    """Record a change of a tier."""
    await tx.execute(
        "insert into identity.tier_change"
        " (change_id, tier, how, numbers, added, moved, ended, changed_by, reason, changed_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            change.change_id,
            change.tier,
            change.how,
            change.numbers,
            change.added,
            change.moved,
            change.ended,
            change.changed_by,
            change.reason,
            change.changed_at,
        ],
    )


async def changes(tx: Tx, limit: int) -> list[TierChange]:
    """Return the newest changes of tiers."""
    async with tx.cursor(row_factory=class_row(TierChange)) as cursor:
        await cursor.execute(
            "select change_id, tier, how, numbers, added, moved, ended, changed_by, reason, changed_at"
            " from identity.tier_change order by changed_at desc, change_id desc limit %s",
            [limit],
        )
        return await cursor.fetchall()


async def standings(tx: Tx, account_ids: Collection[UUID]) -> dict[AccountId, Standing]:
    """Return the standing of those of the accounts that are members' or in a segment."""
    rows = await tx.execute(
        "select account_id, m.tier, s.names from identity.account a left join identity.member m using (phone_index)"
        " cross join lateral (select array_agg(segment) as names from identity.segment"
        " where phone_index = a.phone_index) s"
        " where account_id = any(%s) and (m.tier is not null or s.names is not null)",
        [columns.uuids(account_ids)],
    )
    return {
        AccountId(account_id): Standing(tier or "", frozenset(names or ()))
        for account_id, tier, names in await rows.fetchall()
    }


async def counts(tx: Tx) -> dict[str, int]:
    """Return how many members each tier has."""
    rows = await tx.execute("select tier, count(*) from identity.member group by tier order by tier")
    return dict(await rows.fetchall())
