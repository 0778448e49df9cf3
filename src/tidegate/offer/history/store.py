"""All SQL of the price history: append, ask, verify."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec

from tidegate.base.db import Tx
from tidegate.offer.history.contracts import Entry, EntryKind, Sealed, Subject

_encode = msgspec.json.Encoder().encode

_COLUMNS: LiteralString = "kind, sku, shop, place, currency, price, units, at, until, source"

# The same text as rules.content_of, made by the database, so that a chain of any length is verified in one statement.
_CONTENT: LiteralString = r"""
    concat_ws(E'\n', kind, sku, shop, place, currency, coalesce(price::text, ''), units::text,
        to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        coalesce(to_char(until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), ''), source)
"""


def _entry(row: Sequence[Any]) -> Entry:
    kind, sku, shop, place, currency, price, units, at, until, source = row
    return Entry(
        kind=EntryKind(kind),
        sku=sku,
        shop=shop,
        place=place,
        currency=currency,
        price=price,
        units=units,
        at=at,
        until=until,
        source=source,
    )


async def lock_end(tx: Tx) -> tuple[int, str] | None:
    """Let nobody else append until this transaction ends; number and hash of the last entry."""
    await tx.execute("lock table history.entry in share row exclusive mode")
    row = await tx.execute("select number, hash from history.entry order by number desc limit 1")
    last = await row.fetchone()
    return (last[0], last[1]) if last else None


class _Row(msgspec.Struct):
    number: int
    kind: str
    sku: str
    shop: str
    place: str
    currency: str
    price: int | None
    units: int
    at: datetime
    until: datetime | None
    source: str
    previous: str
    hash: str


async def append(tx: Tx, sealed: Sequence[Sealed]) -> None:
    """Add sealed entries; one statement."""
    rows = [
        _Row(
            each.number,
            each.entry.kind.value,
            *each.entry.subject,
            each.entry.price,
            each.entry.units,
            each.entry.at,
            each.entry.until,
            each.entry.source,
            each.previous,
            each.hash,
        )
        for each in sealed
    ]
    await tx.execute(
        f"""
        insert into history.entry (number, {_COLUMNS}, previous, hash)
        select number, {_COLUMNS}, previous, hash
        from json_to_recordset(%s::json) as new (number bigint, kind text, sku text, shop text, place text,
            currency text, price bigint, units bigint, at timestamptz, until timestamptz, source text,
            previous text, hash text)
        """,
        [_encode(rows).decode()],
    )


async def last_said(tx: Tx) -> list[Entry]:
    """The last entry of each product and kind, deals left out."""
    rows = await tx.execute(
        f"""
        select distinct on (kind, sku, shop, place, currency) {_COLUMNS}
        from history.entry
        where kind <> 'deal'
        order by kind, sku, shop, place, currency, number desc
        """
    )
    return [_entry(row) for row in await rows.fetchall()]


async def said(tx: Tx, skus: Sequence[str], place: str, currency: str, until: datetime) -> list[Entry]:
    """What was said of these SKUs' prices with effect before `until`, in the order in which it was said; no deals."""
    rows = await tx.execute(
        f"""
        select {_COLUMNS}
        from history.entry
        where sku = any(%(skus)s) and kind in ('offered', 'list')
            and place = %(place)s and currency = %(currency)s and at < %(until)s
        order by number
        """,
        {"skus": list(skus), "place": place, "currency": currency, "until": until},
    )
    return [_entry(row) for row in await rows.fetchall()]


async def lowest_deals(
    tx: Tx, skus: Sequence[str], place: str, currency: str, since: datetime, until: datetime
) -> dict[Subject, int]:
    """The lowest price of a deal from `since` on and before `until`, for each product that had one."""
    rows = await tx.execute(
        """
        select sku, shop, min(price)
        from history.entry
        where sku = any(%(skus)s) and kind = 'deal' and at >= %(since)s and at < %(until)s
            and place = %(place)s and currency = %(currency)s
        group by sku, shop
        """,
        {"skus": list(skus), "place": place, "currency": currency, "since": since, "until": until},
    )
    return {Subject(sku, shop, place, currency): price for sku, shop, price in await rows.fetchall()}


async def last_deals(
    tx: Tx, products: Sequence[tuple[str, str]], place: str, currency: str, until: datetime
) -> dict[Subject, tuple[int, datetime]]:
    """When each product (SKU, shop) was last sold before `until`, and the lowest price of that moment."""
    rows = await tx.execute(
        """
        select asked.sku, asked.shop, last.price, last.at
        from unnest(%(skus)s::text[], %(shops)s::text[]) as asked (sku, shop), lateral (
            select price, at
            from history.entry
            where sku = asked.sku and kind = 'deal' and at < %(until)s
                and shop = asked.shop and place = %(place)s and currency = %(currency)s
            order by at desc, price
            limit 1
        ) last
        """,
        {
            "skus": [sku for sku, _ in products],
            "shops": [shop for _, shop in products],
            "place": place,
            "currency": currency,
            "until": until,
        },
    )
    return {Subject(sku, shop, place, currency): (price, at) for sku, shop, price, at in await rows.fetchall()}


async def entries(tx: Tx, sku: str, limit: int) -> list[Sealed]:
    """The newest entries of a SKU, newest first."""
    rows = await tx.execute(
        f"select number, previous, hash, {_COLUMNS} from history.entry where sku = %s order by number desc limit %s",
        [sku, limit],
    )
    return [Sealed(number=row[0], previous=row[1], hash=row[2], entry=_entry(row[3:])) for row in await rows.fetchall()]


async def broken(tx: Tx, last: int, genesis: str) -> tuple[int, list[int]]:
    """How many of the `last` entries were looked at, and the numbers of those that do not fit the chain (ten at most).

    One does not fit when its hash is not that of its content, or the entry before it is missing or has another hash.
    """
    rows = await tx.execute(
        f"""
        with looked_at as materialized (
            select number, {_COLUMNS}, previous, hash from history.entry order by number desc limit %(last)s
        ),
        judged as (
            select number, hash = encode(sha256(convert_to(
                    previous || E'\\n' || number || E'\\n' || {_CONTENT}, 'UTF8')), 'hex')
                and previous = coalesce(
                    (select earlier.hash from history.entry earlier where earlier.number = looked_at.number - 1),
                    case when number = 1 then %(genesis)s end, '') as fits
            from looked_at
        )
        select count(*), array(select number from judged where not fits order by number limit 10) from judged
        """,
        {"last": last, "genesis": genesis},
    )
    row = await rows.fetchone()
    return (row[0], row[1]) if row else (0, [])


async def add_import(tx: Tx, *, sha256: str, file: str, entries: int, at: datetime, by: str) -> bool:
    """Note that a file is imported; False if it was before."""
    done = await tx.execute(
        """
        insert into history.import (sha256, file, entries, imported_at, imported_by)
        values (%s, %s, %s, %s, %s)
        on conflict (sha256) do nothing
        """,
        [sha256, file, entries, at, by],
    )
    return done.rowcount == 1
