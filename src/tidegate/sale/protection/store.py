"""All SQL of price protection."""

from typing import LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import class_row, dict_row

from tidegate.base.db import Tx
from tidegate.sale.protection.contracts import Grant, GrantPage, GrantRow
from tidegate.sale.stock.contracts import Fingerprint

_encode = msgspec.json.Encoder().encode
_GRANT: LiteralString = (
    "grant_id, order_id, buyer_id, asked_by, amount, currency, lines, then_version, then_hash, today_campaign,"
    " today_version, today, granted_at"
)


async def insert(tx: Tx, grant: Grant) -> None:
    """Record a grant."""
    await tx.execute(
        f"insert into protection.granted ({_GRANT})"
        " values (%s, %s, %s, %s, %s, %s, %s::json, %s, %s, %s, %s, %s::json, %s)",
        [
            grant.grant_id,
            grant.order_id,
            grant.buyer_id,
            grant.asked_by,
            grant.amount,
            grant.currency,
            _encode(grant.lines).decode(),
            grant.then_version,
            grant.then_hash,
            grant.today_campaign,
            grant.today_version,
            _encode(grant.today).decode(),
            grant.granted_at,
        ],
    )


async def of_order(tx: Tx, order_id: UUID) -> list[Grant]:
    """Return an order's grants, oldest first."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_GRANT} from protection.granted where order_id = %s order by granted_at, grant_id", [order_id]
        )
        return [msgspec.convert(row, Grant) for row in await cursor.fetchall()]


async def page(tx: Tx, limit: int, offset: int) -> GrantPage:
    """Return a page of all grants, latest first."""
    totals = await (
        await tx.execute("select count(*), coalesce(sum(amount), 0)::bigint from protection.granted")
    ).fetchone()
    assert totals is not None
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select grant_id, order_id, asked_by, amount, currency, today_version, granted_at from protection.granted"
            " order by granted_at desc, grant_id desc limit %s offset %s",
            [limit, offset],
        )
        rows = tuple(msgspec.convert(row, GrantRow) for row in await cursor.fetchall())
    return GrantPage(rows=rows, count=totals[0], total=totals[1])


async def fingerprint(tx: Tx) -> Fingerprint:
    """Return the fingerprint of (refund, amount) over all grants."""
    row = await (
        await tx.execute(
            "select count(*), coalesce(sum(amount), 0)::bigint,"
            " coalesce(bit_xor(hashtextextended(grant_id::text || amount, 0)), 0) from protection.granted"
        )
    ).fetchone()
    assert row is not None
    return Fingerprint(*row)


async def misadded(tx: Tx) -> list[UUID]:
    """Return some grants whose lines do not add up to their amount."""
    async with tx.cursor(row_factory=class_row(_Id)) as cursor:
        await cursor.execute(
            "select grant_id from protection.granted where amount <>"
            " (select sum((l ->> 'due')::bigint) from json_array_elements(lines) l) limit 5"
        )
        return [row.grant_id for row in await cursor.fetchall()]


class _Id(msgspec.Struct, frozen=True):
    grant_id: UUID
