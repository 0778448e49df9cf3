"""All SQL of ordering. The statements of the hot lane take a whole batch, as one array a column."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from tidegate.base import columns
from tidegate.base.db import Tx
from tidegate.sale.ordering.contracts import (
    Order,
    OrderFilter,
    OrderPage,
    OrderRow,
    OrderSort,
    OrderState,
    Placed,
    Refund,
    ReservedOrder,
    Terms,
)
from tidegate.sale.ordering.prices import Parted, joined, parted
from tidegate.sale.ordering.rules import Earlier, Taken
from tidegate.sale.points.contracts import OpenPoints
from tidegate.sale.stock.contracts import Fingerprint

_encode = msgspec.json.Encoder().encode

_ORDER: LiteralString = (
    "order_id, buyer_id, campaign_id, address_id, state, total, currency, refunded, coupon, own_coupon,"
    # Not a join: rows are locked by some of these statements, and a price is shared.
    " (select p.priced::text from ordering.price p where p.price_hash = o.price_hash) as priced,"
    " own::text as own, placed_at, expires_at, paid_at, ended_at, deposit, deposit_id"
)
_REFUND: LiteralString = (
    "refund_id, order_id, lines, amount, reason, requested_at, confirmed_at, cause, points, shipping, withheld, gifts,"
    " lowered, asked_by"
)
_SORTS: Mapping[OrderSort, LiteralString] = {
    OrderSort.NEWEST: "order_id desc",
    OrderSort.OLDEST: "order_id",
    OrderSort.LARGEST: "total desc, order_id",
}


async def earlier(tx: Tx, keys: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], Earlier]:
    """Return the orders that exist already under (buyer, idempotency key)."""
    rows = await tx.execute(
        # One look into the index for each: a join would be planned while the table is young, and read all of it later.
        "select asked.buyer_id, asked.idempotency_key, o.order_id, o.request_hash"
        " from unnest(%s, %s) as asked (buyer_id, idempotency_key), lateral"
        " (select order_id, request_hash from ordering.orders"
        "  where buyer_id = asked.buyer_id and idempotency_key = asked.idempotency_key limit 1) o",
        [columns.uuids([buyer_id for buyer_id, _ in keys]), columns.texts([key for _, key in keys])],
    )
    return {(row[0], row[1]): Earlier(row[2], row[3]) for row in await rows.fetchall()}


async def insert_orders(
    tx: Tx,
    taken: Sequence[Taken],
    prices: Sequence[Parted],
    terms: Terms,
    placed_at: datetime,
    expires_at: datetime,
) -> None:
    """Insert the taken orders of a batch with their parted prices, all of the same campaign and on the same terms.

    The prices are to be put with `put_prices` in the same transaction.
    """
    asked = [each.asked for each in taken]
    await tx.execute(
        """
        insert into ordering.orders (order_id, buyer_id, idempotency_key, request_hash, campaign_id, address_id,
                                     total, currency, coupon, own_coupon, price_hash, own, placed_at, expires_at)
        select order_id, buyer_id, idempotency_key, request_hash, %(campaign)s, address_id,
               total, %(currency)s, coupon, own_coupon, price_hash, own, %(placed_at)s, %(expires_at)s
        from unnest(%(orders)s, %(buyers)s, %(keys)s, %(requests)s, %(addresses)s, %(totals)s, %(coupons)s,
                    %(own_coupons)s, %(prices)s, %(own)s)
          as new (order_id, buyer_id, idempotency_key, request_hash, address_id, total, coupon, own_coupon,
                  price_hash, own)
        """,
        {
            "orders": columns.uuids([each.order_id for each in taken]),
            "buyers": columns.uuids([each.buyer_id for each in asked]),
            "keys": columns.texts([each.key for each in asked]),
            "requests": columns.blobs([each.request_hash for each in asked]),
            "addresses": columns.uuids([each.address_id for each in asked]),
            "totals": columns.bigints([each.priced.total for each in asked]),
            "coupons": columns.texts([each.cart.coupon for each in asked]),
            "own_coupons": columns.texts([each.own_coupon for each in asked]),
            "prices": columns.blobs([each.digest for each in prices]),
            "own": columns.jsons([_encode(each.own) for each in prices]),
            "campaign": terms.campaign_id,
            "currency": terms.currency,
            "placed_at": placed_at,
            "expires_at": expires_at,
        },
    )


async def put_prices(tx: Tx, prices: Mapping[bytes, bytes]) -> None:
    """Put those of these prices that are not there yet.

    In the order of their digests, and last in a transaction: two that put the same price wait for each other.
    """
    digests = sorted(prices)
    await tx.execute(
        "insert into ordering.price (price_hash, priced) select * from unnest(%s, %s) on conflict do nothing",
        [columns.blobs(digests), columns.jsons([prices[each] for each in digests])],
    )


async def insert_reserved(tx: Tx, order: ReservedOrder, request_hash: bytes, paid_at: datetime) -> bool:
    """Insert a paid order that was a reservation; False where it is there already.

    Its key holds a colon, which no shopper's key does.
    """
    price_hash, text, own = parted(order.priced)
    found = await tx.execute(
        "insert into ordering.orders (order_id, buyer_id, idempotency_key, request_hash, campaign_id, address_id,"
        " state, total, currency, price_hash, own, deposit, deposit_id, placed_at, expires_at, paid_at)"
        " values (%(order)s, %(buyer)s, %(key)s, %(hash)s, %(campaign)s, %(address)s,"
        " 'paid', %(total)s, %(currency)s, %(price)s, %(own)s::json, %(deposit)s, %(deposit_id)s,"
        " %(at)s, %(at)s, %(at)s)"
        " on conflict (order_id) do nothing",
        {
            "order": order.order_id,
            "buyer": order.buyer_id,
            "key": f"reservation:{order.order_id}",
            "hash": request_hash,
            "campaign": order.campaign_id,
            "address": order.address_id,
            "total": order.priced.total,
            "currency": order.priced.currency,
            "price": price_hash,
            "own": _encode(own).decode(),
            "deposit": order.deposit,
            "deposit_id": order.deposit_id,
            "at": paid_at,
        },
    )
    if found.rowcount == 1:
        await put_prices(tx, {price_hash: text})
    return found.rowcount == 1


async def placed(tx: Tx, order_ids: Iterable[UUID]) -> dict[UUID, Placed]:
    """Return what was answered when these orders were placed."""
    rows = await tx.execute(
        "select order_id, total, currency, placed_at, expires_at, priced -> 'gifts_left_off'"
        " from ordering.orders join ordering.price using (price_hash) where order_id = any(%s)",
        [list(order_ids)],
    )
    return {
        order_id: Placed(
            order_id=order_id,
            total=total,
            currency=currency,
            placed_at=placed_at,
            expires_at=expires_at,
            gifts_left_off=tuple(gone or ()),
        )
        for order_id, total, currency, placed_at, expires_at, gone in await rows.fetchall()
    }


async def order(tx: Tx, order_id: UUID) -> Order | None:
    """Return one order."""
    found = await _orders(tx, f"select {_ORDER} from ordering.orders o where order_id = %s", [order_id])
    return found[0] if found else None


async def sampled(tx: Tx, latest: int, at_random: int, also: Sequence[UUID]) -> list[Order]:
    """Return so many of the latest orders, about so many others at random, and these; each once.

    Chance picks pages of the table first, about one for two of these orders and a hundred at least, so that a large
    table is not read whole and a small one is.
    """
    return await _orders(
        tx,
        f"select {_ORDER} from ordering.orders o where order_id in ("
        " (select order_id from ordering.orders order by order_id desc limit %(latest)s)"
        " union"
        " (select order_id from ordering.orders tablesample system"
        "   (least(100, greatest(10000, 50.0 * %(random)s) * 8192 / greatest(pg_relation_size('ordering.orders'), 1)))"
        "  order by random() limit %(random)s)"
        " union select unnest(%(also)s::uuid[]))",
        {"latest": latest, "random": at_random, "also": list(also)},
    )


async def lock_orders(tx: Tx, order_ids: Iterable[UUID]) -> list[Order]:
    """Lock these orders in the order of their ids and return them."""
    return await _orders(
        tx,
        f"select {_ORDER} from ordering.orders o where order_id = any(%s) order by order_id for update",
        [list(order_ids)],
    )


async def lock_due(tx: Tx, now: datetime, limit: int) -> list[Order]:
    """Lock orders whose time to pay is over, oldest first; those that another process works on are left to it.

    One whose payment is under way waits until it is to be looked at again.
    """
    return await _orders(
        tx,
        f"select {_ORDER} from ordering.orders o where state = 'placed' and expires_at <= %(now)s"
        " and (look_at is null or look_at <= %(now)s)"
        " order by expires_at, order_id limit %(limit)s for update skip locked",
        {"now": now, "limit": limit},
    )


async def move(tx: Tx, order_ids: Sequence[UUID], to: OrderState, at: datetime) -> None:
    """Set the state of these locked orders, with the moment that belongs to it."""
    await tx.execute(
        "update ordering.orders set state = %(to)s,"
        " paid_at = case when %(to)s = 'paid' then %(at)s else paid_at end,"
        " ended_at = case when %(to)s in ('cancelled', 'expired', 'refunded') then %(at)s else ended_at end"
        " where order_id = any(%(orders)s)",
        {"to": to, "at": at, "orders": list(order_ids)},
    )


async def part_with_coupon(tx: Tx, order_id: UUID) -> None:
    """Note that this locked order has no claimed coupon any more; what it was priced with stays."""
    await tx.execute("update ordering.orders set own_coupon = null where order_id = %s", [order_id])


async def mark_counters_back(tx: Tx, order_ids: Collection[UUID]) -> set[UUID]:
    """Note that what these locked orders used of counters is given back; return those of which it was not yet."""
    rows = await tx.execute(
        "update ordering.orders set counters_back = true where order_id = any(%s) and not counters_back"
        " returning order_id",
        [list(order_ids)],
    )
    return {order_id for (order_id,) in await rows.fetchall()}


async def delay(tx: Tx, order_ids: Sequence[UUID], until: datetime) -> None:
    """Look at these again at `until`: a payment is still under way. What the buyer was told of the time stays."""
    await tx.execute("update ordering.orders set look_at = %s where order_id = any(%s)", [until, list(order_ids)])


async def orders_of(tx: Tx, buyer_id: UUID, limit: int, offset: int) -> list[Order]:
    """Return a buyer's orders, newest first."""
    return await _orders(
        tx,
        f"select {_ORDER} from ordering.orders o where buyer_id = %s order by order_id desc limit %s offset %s",
        [buyer_id, limit, offset],
    )


async def find(tx: Tx, asked: OrderFilter) -> OrderPage:
    """Return one page of what a filter finds, with the count and sum of all."""
    where, values = _conditions(asked)
    totals = await (
        await tx.execute(f"select count(*), coalesce(sum(total), 0)::bigint from ordering.orders {where}", values)
    ).fetchone()
    assert totals is not None
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select order_id, buyer_id, state, total, currency, refunded, placed_at, paid_at from ordering.orders"
            f" {where} order by {_SORTS[asked.sort]} limit %(limit)s offset %(offset)s",
            values,
        )
        rows = tuple(msgspec.convert(row, OrderRow) for row in await cursor.fetchall())
    return OrderPage(rows=rows, count=totals[0], total=totals[1])


def _conditions(asked: OrderFilter) -> tuple[LiteralString, dict[str, Any]]:
    parts: list[LiteralString] = []
    if asked.state is not None:
        parts.append("state = %(state)s")
    if asked.buyer_ids is not None:
        parts.append("buyer_id = any(%(buyers)s)")
    if asked.text:
        parts.append(
            "(order_id::text like %(text)s || '%%'"
            " or price_hash in (select price_hash from ordering.price, json_array_elements(priced -> 'lines') l"
            "   where l ->> 'sku' = %(text)s))"
        )
    values = {
        "state": asked.state,
        "buyers": list(asked.buyer_ids or ()),
        "text": asked.text,
        "limit": asked.limit,
        "offset": asked.offset,
    }
    return ("where " + " and ".join(parts) if parts else ""), values


async def insert_refund(tx: Tx, refund: Refund, key: str | None = None) -> None:
    """Record money on its way back, and the key under which it was asked for."""
    await tx.execute(
        "insert into ordering.refund (refund_id, order_id, lines, amount, reason, requested_at, confirmed_at, cause,"
        " points, shipping, withheld, gifts, lowered, asked_by, request_key)"
        " values (%s, %s, %s::json, %s, %s, %s, %s, %s, %s, %s, %s, %s::json, %s::json, %s, %s)",
        [
            refund.refund_id,
            refund.order_id,
            _encode(refund.lines).decode(),
            refund.amount,
            refund.reason,
            refund.requested_at,
            refund.confirmed_at,
            refund.cause,
            refund.points,
            refund.shipping,
            refund.withheld,
            _encode(refund.gifts).decode(),
            _encode(refund.lowered).decode(),
            refund.asked_by,
            key,
        ],
    )


async def refund_of_key(tx: Tx, order_id: UUID, key: str) -> Refund | None:
    """Return the refund of an order that was asked for under this key, or None."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_REFUND} from ordering.refund where order_id = %s and request_key = %s", [order_id, key]
        )
        row = await cursor.fetchone()
    return msgspec.convert(row, Refund) if row else None


async def refunds_of(tx: Tx, order_id: UUID) -> list[Refund]:
    """Return an order's refunds, oldest first."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_REFUND} from ordering.refund where order_id = %s order by requested_at, refund_id",
            [order_id],
        )
        return [msgspec.convert(row, Refund) for row in await cursor.fetchall()]


async def confirm_refund(tx: Tx, refund_id: UUID, at: datetime) -> bool:
    """Record that a refund's money is back and count it on its order; False where that had been done."""
    rows = await tx.execute(
        """
            with confirmed as (
                update ordering.refund set confirmed_at = %(at)s where refund_id = %(id)s and confirmed_at is null
                returning *
            ), counted as (
                update ordering.orders o set refunded = o.refunded + c.amount
                from confirmed c where o.order_id = c.order_id
            )
            select refund_id from confirmed
            """,
        {"at": at, "id": refund_id},
    )
    return await rows.fetchone() is not None


async def orders_of_refunds(tx: Tx, refund_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the order of each of these refunds; those of other payments are missing."""
    rows = await tx.execute(
        "select refund_id, order_id from ordering.refund where refund_id = any(%s)", [list(refund_ids)]
    )
    return {row[0]: row[1] for row in await rows.fetchall()}


async def lines_fingerprint(tx: Tx, states: Sequence[OrderState]) -> Fingerprint:
    """Return the fingerprint of (order, SKU, quantity) over the lines of all orders in these states."""
    row = await (
        await tx.execute(
            "with line as materialized ("
            "  select price_hash, l ->> 'sku' as sku, l ->> 'quantity' as quantity"
            "  from ordering.price, json_array_elements(priced -> 'lines') l)"
            " select count(*), coalesce(sum(quantity::bigint), 0)::bigint,"
            " coalesce(bit_xor(hashtextextended(order_id::text || sku || quantity, 0)), 0)"
            " from ordering.orders join line using (price_hash) where state = any(%s)",
            [[str(state) for state in states]],
        )
    ).fetchone()
    assert row is not None
    return Fingerprint(*row)


async def coupons_fingerprint(tx: Tx, states: Sequence[OrderState]) -> tuple[int, int]:
    """Return how many orders in these states have a claimed coupon, and a fingerprint of (order, code) over them."""
    row = await (
        await tx.execute(
            "select count(*), coalesce(bit_xor(hashtextextended(order_id::text || own_coupon, 0)), 0)"
            " from ordering.orders where own_coupon is not null and state = any(%s)",
            [[str(state) for state in states]],
        )
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def points_fingerprint(tx: Tx, states: Sequence[OrderState]) -> OpenPoints:
    """Return the fingerprint of (order, points) over the orders in these states that spend points."""
    row = await (
        await tx.execute(
            "select count(*), coalesce(sum((priced ->> 'points_used')::bigint), 0)::bigint,"
            " coalesce(bit_xor(hashtextextended(order_id::text || (priced ->> 'points_used'), 0)), 0)"
            " from ordering.orders join ordering.price using (price_hash)"
            " where state = any(%s) and priced ->> 'points_used' is not null",
            [[str(state) for state in states]],
        )
    ).fetchone()
    assert row is not None
    return OpenPoints(*row)


async def totals_fingerprint(tx: Tx, states: Sequence[OrderState], *, reserved: bool = False) -> Fingerprint:
    """Return the fingerprint of (order, what its own payment took) over the orders in these states.

    Either of those that were reservations with a deposit, or of all others.
    """
    row = await (
        await tx.execute(
            "select count(*), coalesce(sum(total - deposit), 0)::bigint,"
            " coalesce(bit_xor(hashtextextended(order_id::text || (total - deposit), 0)), 0)"
            " from ordering.orders where state = any(%s) and (deposit > 0) = %s",
            [[str(state) for state in states], reserved],
        )
    ).fetchone()
    assert row is not None
    return Fingerprint(*row)


async def placed_ids(tx: Tx) -> list[UUID]:
    """Return the ids of all orders that wait for payment."""
    rows = await tx.execute("select order_id from ordering.orders where state = 'placed'")
    return [row[0] for row in await rows.fetchall()]


async def misadded(tx: Tx) -> tuple[int, list[UUID]]:
    """Return how many orders there are, and some without price, or whose lines and shipping do not make its total.

    Each price is added up once, however many orders share it.
    """
    row = await (
        await tx.execute(
            """
            with sound as materialized (
                select price_hash, (priced ->> 'total')::bigint as total from ordering.price
                where (priced ->> 'total')::bigint = (priced ->> 'shipping')::bigint
                    + (select sum((l ->> 'payable')::bigint) from json_array_elements(priced -> 'lines') l)
            )
            select count(*),
                (array_agg(order_id) filter (where sound.total is null or orders.total <> sound.total))[1:5]
            from ordering.orders left join sound using (price_hash)
            """
        )
    ).fetchone()
    assert row is not None
    return row[0], row[1] or []


async def overdue(tx: Tx, before: datetime) -> int:
    """Return how many orders still wait although their time ended, and nobody looked at them, since `before`."""
    row = await (
        await tx.execute(
            "select count(*) from ordering.orders where state = 'placed' and coalesce(look_at, expires_at) < %s",
            [before],
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def _orders(tx: Tx, statement: LiteralString, values: Sequence[object] | Mapping[str, object]) -> list[Order]:
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        rows = await cursor.fetchall()
    return [_order(row) for row in rows]


def _order(row: dict[str, Any]) -> Order:
    row["priced"] = joined(row["priced"], row.pop("own"))
    row["state"] = OrderState(row["state"])
    return Order(**row)
