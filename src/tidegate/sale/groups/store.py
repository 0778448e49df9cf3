"""All SQL of groups that changes them. Groups are locked in the order of their ids, before their seats."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import kwargs_row

from tidegate.base.db import Tx
from tidegate.sale.groups.contracts import Group, Seat

GROUP: LiteralString = "group_id, campaign_id, sku, size, state, taken, paid, opened_at, fills_by, ended_at"
SEAT: LiteralString = "seat_id, group_id, buyer_id, key, quantity, order_id, state, taken_at"


def group_of(**row: object) -> Group:
    """Return the group of a row."""
    return msgspec.convert(row, Group)


def seat_of(**row: object) -> Seat:
    """Return the seat of a row."""
    return msgspec.convert(row, Seat)


async def insert_group(tx: Tx, group: Group) -> None:
    """Open a group without seats."""
    await tx.execute(
        "insert into groups.buying_group (group_id, campaign_id, sku, size, opened_at, fills_by)"
        " values (%s, %s, %s, %s, %s, %s)",
        [group.group_id, group.campaign_id, group.sku, group.size, group.opened_at, group.fills_by],
    )


async def insert_seat(tx: Tx, seat: Seat) -> bool:
    """Take a seat in a locked group and count it; whether nobody had taken one under this key of the buyer's.

    Breaks `seat_once_a_buyer` where the buyer has a seat in the group.
    """
    row = await (
        await tx.execute(
            """
            with taken as (
                insert into groups.seat (seat_id, group_id, buyer_id, key, quantity, taken_at)
                values (%(seat)s, %(group)s, %(buyer)s, %(key)s, %(quantity)s, %(at)s)
                on conflict on constraint seat_key_unique do nothing
                returning group_id
            ), counted as (
                update groups.buying_group g set taken = g.taken + 1 from taken where g.group_id = taken.group_id
            )
            select count(*) from taken
            """,
            {
                "seat": seat.seat_id,
                "group": seat.group_id,
                "buyer": seat.buyer_id,
                "key": seat.key,
                "quantity": seat.quantity,
                "at": seat.taken_at,
            },
        )
    ).fetchone()
    return bool(row and row[0])


async def lock_group(tx: Tx, group_id: UUID) -> Group | None:
    """Lock a group and return it."""
    found = await _groups(tx, f"select {GROUP} from groups.buying_group where group_id = %s for update", [group_id])
    return found[0] if found else None


async def lock_due(tx: Tx, before: datetime, limit: int) -> list[Group]:
    """Lock forming groups whose time was over before a moment; those that another process works on are left to it."""
    return await _groups(
        tx,
        f"select {GROUP} from groups.buying_group where state = 'forming' and fills_by <= %s"
        " order by fills_by, group_id limit %s for update skip locked",
        [before, limit],
    )


async def seats(tx: Tx, group_id: UUID) -> list[Seat]:
    """Return a group's seats in the order of taking; whoever changes them holds the group."""
    return await _seats(tx, f"select {SEAT} from groups.seat where group_id = %s order by seat_id", [group_id])


async def seat_by_key(tx: Tx, buyer_id: UUID, key: str) -> Seat | None:
    """Return the seat that a buyer asked for under a key."""
    found = await _seats(tx, f"select {SEAT} from groups.seat where buyer_id = %s and key = %s", [buyer_id, key])
    return found[0] if found else None


async def seat_by_id(tx: Tx, seat_id: UUID) -> Seat | None:
    """Return a seat."""
    found = await _seats(tx, f"select {SEAT} from groups.seat where seat_id = %s", [seat_id])
    return found[0] if found else None


async def bind(tx: Tx, seat_id: UUID, order_id: UUID) -> UUID | None:
    """Bind an order to its seat, once; return the seat's group, or None where the seat was given up meanwhile."""
    row = await (
        await tx.execute(
            "update groups.seat set order_id = %(order)s"
            " where seat_id = %(seat)s and (order_id is null or order_id = %(order)s) returning group_id",
            {"seat": seat_id, "order": order_id},
        )
    ).fetchone()
    return row[0] if row else None


async def drop_seat(tx: Tx, seat_id: UUID) -> None:
    """Take a seat without an order out of its locked group."""
    await tx.execute(
        """
        with dropped as (
            delete from groups.seat where seat_id = %s and order_id is null returning group_id
        )
        update groups.buying_group g set taken = g.taken - 1 from dropped where g.group_id = dropped.group_id
        """,
        [seat_id],
    )


async def drop_empty(tx: Tx, group_id: UUID) -> None:
    """Delete a locked group in which nobody ever sat."""
    await tx.execute(
        "delete from groups.buying_group g where group_id = %s"
        " and not exists (select from groups.seat s where s.group_id = g.group_id)",
        [group_id],
    )


async def write(tx: Tx, group: Group, changed: Sequence[Seat], now: datetime) -> None:
    """Write where a locked group and those of its seats that changed stand."""
    await tx.execute(
        """
        with moved as (
            update groups.seat s
            set state = t.state,
                ended_at = case when t.state in ('confirmed', 'refunded', 'left') then %(now)s end
            from unnest(%(seats)b::uuid[], %(states)b::text[]) as t (seat_id, state)
            where s.seat_id = t.seat_id
        )
        update groups.buying_group
        set state = %(state)s, taken = %(taken)s, paid = %(paid)s, ended_at = %(ended_at)s
        where group_id = %(group)s
        """,
        {
            "seats": [seat.seat_id for seat in changed],
            "states": [str(seat.state) for seat in changed],
            "now": now,
            "state": str(group.state),
            "taken": group.taken,
            "paid": group.paid,
            "ended_at": group.ended_at,
            "group": group.group_id,
        },
    )


async def groups_of_orders(tx: Tx, order_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the group of each of these orders that has a seat."""
    rows = await tx.execute("select order_id, group_id from groups.seat where order_id = any(%s)", [list(order_ids)])
    return dict(await rows.fetchall())


async def unbound(tx: Tx, before: datetime, limit: int) -> list[Seat]:
    """Return seats that were taken before a moment and still have no order, oldest first."""
    return await _seats(
        tx,
        f"select {SEAT} from groups.seat where order_id is null and taken_at <= %s order by taken_at limit %s",
        [before, limit],
    )


async def unsettled(tx: Tx, limit: int) -> list[UUID]:
    """Return failed groups with a seat whose order's payment was under way when the group failed."""
    rows = await tx.execute(
        "select distinct group_id from groups.seat join groups.buying_group g using (group_id)"
        " where g.state = 'failed' and g.taken > 0 and seat.order_id is not null limit %s",
        [limit],
    )
    return [row[0] for row in await rows.fetchall()]


async def sells(tx: Tx, skus: Sequence[str]) -> set[str]:
    """Return those of the SKUs for which there ever was a group."""
    rows = await tx.execute(
        "select sku from unnest(%s::text[]) as asked (sku)"
        " where exists (select from groups.buying_group g where g.sku = asked.sku)",
        [list(skus)],
    )
    return {row[0] for row in await rows.fetchall()}


async def _groups(tx: Tx, statement: LiteralString, values: Sequence[object]) -> list[Group]:
    async with tx.cursor(row_factory=kwargs_row(group_of)) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall()


async def _seats(tx: Tx, statement: LiteralString, values: Sequence[object]) -> list[Seat]:
    async with tx.cursor(row_factory=kwargs_row(seat_of)) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall()
