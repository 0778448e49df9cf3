"""SQL of stock for what a count did not find: units missing, put off, and who is promised what is there."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from psycopg.rows import class_row, dict_row

from tidegate.base.db import Tx
from tidegate.sale.stock.contracts import Level, LevelPage, Promise, ShortLevel, Units

_LEVEL = "sku, loaded, held, sold, missing, short, later"


async def lose(tx: Tx, campaign_id: str, sku: str, units: int) -> Level:
    """Count units as missing on a locked level, and those that were promised as short; return it."""
    async with tx.cursor(row_factory=class_row(Level)) as cursor:
        await cursor.execute(
            "update stock.level set missing = missing + %(units)s,"
            " short = greatest(held + sold + missing + %(units)s - loaded, 0)"
            f" where campaign_id = %(campaign)s and sku = %(sku)s returning {_LEVEL}",
            {"units": units, "campaign": campaign_id, "sku": sku},
        )
        [level] = await cursor.fetchall()
    return level


async def put_off(tx: Tx, campaign_id: str, units: Sequence[Units]) -> None:
    """Move units of sold holds to a later delivery, each hold once. A constraint refuses more than are left of it."""
    await tx.execute(
        """
        with off as materialized (
            select * from unnest(%(orders)b::uuid[], %(skus)b::text[], %(quantities)b::bigint[])
                as off (order_id, sku, quantity)
        ), moved as (
            update stock.hold h set later = h.later + off.quantity
            from off where h.sku = off.sku and h.order_id = off.order_id
        ), counted as materialized (
            select sku, sum(quantity)::bigint as units from off group by sku
        )
        update stock.level l
        set sold = l.sold - c.units, later = l.later + c.units, short = greatest(l.short - c.units, 0)
        from counted c where l.campaign_id = %(campaign)s and l.sku = c.sku
        """,
        {
            "campaign": campaign_id,
            "orders": [each.order_id for each in units],
            "skus": [each.sku for each in units],
            "quantities": [each.quantity for each in units],
        },
    )


async def promises(tx: Tx, campaign_id: str, sku: str, limit: int) -> list[Promise]:
    """Return who is promised units of what is there: held before sold; the newest, and the latest paid, first."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select order_id, quantity - returned - later as units, state, reserved, ended_at as sold_at"
            " from stock.hold where sku = %s and campaign_id = %s and state in ('held', 'sold')"
            " and quantity > returned + later"
            " order by state = 'sold', ended_at desc, order_id desc limit %s",
            [sku, campaign_id, limit],
        )
        return [msgspec.convert(row, Promise) for row in await cursor.fetchall()]


async def short_levels(tx: Tx) -> list[ShortLevel]:
    """Return the SKUs of which more is promised than is there."""
    async with tx.cursor(row_factory=class_row(ShortLevel)) as cursor:
        await cursor.execute(
            "select campaign_id, sku, short from stock.level where short > 0 order by campaign_id, sku"
        )
        return await cursor.fetchall()


async def lost(tx: Tx) -> dict[tuple[str, str], int]:
    """Return the missing units by campaign and SKU."""
    rows = await tx.execute("select campaign_id, sku, missing from stock.level where missing > 0")
    return {(campaign_id, sku): missing for campaign_id, sku, missing in await rows.fetchall()}


async def later(tx: Tx) -> dict[tuple[UUID, str], int]:
    """Return the units that come later by order and SKU."""
    rows = await tx.execute("select order_id, sku, later from stock.hold where later > 0")
    return {(order_id, sku): units for order_id, sku, units in await rows.fetchall()}


async def page(tx: Tx, campaign_id: str, text: str, limit: int, offset: int) -> LevelPage:
    """Return a page of levels whose SKU begins with a text, with the sums over all of them."""
    values = {"campaign": campaign_id, "text": text, "limit": limit, "offset": offset}
    found = "from stock.level where campaign_id = %(campaign)s and starts_with(sku, %(text)s)"
    async with tx.cursor(row_factory=class_row(Level)) as cursor:
        await cursor.execute(
            f"select {_LEVEL} {found} order by short desc, missing desc,"
            " (held + sold + missing)::float8 / greatest(loaded, 1) desc, sku limit %(limit)s offset %(offset)s",
            values,
        )
        rows = await cursor.fetchall()
    sums = await tx.execute(
        f"select count(*), coalesce(sum(missing), 0)::bigint, coalesce(sum(short), 0)::bigint {found}", values
    )
    row = await sums.fetchone()
    assert row is not None, "an aggregate gives one row"
    return LevelPage(rows=tuple(rows), count=row[0], missing=row[1], short=row[2])
