"""All SQL of shortfall."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from tidegate.base.db import Tx
from tidegate.sale.shortfall.contracts import Act, ActPage, Line, Told
from tidegate.sale.stock.contracts import Fingerprint

_ACT: LiteralString = (
    "a.act_id, a.campaign_id, a.sku, a.missing, a.there, a.remedy, a.deliver_by, a.reason, a.stated_by, a.stated_at"
)
_LINE: LiteralString = (
    "l.line_id, l.act_id, l.order_id, l.buyer_id, l.sku, l.units, l.outcome, a.reason, l.amount, l.refund_id,"
    " case l.outcome when 'later' then a.deliver_by end as deliver_by, l.decided_at, l.declined_at"
)
_SUMS: LiteralString = (
    "count(distinct l.order_id) filter (where l.outcome = 'released') as released_orders,"
    " coalesce(sum(l.units) filter (where l.outcome = 'released'), 0)::bigint as released_units,"
    " count(distinct l.order_id) filter (where l.outcome = 'refunded') as refunded_orders,"
    " coalesce(sum(l.units) filter (where l.outcome = 'refunded'), 0)::bigint as refunded_units,"
    " coalesce(sum(l.amount), 0)::bigint as refunded_amount,"
    " count(distinct l.order_id) filter (where l.outcome = 'later') as later_orders,"
    " coalesce(sum(l.units) filter (where l.outcome = 'later'), 0)::bigint as later_units,"
    " coalesce(sum(l.units) filter (where l.declined_at is not null), 0)::bigint as declined_units"
)


class Known(NamedTuple):
    """An act with the hash of the statement that it was made of."""

    act: Act
    request_hash: bytes


async def act_of_key(tx: Tx, key: str) -> Known | None:
    """Return the act that was stated under a key, or None."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select {_ACT}, a.request_hash from shortfall.act a where a.request_key = %s", [key])
        row = await cursor.fetchone()
    return None if row is None else Known(request_hash=row.pop("request_hash"), act=_act(row))


async def insert_act(tx: Tx, act: Act, key: str, request_hash: bytes) -> None:
    """Record an act."""
    await tx.execute(
        "insert into shortfall.act (act_id, request_key, request_hash, campaign_id, sku, missing, there, remedy,"
        " deliver_by, reason, stated_by, stated_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            act.act_id,
            key,
            request_hash,
            act.campaign_id,
            act.sku,
            act.missing,
            act.there,
            act.remedy,
            act.deliver_by,
            act.reason,
            act.stated_by,
            act.stated_at,
        ],
    )


async def latest_act(tx: Tx, campaign_id: str, sku: str) -> Act | None:
    """Return the latest act on a SKU."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_ACT} from shortfall.act a where a.campaign_id = %s and a.sku = %s order by act_id desc limit 1",
            [campaign_id, sku],
        )
        row = await cursor.fetchone()
    return _act(row) if row else None


async def page(tx: Tx, limit: int, offset: int) -> ActPage:
    """Return a page of acts with what came of them, the latest first."""
    count = await (await tx.execute("select count(*) from shortfall.act")).fetchone()
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_ACT}, {_SUMS} from shortfall.act a left join shortfall.line l using (act_id)"
            " group by a.act_id order by a.act_id desc limit %s offset %s",
            [limit, offset],
        )
        rows = await cursor.fetchall()
    return ActPage(rows=tuple(_told(row) for row in rows), count=count[0] if count else 0)


async def told(tx: Tx, act_id: UUID) -> Told | None:
    """Return an act with what came of it."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_ACT}, {_SUMS} from shortfall.act a left join shortfall.line l using (act_id)"
            " where a.act_id = %s group by a.act_id",
            [act_id],
        )
        row = await cursor.fetchone()
    return _told(row) if row else None


async def insert_lines(tx: Tx, lines: Sequence[Line]) -> None:
    """Record what became of units."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "insert into shortfall.line (line_id, act_id, order_id, buyer_id, sku, units, outcome, amount, refund_id,"
            " decided_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    each.line_id,
                    each.act_id,
                    each.order_id,
                    each.buyer_id,
                    each.sku,
                    each.units,
                    each.outcome,
                    each.amount,
                    each.refund_id,
                    each.decided_at,
                )
                for each in lines
            ],
        )


async def lines_of_order(tx: Tx, order_id: UUID) -> list[Line]:
    """Return what became of an order's units, oldest first."""
    return await _lines(tx, "l.order_id = %s order by l.line_id", order_id)


async def lines_of_act(tx: Tx, act_id: UUID) -> list[Line]:
    """Return what became of the units of an act, oldest first."""
    return await _lines(tx, "l.act_id = %s order by l.line_id", act_id)


async def decline(tx: Tx, line_id: UUID, refund_id: UUID, amount: int, at: datetime) -> None:
    """Record that a buyer would not wait."""
    await tx.execute(
        "update shortfall.line set declined_at = %s, refund_id = %s, amount = %s where line_id = %s",
        [at, refund_id, amount, line_id],
    )


async def missing(tx: Tx) -> dict[tuple[str, str], int]:
    """Return how many units all acts say are missing, by campaign and SKU."""
    rows = await tx.execute("select campaign_id, sku, sum(missing)::bigint from shortfall.act group by 1, 2")
    return {(campaign_id, sku): units for campaign_id, sku, units in await rows.fetchall()}


async def fingerprint(tx: Tx) -> Fingerprint:
    """Return the fingerprint of (refund, amount) over all lines that brought money."""
    row = await (
        await tx.execute(
            "select count(*), coalesce(sum(amount), 0)::bigint,"
            " coalesce(bit_xor(hashtextextended(refund_id::text || amount, 0)), 0)"
            " from shortfall.line where amount > 0"
        )
    ).fetchone()
    assert row is not None, "an aggregate gives one row"
    return Fingerprint(*row)


async def promised_later(tx: Tx) -> dict[tuple[UUID, str], int]:
    """Return how many units were told to come later and not declined, by order and SKU."""
    rows = await tx.execute(
        "select order_id, sku, sum(units)::bigint from shortfall.line"
        " where outcome = 'later' and declined_at is null group by 1, 2"
    )
    return {(order_id, sku): units for order_id, sku, units in await rows.fetchall()}


async def _lines(tx: Tx, condition: LiteralString, value: UUID) -> list[Line]:
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_LINE} from shortfall.line l join shortfall.act a using (act_id) where {condition}", [value]
        )
        return [msgspec.convert(row, Line) for row in await cursor.fetchall()]


def _act(row: dict[str, object]) -> Act:
    return msgspec.convert(row, Act)


def _told(row: dict[str, object]) -> Told:
    sums = {name: row.pop(name) for name in Told.__struct_fields__ if name != "act"}
    return msgspec.convert({**sums, "act": row}, Told)
