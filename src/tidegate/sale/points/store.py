"""All SQL of points. Accounts are always locked in the order of their ids, before anything is entered."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.sale.points.contracts import Balance, Entry, EntryKind, OpenPoints


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A new entry."""

    account_id: UUID
    kind: EntryKind
    available: int
    held: int = 0
    order_id: UUID | None = None
    by: str = ""
    reason: str = ""


async def open_accounts(tx: Tx, account_ids: Collection[UUID]) -> None:
    """Make the accounts that do not exist yet."""
    await tx.execute(
        "insert into points.account (account_id) select account_id from unnest(%s::uuid[]) as new (account_id)"
        " order by account_id on conflict do nothing",
        [sorted(account_ids)],
    )


async def lock(tx: Tx, account_ids: Collection[UUID]) -> dict[UUID, int]:
    """Lock these accounts and return what each has available; one that does not exist is missing."""
    rows = await tx.execute(
        "select account_id, available from points.account where account_id = any(%s) order by account_id for update",
        [sorted(account_ids)],
    )
    return dict(await rows.fetchall())


async def enter(tx: Tx, rows: Sequence[Row], now: datetime) -> None:
    """Append entries and move the balances of their accounts, which exist; one statement."""
    await tx.execute(
        """
        with entered as (
            insert into points.entry (account_id, kind, available, held, order_id, by, reason, at)
            select account_id, kind, available, held, order_id, by, reason, %(now)s
            from json_to_recordset(%(rows)s::json) as new (account_id uuid, kind text, available bigint, held bigint,
                order_id uuid, by text, reason text)
            returning account_id, available, held
        ),
        moved as (
            select account_id, sum(available) as available, sum(held) as held from entered group by account_id
        )
        update points.account a set available = a.available + moved.available, held = a.held + moved.held
        from moved where a.account_id = moved.account_id
        """,
        {"rows": msgspec.json.encode(rows).decode(), "now": now},
    )


async def open_holds(tx: Tx, order_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, int]]:
    """Return (account, order, points) of those of the orders whose points are held."""
    rows = await tx.execute(
        "select account_id, order_id, held from points.entry e where order_id = any(%s) and kind = 'held'"
        " and not exists (select from points.entry ended where ended.order_id = e.order_id"
        "  and ended.kind in ('spent', 'released')) order by order_id",
        [list(order_ids)],
    )
    return [(row[0], row[1], row[2]) for row in await rows.fetchall()]


async def earning(tx: Tx, order_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the orders that earned their points already."""
    rows = await tx.execute(
        "select order_id from points.entry where order_id = any(%s) and kind = 'earned'", [list(order_ids)]
    )
    return {order_id for (order_id,) in await rows.fetchall()}


async def settled(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return how many points of each order were given back and taken back."""
    rows = await tx.execute(
        "select order_id, coalesce(sum(available) filter (where kind = 'given_back'), 0)::bigint,"
        " coalesce(-sum(available) filter (where kind = 'taken_back'), 0)::bigint"
        " from points.entry where order_id = any(%s) and kind in ('given_back', 'taken_back') group by order_id",
        [list(order_ids)],
    )
    return {order_id: (back, gone) for order_id, back, gone in await rows.fetchall()}


async def balance(tx: Tx, account_id: UUID) -> Balance:
    """Return an account's balance; nothing of one that never had points."""
    rows = await tx.execute("select available, held from points.account where account_id = %s", [account_id])
    row = await rows.fetchone()
    return Balance(*row) if row else Balance()


async def entries(tx: Tx, account_id: UUID, limit: int, offset: int) -> list[Entry]:
    """Return an account's entries, newest first."""
    async with tx.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(
            "select entry_id, kind, available, held, order_id, by, reason, at from points.entry"
            " where account_id = %s order by entry_id desc limit %s offset %s",
            [account_id, limit, offset],
        )
        return await cursor.fetchall()


async def last_entry(tx: Tx, account_id: UUID) -> int:
    """Return the number of an account's last entry; 0 of one that has none."""
    rows = await tx.execute("select coalesce(max(entry_id), 0) from points.entry where account_id = %s", [account_id])
    row = await rows.fetchone()
    assert row is not None
    return int(row[0])


async def unsettled(tx: Tx) -> tuple[int, list[UUID]]:
    """Return how many accounts there are, and some whose balance is not the sum of their entries."""
    rows = await tx.execute(
        """
        with sums as (
            select account_id, sum(available) as available, sum(held) as held from points.entry group by account_id
        )
        select count(*), (array_agg(coalesce(a.account_id, s.account_id)) filter (
            where coalesce(a.available, 0) <> coalesce(s.available, 0) or coalesce(a.held, 0) <> coalesce(s.held, 0)
        ))[1:5]
        from points.account a full join sums s using (account_id)
        """
    )
    row = await rows.fetchone()
    assert row is not None
    return int(row[0]), list(row[1] or ())


async def unequal(tx: Tx) -> list[UUID]:
    """Return some orders that spent or released other points than they held, or gave back or took back too many."""
    rows = await tx.execute(
        """
        select order_id from points.entry where order_id is not null
        group by order_id
        having sum(held) < 0 or sum(held) > coalesce(sum(held) filter (where kind = 'held'), 0)
            or (bool_or(kind in ('spent', 'released')) and sum(held) <> 0)
            or coalesce(sum(available) filter (where kind = 'given_back'), 0)
                > coalesce(-sum(held) filter (where kind = 'spent'), 0)
            or coalesce(-sum(available) filter (where kind = 'taken_back'), 0)
                > coalesce(sum(available) filter (where kind = 'earned'), 0)
        limit 5
        """
    )
    return [order_id for (order_id,) in await rows.fetchall()]


async def in_orders(tx: Tx, kind: EntryKind) -> OpenPoints:
    """Return the fingerprint of (order, points) over orders that hold (HELD) or spent (SPENT) points."""
    rows = await tx.execute(
        """
        select count(*), coalesce(sum(abs(held)), 0)::bigint,
            coalesce(bit_xor(hashtextextended(order_id::text || abs(held), 0)), 0)
        from points.entry e
        where kind = %(kind)s and (kind <> 'held' or not exists (
            select from points.entry ended where ended.order_id = e.order_id and ended.kind in ('spent', 'released')))
        """,
        {"kind": kind},
    )
    row = await rows.fetchone()
    assert row is not None
    return OpenPoints(*row)
