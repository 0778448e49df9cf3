"""All SQL of the catalogue; its tables are `catalogue.goods` and `catalogue.revision`."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue.contracts import Goods, Revision, Sku
from tidegate.offer.catalogue.pictures import picture_of

Row = tuple[str, str, str, str, str, str, str, int, str, str]

_COLUMNS = "sku, name_zh, name_en, description_zh, description_en, category, brand, list_price, picture, placeholder"


def _goods(row: Row) -> Goods:
    sku, name_zh, name_en, description_zh, description_en, category, brand, list_price, picture, placeholder = row
    return Goods(
        sku=Sku(sku),
        name=Words(name_zh, name_en),
        description=Words(description_zh, description_en),
        category=category,
        brand=brand,
        list_price=list_price,
        picture=picture_of(picture, placeholder),
    )


async def revision(tx: Tx) -> Revision:
    """The catalogue's present state."""
    row = await (await tx.execute("select identity::text, number, changed_at from catalogue.revision")).fetchone()
    assert row is not None, "the migration writes this row and nothing deletes it"
    return Revision(row[0], row[1], row[2])


async def next_revision(tx: Tx, now: datetime) -> int:
    """Take the next number; others who change goods wait until this transaction ends."""
    row = await (
        await tx.execute("update catalogue.revision set number = number + 1, changed_at = %s returning number", [now])
    ).fetchone()
    assert row is not None
    return int(row[0])


async def changed_among(tx: Tx, goods: Sequence[Goods]) -> set[str]:
    """SKUs among `goods` that are new, withdrawn, or kept with other words, price or picture."""
    rows = await tx.execute(
        f"""
        select given.sku
        from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                    %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[]) as given ({_COLUMNS})
        left join catalogue.goods kept
          on kept.sku = given.sku and kept.withdrawn_at is null
         and (kept.name_zh, kept.name_en, kept.description_zh, kept.description_en, kept.category,
              kept.brand, kept.list_price, kept.picture, kept.placeholder)
           = (given.name_zh, given.name_en, given.description_zh, given.description_en, given.category,
              given.brand, given.list_price, given.picture, given.placeholder)
        where kept.sku is null
        """,
        _arrays(goods),
    )
    return {row[0] for row in await rows.fetchall()}


async def put(tx: Tx, goods: Sequence[Goods], number: int) -> None:
    """Insert or replace, in order of SKU, in one statement."""
    await tx.execute(
        f"""
        insert into catalogue.goods as kept ({_COLUMNS}, revision)
        select given.*, %s::bigint
        from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                    %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[]) as given ({_COLUMNS})
        order by given.sku
        on conflict (sku) do update set
            name_zh = excluded.name_zh, name_en = excluded.name_en,
            description_zh = excluded.description_zh, description_en = excluded.description_en,
            category = excluded.category, brand = excluded.brand, list_price = excluded.list_price,
            picture = excluded.picture, placeholder = excluded.placeholder,
            revision = excluded.revision, withdrawn_at = null
        """,
        [number, *_arrays(goods)],
    )


def _arrays(goods: Sequence[Goods]) -> list[list[object]]:
    rows = [
        (
            each.sku, each.name.zh, each.name.en, each.description.zh, each.description.en,
            each.category, each.brand, each.list_price, each.picture.base, each.picture.placeholder,
        )
        for each in goods
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


async def on_sale_among(tx: Tx, skus: Sequence[str]) -> list[str]:
    """Those of `skus` that are on sale."""
    rows = await tx.execute(
        "select sku from catalogue.goods where sku = any(%s) and withdrawn_at is null", [list(skus)]
    )
    return [row[0] for row in await rows.fetchall()]


async def withdraw(tx: Tx, skus: Sequence[str], number: int, now: datetime) -> None:
    """Take goods off sale; their words stay, for orders that name them."""
    await tx.execute(
        "update catalogue.goods set withdrawn_at = %s, revision = %s where sku = any(%s) and withdrawn_at is null",
        [now, number, list(skus)],
    )


async def goods_among(tx: Tx, skus: Sequence[str], *, withdrawn: bool) -> list[Goods]:
    """Goods by SKU; the withdrawn ones only when asked for."""
    rows = await tx.execute(
        f"select {_COLUMNS} from catalogue.goods where sku = any(%s) and (%s or withdrawn_at is null)",
        [list(skus), withdrawn],
    )
    return [_goods(row) for row in await rows.fetchall()]


async def on_sale_after(tx: Tx, sku: str, limit: int) -> list[Goods]:
    """The next goods on sale, in order of SKU, after `sku` (from the first for an empty one)."""
    rows = await tx.execute(
        f"""
        select {_COLUMNS} from catalogue.goods
        where sku > %s and withdrawn_at is null
        order by sku limit %s
        """,
        [sku, limit],
    )
    return [_goods(row) for row in await rows.fetchall()]


async def changed_after(tx: Tx, number: int) -> tuple[list[Goods], list[str]]:
    """What changed after revision `number`: goods on sale as they are now, and SKUs that were withdrawn."""
    rows = await tx.execute(
        f"select withdrawn_at is null, {_COLUMNS} from catalogue.goods where revision > %s order by sku",
        [number],
    )
    changed, gone = [], []
    for on_sale, *row in await rows.fetchall():
        if on_sale:
            changed.append(_goods(tuple(row)))
        else:
            gone.append(str(row[0]))
    return changed, gone


async def changed_count(tx: Tx, number: int) -> int:
    """How many goods changed after revision `number`."""
    return await _count(tx, "select count(*) from catalogue.goods where revision > %s", number)


async def category_counts(tx: Tx) -> dict[str, int]:
    """Goods on sale by category."""
    rows = await tx.execute(
        "select category, count(*) from catalogue.goods where withdrawn_at is null group by category"
    )
    return {str(slug): int(count) for slug, count in await rows.fetchall()}


async def page(tx: Tx, category: str | None, limit: int, offset: int) -> list[Goods]:
    """One page of the goods on sale, in order of SKU."""
    rows = await tx.execute(
        f"""
        select {_COLUMNS} from catalogue.goods
        where withdrawn_at is null and (%s::text is null or category = %s)
        order by sku limit %s offset %s
        """,
        [category, category, limit, offset],
    )
    return [_goods(row) for row in await rows.fetchall()]


async def incomplete(tx: Tx) -> list[str]:
    """SKUs of goods that lack what a shopper must be told."""
    rows = await tx.execute(
        """
        select sku from catalogue.goods
        where trim(name_zh) = '' or trim(name_en) = '' or trim(description_zh) = '' or trim(description_en) = ''
           or trim(category) = '' or list_price <= 0
        order by sku limit 20
        """
    )
    return [row[0] for row in await rows.fetchall()]


async def ahead_of_revision(tx: Tx) -> list[str]:
    """SKUs of goods with a revision beyond the catalogue's."""
    rows = await tx.execute(
        "select sku from catalogue.goods where revision > (select number from catalogue.revision) order by sku limit 20"
    )
    return [row[0] for row in await rows.fetchall()]


async def goods_count(tx: Tx) -> int:
    """How many goods there are, the withdrawn ones too."""
    return await _count(tx, "select count(*) from catalogue.goods where %s >= 0", 0)


async def _count(tx: Tx, query: LiteralString, argument: int) -> int:
    row = await (await tx.execute(query, [argument])).fetchone()
    return int(row[0]) if row else 0
