"""SQL of ordering for looking back: what was sold when, whose orders there are, what they amount to. Reads only."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base import columns
from tidegate.base.db import Tx
from tidegate.offer.pricing.contracts import CountersUsed
from tidegate.sale.ordering.contracts import OrderState, PaidOrder, PastOrder, RefundReason
from tidegate.sale.stock.contracts import Fingerprint

_PAYING_DAYS = timedelta(days=3)
"""An order is paid within so much time after its id was made, with the longest time to pay and a slow channel."""


class SoldSpan(msgspec.Struct, frozen=True, kw_only=True):
    """The orders placed within one span of time from `at` on, and what became of them. Values in minor units."""

    at: datetime
    placed: int
    placed_value: int
    paid: int
    paid_value: int
    cancelled: int
    expired: int


class OrderKey(msgspec.Struct, frozen=True, kw_only=True):
    """An order with the idempotency key under which it was asked for. `total` in minor units."""

    order_id: UUID
    buyer_id: UUID
    idempotency_key: str
    total: int


class OrderSums(msgspec.Struct, frozen=True, kw_only=True):
    """What some orders amount to: their number and total, the total of those paid, and what went back. Minor units."""

    count: int
    total: int
    paid: int
    refunded: int


async def sold_spans(tx: Tx, campaign_id: str, since: datetime, until: datetime, seconds: int) -> list[SoldSpan]:
    """Return the spans in which orders were placed, in order of time."""
    async with tx.cursor(row_factory=class_row(SoldSpan)) as cursor:
        await cursor.execute(
            """
            select date_bin(make_interval(secs => %(seconds)s), placed_at, %(since)s) as at,
                   count(*) as placed,
                   sum(total)::bigint as placed_value,
                   count(paid_at) as paid,
                   coalesce(sum(total) filter (where paid_at is not null), 0)::bigint as paid_value,
                   count(*) filter (where state = 'cancelled') as cancelled,
                   count(*) filter (where state = 'expired') as expired
            from ordering.orders
            where campaign_id = %(campaign)s and placed_at >= %(since)s and placed_at < %(until)s
            group by 1 order by 1
            """,
            {"campaign": campaign_id, "since": since, "until": until, "seconds": seconds},
        )
        return await cursor.fetchall()


async def placed_between(tx: Tx, campaign_id: str) -> tuple[datetime, datetime] | None:
    """Return when a campaign's first and last orders were placed; None without orders."""
    row = await (
        await tx.execute(
            "select min(placed_at), max(placed_at) from ordering.orders where campaign_id = %s", [campaign_id]
        )
    ).fetchone()
    return (row[0], row[1]) if row and row[0] else None


async def has_paid(tx: Tx, buyer_id: UUID) -> bool:
    """Return whether this buyer ever paid for an order."""
    row = await (
        await tx.execute(
            "select exists (select from ordering.orders where buyer_id = %s and paid_at is not null)", [buyer_id]
        )
    ).fetchone()
    return bool(row and row[0])


async def buyers(tx: Tx, campaign_id: str, since: datetime, until: datetime) -> int:
    """Return how many different buyers paid for an order placed in the span."""
    row = await (
        await tx.execute(
            "select count(distinct buyer_id) from ordering.orders"
            " where campaign_id = %s and placed_at >= %s and placed_at < %s and paid_at is not null",
            [campaign_id, since, until],
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def orders_since(tx: Tx, campaign_id: str, since: Mapping[UUID, datetime]) -> dict[UUID, tuple[int, int]]:
    """Return how many orders each of these buyers placed since his moment, and how many of them wait for payment."""
    rows = await tx.execute(
        "select b.buyer_id, o.placed, o.awaiting"
        " from unnest(%s::uuid[], %s::timestamptz[]) as b (buyer_id, since), lateral ("
        "  select count(*) as placed, count(*) filter (where state = 'placed') as awaiting from ordering.orders"
        "  where buyer_id = b.buyer_id and campaign_id = %s and placed_at >= b.since"
        " ) o where o.placed > 0",
        [list(since), list(since.values()), campaign_id],
    )
    return {buyer: (placed, awaiting) for buyer, placed, awaiting in await rows.fetchall()}


async def paid_buyers(tx: Tx, buyer_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the buyers who paid for an order at any time, whether or not its money went back since."""
    rows = await tx.execute(
        "select buyer_id from unnest(%s) as b (buyer_id) where exists (select from ordering.orders o"
        " where o.buyer_id = b.buyer_id and o.paid_at is not null)",
        [columns.uuids(buyer_ids)],
    )
    return {buyer for (buyer,) in await rows.fetchall()}


async def paid_between(
    tx: Tx, campaign_id: str, since: datetime, until: datetime, least: int
) -> list[tuple[UUID, UUID]]:
    """Return order and buyer of the orders paid in the span that come to `least` or more. Reads all of them."""
    rows = await tx.execute(
        "select order_id, buyer_id from ordering.orders where campaign_id = %s and state = 'paid'"
        " and paid_at >= %s and paid_at < %s and total >= %s order by order_id",
        [campaign_id, since, until, least],
    )
    return await rows.fetchall()


async def cannot_fall_short(tx: Tx, order_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of these orders that have a deposit, or are not paid."""
    rows = await tx.execute(
        "select order_id from ordering.orders where order_id = any(%s) and (deposit_id is not null or state <> 'paid')",
        [list(order_ids)],
    )
    return {order_id for (order_id,) in await rows.fetchall()}


async def states(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, OrderState]:
    """Return the state of each of these orders."""
    rows = await tx.execute("select order_id, state from ordering.orders where order_id = any(%s)", [list(order_ids)])
    return {order_id: OrderState(state) for order_id, state in await rows.fetchall()}


async def keys_of_buyers(tx: Tx, buyer_ids: Sequence[UUID]) -> list[OrderKey]:
    """Return all orders of these buyers."""
    async with tx.cursor(row_factory=class_row(OrderKey)) as cursor:
        await cursor.execute(
            "select order_id, buyer_id, idempotency_key, total from ordering.orders where buyer_id = any(%s)",
            [list(buyer_ids)],
        )
        return await cursor.fetchall()


async def kept_units(tx: Tx, campaign_id: str, sku: str) -> dict[UUID, int]:
    """Return how many units of a SKU each buyer has in paid orders of a campaign. Reads all of them."""
    rows = await tx.execute(
        """
        select o.buyer_id, sum((l ->> 'quantity')::bigint)::bigint
        from ordering.orders o join ordering.price p using (price_hash), json_array_elements(p.priced -> 'lines') l
        where o.campaign_id = %s and o.state = 'paid' and l ->> 'sku' = %s
        group by o.buyer_id
        """,
        [campaign_id, sku],
    )
    return dict(await rows.fetchall())


async def sums(tx: Tx, order_ids: Sequence[UUID]) -> OrderSums:
    """Return what these orders amount to."""
    async with tx.cursor(row_factory=class_row(OrderSums)) as cursor:
        await cursor.execute(
            """
            select count(*) as count, coalesce(sum(total), 0)::bigint as total,
                   coalesce(sum(total) filter (where paid_at is not null), 0)::bigint as paid,
                   coalesce(sum(refunded), 0)::bigint as refunded
            from ordering.orders where order_id = any(%s)
            """,
            [list(order_ids)],
        )
        found = await cursor.fetchone()
    assert found is not None, "an aggregate gives one row"
    return found


async def misrefunded(tx: Tx) -> tuple[int, list[UUID]]:
    """Return how many orders have refunds, and some that count another sum than was confirmed or promised too much."""
    row = await (
        await tx.execute(
            """
            select count(*), (array_agg(order_id) filter (where refunded <> confirmed or promised > total))[1:5]
            from (select o.order_id, o.refunded, o.total, coalesce(sum(r.amount), 0) as promised,
                         coalesce(sum(r.amount) filter (where r.confirmed_at is not null), 0) as confirmed
                  from ordering.orders o left join ordering.refund r using (order_id)
                  where o.refunded > 0 or r.refund_id is not null group by o.order_id) counted
            """
        )
    ).fetchone()
    assert row is not None
    return row[0], row[1] or []


async def paid_orders(tx: Tx, since: datetime, after: UUID | None, limit: int) -> list[PaidOrder]:
    """Return orders that are paid since, in the order of their ids, which are the moments of placing."""
    placed_since = UUID(int=int((since - _PAYING_DAYS).timestamp() * 1000) << 80)
    async with tx.cursor(row_factory=class_row(PaidOrder)) as cursor:
        await cursor.execute(
            "select order_id, campaign_id, (priced ->> 'rules_version')::integer as rules_version, paid_at"
            " from ordering.orders join ordering.price using (price_hash)"
            " where order_id > %s and state = 'paid' and paid_at >= %s order by order_id limit %s",
            [max(after or placed_since, placed_since), since, limit],
        )
        return await cursor.fetchall()


async def past_orders(tx: Tx, limit: int) -> list[PastOrder]:
    """Return the latest orders that were paid, the newest first."""
    async with tx.cursor(row_factory=class_row(PastOrder)) as cursor:
        await cursor.execute(
            "select buyer_id, placed_at, (select json_object_agg(l ->> 'sku',"
            "  (l ->> 'quantity')::integer - coalesce((l ->> 'gifts')::integer, 0))"
            "  from json_array_elements(priced -> 'lines') l) as units"
            " from ordering.orders join ordering.price using (price_hash)"
            " where paid_at is not null order by order_id desc limit %s",
            [limit],
        )
        return await cursor.fetchall()


async def refunds_fingerprint(tx: Tx, cause: RefundReason | None = None) -> Fingerprint:
    """Return the fingerprint of (refund, amount) over all that bring money, or those of one cause."""
    row = await (
        await tx.execute(
            "select count(*), coalesce(sum(amount), 0)::bigint,"
            " coalesce(bit_xor(hashtextextended(refund_id::text || amount, 0)), 0)"
            " from ordering.refund where amount > 0 and cause = coalesce(%s, cause)",
            [cause],
        )
    ).fetchone()
    assert row is not None
    return Fingerprint(*row)


async def counters_used(tx: Tx, states: Sequence[OrderState], also: Mapping[str, int]) -> CountersUsed:
    """Return what the orders in these states use of counters, but for those that gave it back, and others `also`."""
    async with tx.cursor(row_factory=class_row(CountersUsed)) as cursor:
        await cursor.execute(
            """
            with holding as not materialized (
                select price_hash, own from ordering.orders where state = any(%(states)s) and not counters_back
            ),
            use as (
                select shared.key, shared.amount * orders as used
                from (select price_hash, count(*) as orders from holding group by price_hash) alike
                join ordering.price using (price_hash),
                     json_to_recordset(priced -> 'counters') as shared (key text, amount bigint)
                union all
                select its.key, its.amount
                from holding, json_to_recordset(own -> 'counters') as its (key text, amount bigint)
                union all
                select key, amount from unnest(%(keys)s::text[], %(amounts)s::bigint[]) as also (key, amount)
            ),
            used as (
                select key, sum(used)::bigint as used from use group by key
            )
            select count(*) as counters, coalesce(sum(used), 0)::bigint as uses,
                   coalesce(bit_xor(hashtextextended(key || '=' || used, 0)), 0) as mixed
            from used where used > 0
            """,
            {"states": [str(state) for state in states], "keys": list(also), "amounts": list(also.values())},
        )
        [found] = await cursor.fetchall()
    return found
