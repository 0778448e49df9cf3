"""All SQL of stock. Levels are locked in the order of their keys; every statement takes a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row

from tidegate.base import columns
from tidegate.base.db import Tx
from tidegate.sale.stock.contracts import Claim, Fingerprint, Gone, Hold, HoldState, Level, Units

_LEVEL: LiteralString = "sku, loaded, held, sold, missing, short, later"


async def lock_levels(tx: Tx, campaign_id: str, skus: Sequence[str]) -> list[Level]:
    """Lock the levels of these SKUs in key order and return them."""
    async with tx.cursor(row_factory=class_row(Level)) as cursor:
        await cursor.execute(
            f"select {_LEVEL} from stock.level where campaign_id = %s and sku = any(%s)"
            " order by campaign_id, sku for update",
            [campaign_id, columns.texts(skus)],
        )
        return await cursor.fetchall()


async def levels(tx: Tx, campaign_id: str, skus: Sequence[str]) -> list[Level]:
    """Return the levels of these SKUs, in no order."""
    async with tx.cursor(row_factory=class_row(Level)) as cursor:
        await cursor.execute(
            f"select {_LEVEL} from stock.level where campaign_id = %s and sku = any(%s)",
            [campaign_id, columns.texts(skus)],
        )
        return await cursor.fetchall()


async def hottest(tx: Tx, campaign_id: str, limit: int) -> list[Level]:
    """Return the levels of which the largest share is promised, hottest first."""
    async with tx.cursor(row_factory=class_row(Level)) as cursor:
        await cursor.execute(
            f"select {_LEVEL} from stock.level where campaign_id = %s and loaded > 0"
            " order by (held + sold + missing)::float8 / loaded desc, held + sold desc, sku limit %s",
            [campaign_id, limit],
        )
        return await cursor.fetchall()


async def totals(tx: Tx, campaign_id: str, skus: Sequence[str] | None) -> tuple[int, int]:
    """Return how many units of these SKUs are free, and how many are held; None means all SKUs."""
    row = await (
        await tx.execute(
            "select coalesce(sum(loaded + short - missing - held - sold), 0)::bigint, coalesce(sum(held), 0)::bigint"
            " from stock.level where campaign_id = %s and (%s::text[] is null or sku = any(%s))",
            [campaign_id, skus, skus],
        )
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def put_quotas(tx: Tx, campaign_id: str, quotas: Mapping[str, int]) -> None:
    """Set loaded units; SKUs that are not named are closed at what is promised. What is missing stays missing."""
    await tx.execute(
        """
        with quota as (
            select * from unnest(%(skus)b::text[], %(units)b::bigint[]) as quota (sku, units)
        ), closed as (
            update stock.level set loaded = held + sold + missing
            where campaign_id = %(campaign)s and sku not in (select sku from quota) and loaded > held + sold + missing
        )
        insert into stock.level (campaign_id, sku, loaded)
        select %(campaign)s, sku, units from quota order by sku
        on conflict (campaign_id, sku) do update set loaded = excluded.loaded,
            short = case when excluded.loaded < level.loaded then level.short
                         else greatest(level.short - (excluded.loaded - level.loaded), 0) end
        """,
        {"campaign": campaign_id, "skus": list(quotas), "units": list(quotas.values())},
    )


async def insert_holds(tx: Tx, campaign_id: str, taken: Sequence[Units], at: datetime) -> None:
    """Write the holds of a batch, then count them on their levels, which are locked last and in key order.

    The levels are found by their SKUs in an array: joined to the holds instead, all of the campaign's would be read.
    """
    await tx.execute(
        """
        with held as materialized (
            insert into stock.hold (campaign_id, sku, order_id, quantity, held_at)
            select %(campaign)s, sku, order_id, quantity, %(at)s
            from unnest(%(orders)s, %(each)s, %(quantities)s) as taken (order_id, sku, quantity)
            returning sku
        ), locked as materialized (
            select from stock.level
            where campaign_id = %(campaign)s and sku = any(%(skus)s) and (select count(*) from held) > 0
            order by campaign_id, sku
            for update
        )
        update stock.level set held = held + (%(units)s)[array_position(%(skus)s, sku)]
        where campaign_id = %(campaign)s and sku = any(%(skus)s) and (select count(*) from locked) > 0
        """,
        {"campaign": campaign_id, "at": at, **_sums(taken), **_columns(taken)},
    )


async def end_holds(tx: Tx, campaign_id: str, claims: Sequence[Claim], state: HoldState, at: datetime) -> int:
    """End those of the claims that are still held, as sold or released; return how many that were."""
    row = await (
        await tx.execute(
            """
            with ended as materialized (
                update stock.hold h set state = %(state)s, ended_at = %(at)s
                from unnest(%(orders)s, %(skus)s) as claim (order_id, sku)
                where h.sku = claim.sku and h.order_id = claim.order_id and h.state = 'held'
                returning h.sku, h.quantity
            ), counted as materialized (
                select array_agg(sku) as skus, array_agg(units) as units
                from (select sku, sum(quantity)::bigint as units from ended group by sku) as each
            ), changed as (
                update stock.level l
                set held = l.held - c.units[array_position(c.skus, l.sku)],
                    sold = l.sold + case when %(state)s = 'sold' then c.units[array_position(c.skus, l.sku)] else 0 end,
                    short = case when %(state)s = 'sold' then l.short
                                 else greatest(l.short - c.units[array_position(c.skus, l.sku)], 0) end
                from counted c
                where l.campaign_id = %(campaign)s and l.sku = any((select skus from counted)::text[])
            )
            select count(*) from ended
            """,
            {
                "campaign": campaign_id,
                "orders": columns.uuids([each.order_id for each in claims]),
                "skus": columns.texts([each.sku for each in claims]),
                "state": state,
                "at": at,
            },
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def return_units(tx: Tx, campaign_id: str, back: Sequence[Units]) -> None:
    """Make sold units free again, first those that were to come later. A constraint refuses more than were sold."""
    await tx.execute(
        """
        with back as materialized (
            select h.sku, h.order_id, each.quantity, least(h.later, each.quantity) as later
            from (
                select order_id, sku, sum(quantity)::bigint as quantity
                from unnest(%(orders)s, %(each)s, %(quantities)s) as back (order_id, sku, quantity)
                group by order_id, sku
            ) each join stock.hold h using (sku, order_id)
        ), returned as (
            update stock.hold h set returned = h.returned + back.quantity, later = h.later - back.later
            from back where h.sku = back.sku and h.order_id = back.order_id
        ), counted as materialized (
            select sku, sum(quantity - later)::bigint as units, sum(later)::bigint as later from back group by sku
        )
        update stock.level l
        set sold = l.sold - c.units, later = l.later - c.later, short = greatest(l.short - c.units, 0)
        from counted c where l.campaign_id = %(campaign)s and l.sku = c.sku
        """,
        {"campaign": campaign_id, **_columns(back)},
    )


def _columns(units: Sequence[Units]) -> dict[str, object]:
    return {
        "orders": columns.uuids([each.order_id for each in units]),
        "each": columns.texts([each.sku for each in units]),
        "quantities": columns.bigints([each.quantity for each in units]),
    }


def _sums(taken: Iterable[Units]) -> dict[str, object]:
    """Return the columns of the SKUs, and of the sum of each one's units."""
    sums: dict[str, int] = {}
    for each in taken:
        sums[each.sku] = sums.get(each.sku, 0) + each.quantity
    return {"skus": columns.texts(sums), "units": columns.bigints(sums.values())}


async def holds_of(tx: Tx, order_id: UUID, skus: Sequence[str]) -> list[Hold]:
    """Return an order's holds on these SKUs."""
    async with tx.cursor(row_factory=class_row(Hold)) as cursor:
        await cursor.execute(
            "select order_id, sku, quantity, returned, later, state, held_at, ended_at from stock.hold"
            " where order_id = %s and sku = any(%s) order by sku",
            [order_id, list(skus)],
        )
        return await cursor.fetchall()


async def mark_reserved(tx: Tx, units: Sequence[Units], *, reserved: bool) -> None:
    """Note whether these holds are of reservations or of orders."""
    await tx.execute(
        "update stock.hold h set reserved = %(reserved)s"
        " from unnest(%(orders)b::uuid[], %(skus)b::text[]) as named (order_id, sku)"
        " where h.sku = named.sku and h.order_id = named.order_id",
        {
            "reserved": reserved,
            "orders": [each.order_id for each in units],
            "skus": [each.sku for each in units],
        },
    )


async def fingerprint(tx: Tx, state: HoldState, *, reserved: bool) -> Fingerprint:
    """Return the fingerprint of all holds in one state, of reservations or of orders: (order, SKU, quantity)."""
    row = await (
        await tx.execute(
            "select count(*), coalesce(sum(quantity), 0)::bigint,"
            " coalesce(bit_xor(hashtextextended(order_id::text || sku || quantity, 0)), 0)"
            " from stock.hold where state = %s and reserved = %s",
            [state, reserved],
        )
    ).fetchone()
    assert row is not None
    return Fingerprint(*row)


async def broken_levels(tx: Tx) -> tuple[int, list[str]]:
    """Return how many levels there are, and those whose counts differ from their holds or break their sum."""
    rows = await (
        await tx.execute(
            """
            select l.campaign_id, l.sku, l.loaded, l.held, l.sold, coalesce(h.held, 0), coalesce(h.sold, 0),
                   l.missing, l.short, l.later, coalesce(h.later, 0),
                   l.held < 0 or l.sold < 0 or l.short <> greatest(l.held + l.sold + l.missing - l.loaded, 0)
                       or l.held <> coalesce(h.held, 0) or l.sold <> coalesce(h.sold, 0)
                       or l.later <> coalesce(h.later, 0)
            from stock.level l
            left join (
                select campaign_id, sku,
                       sum(quantity) filter (where state = 'held') as held,
                       sum(quantity - returned - later) filter (where state = 'sold') as sold,
                       sum(later) as later
                from stock.hold group by campaign_id, sku
            ) h using (campaign_id, sku)
            """
        )
    ).fetchall()
    return len(rows), [_told(*row[:-1]) for row in rows if row[-1]]


def _told(
    campaign: str,
    sku: str,
    loaded: int,
    held: int,
    sold: int,
    held_sum: int,
    sold_sum: int,
    missing: int,
    short: int,
    later: int,
    later_sum: int,
) -> str:
    told = f"{campaign}/{sku}: loaded {loaded}, held {held} (holds say {held_sum}), sold {sold} (holds say {sold_sum})"
    if any((missing, short, later, later_sum)):
        told += f", missing {missing}, short {short}, later {later} (holds say {later_sum})"
    return told


async def gone(tx: Tx, campaign_id: str) -> list[Gone]:
    """Return the SKUs of which no unit is free, the one that went first before the others."""
    async with tx.cursor(row_factory=class_row(Gone)) as cursor:
        await cursor.execute(
            """
            select l.sku, l.loaded as units, max(h.held_at) as at
            from stock.level l join stock.hold h using (campaign_id, sku)
            where l.campaign_id = %s and l.loaded > 0 and l.held + l.sold + l.missing = l.loaded + l.short
                and h.state <> 'released'
            group by l.sku, l.loaded order by 3, 1
            """,
            [campaign_id],
        )
        return await cursor.fetchall()
