"""The SQL by which groups are looked at: lists, totals, and what the watch examines."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row, kwargs_row

from tidegate.base.db import Tx
from tidegate.sale.groups.contracts import Group, GroupFilter, GroupPage, GroupTotals, Seat
from tidegate.sale.groups.store import GROUP, SEAT, group_of, seat_of


async def group(tx: Tx, group_id: UUID) -> Group | None:
    """Return a group."""
    async with tx.cursor(row_factory=kwargs_row(group_of)) as cursor:
        await cursor.execute(f"select {GROUP} from groups.buying_group where group_id = %s", [group_id])
        return await cursor.fetchone()


async def groups_of(tx: Tx, buyer_id: UUID, limit: int) -> list[tuple[Group, Seat]]:
    """Return the groups in which a buyer took a seat, newest first, with that seat."""
    async with tx.cursor(row_factory=kwargs_row(seat_of)) as cursor:
        await cursor.execute(
            f"select {SEAT} from groups.seat where buyer_id = %s and order_id is not null"
            " order by seat_id desc limit %s",
            [buyer_id, limit],
        )
        seats = await cursor.fetchall()
    async with tx.cursor(row_factory=kwargs_row(group_of)) as cursor:
        await cursor.execute(
            f"select {GROUP} from groups.buying_group where group_id = any(%s)", [[seat.group_id for seat in seats]]
        )
        groups = {each.group_id: each for each in await cursor.fetchall()}
    return [(groups[seat.group_id], seat) for seat in seats]


async def forming(tx: Tx, campaign_id: str) -> dict[str, int]:
    """Return how many groups are forming, by SKU."""
    rows = await tx.execute(
        "select sku, count(*) from groups.buying_group where campaign_id = %s and state = 'forming' group by sku",
        [campaign_id],
    )
    return dict(await rows.fetchall())


async def find(tx: Tx, asked: GroupFilter) -> GroupPage:
    """Return one page of what a filter finds, newest first."""
    where: LiteralString = "where (%(state)s::text is null or state = %(state)s) and (%(sku)s = '' or sku = %(sku)s)"
    values = {
        "state": str(asked.state) if asked.state else None,
        "sku": asked.sku,
        "limit": asked.limit,
        "offset": asked.offset,
    }
    row = await (await tx.execute(f"select count(*) from groups.buying_group {where}", values)).fetchone()
    async with tx.cursor(row_factory=kwargs_row(group_of)) as cursor:
        await cursor.execute(
            f"select {GROUP} from groups.buying_group {where} order by group_id desc limit %(limit)s offset %(offset)s",
            values,
        )
        return GroupPage(rows=tuple(await cursor.fetchall()), count=int(row[0]) if row else 0)


async def totals(tx: Tx, campaign_id: str) -> list[GroupTotals]:
    """Return what became of a campaign's groups and their seats, by SKU."""
    async with tx.cursor(row_factory=class_row(GroupTotals)) as cursor:
        await cursor.execute(
            """
            select g.sku,
                   count(*) filter (where g.state = 'forming') as forming,
                   count(*) filter (where g.state = 'filled') as filled,
                   count(*) filter (where g.state = 'failed') as failed,
                   coalesce(sum(s.paid), 0)::bigint as paid,
                   coalesce(sum(s.confirmed), 0)::bigint as confirmed,
                   coalesce(sum(s.refunded), 0)::bigint as refunded
            from groups.buying_group g left join lateral (
                select count(*) filter (where state = 'paid') as paid,
                       count(*) filter (where state = 'confirmed') as confirmed,
                       count(*) filter (where state = 'refunded') as refunded
                from groups.seat where group_id = g.group_id
            ) s on true
            where g.campaign_id = %s group by g.sku order by g.sku
            """,
            [campaign_id],
        )
        return await cursor.fetchall()


async def waiting(tx: Tx, order_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the orders whose seat is not confirmed."""
    rows = await tx.execute(
        "select order_id from groups.seat where order_id = any(%s) and state <> 'confirmed'", [list(order_ids)]
    )
    return {row[0] for row in await rows.fetchall()}


async def broken(tx: Tx) -> tuple[int, list[UUID]]:
    """Return how many groups there are, and some whose counts differ from their seats or that ended otherwise than all
    their seats did.
    """
    row = await (
        await tx.execute(
            """
            with counted as (
                select g.*, coalesce(s.held, 0) as held_seats, coalesce(s.paid, 0) as paid_seats,
                       coalesce(s.confirmed, 0) as confirmed_seats
                from groups.buying_group g left join (
                    select group_id,
                           count(*) filter (where state in ('taken', 'paid', 'confirmed')) as held,
                           count(*) filter (where state in ('paid', 'confirmed')) as paid,
                           count(*) filter (where state = 'confirmed') as confirmed
                    from groups.seat group by group_id
                ) s using (group_id)
            )
            select count(*), (array_agg(group_id) filter (where taken <> held_seats or paid <> paid_seats
                or confirmed_seats <> case when state = 'filled' then size else 0 end))[1:5]
            from counted
            """
        )
    ).fetchone()
    assert row is not None
    return int(row[0]), row[1] or []


async def settled(tx: Tx, limit: int) -> list[tuple[UUID, str]]:
    """Return the order and state of the seats that ended last, confirmed or refunded."""
    rows = await tx.execute(
        "select order_id, state from groups.seat where state in ('confirmed', 'refunded')"
        " order by ended_at desc limit %s",
        [limit],
    )
    return await rows.fetchall()


async def overdue(tx: Tx, before: datetime) -> int:
    """Return how many groups are forming although their time was over before a moment."""
    row = await (
        await tx.execute("select count(*) from groups.buying_group where state = 'forming' and fills_by < %s", [before])
    ).fetchone()
    return int(row[0]) if row else 0
