"""The SQL of coupons that staff cause: batches of codes, their export, totals, a code's story, and the checks."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import LiteralString

import msgspec
from psycopg.rows import dict_row

from tidegate.base.db import Tx
from tidegate.offer.coupons.contracts import Batch, BatchId, BatchKind, CodeStory, Export, Locked, Move, Totals

_BATCH: LiteralString = "batch_id, campaign_id, template, kind, codes, made_by, made_at"
_TOTALS: LiteralString = (
    "campaign_id, template, planned, made, claimed, unclaimed, unused, frozen, used, returned, expired, revoked"
)
_EXPORT_ROWS = 10_000

MAKE: LiteralString = """
    with made as (
        insert into coupons.coupon (code, campaign_id, template, batch_id, state, made_at, expires_at)
        select code, %(campaign)s, %(template)s, %(batch)s, 'unclaimed', %(now)s, %(expires_at)s
        from unnest(%(codes)s::text[]) as new (code)
        on conflict (code) do nothing
        returning code
    ),
    counted as (select count(*) as codes from made),
    total as (
        update coupons.template set made = template.made + counted.codes, unclaimed = unclaimed + counted.codes
        from counted
        where campaign_id = %(campaign)s and template = %(template)s
    ),
    batch as (
        update coupons.batch set codes = batch.codes + counted.codes from counted where batch_id = %(batch)s
    )
    select codes from counted
"""

MISCOUNTED: LiteralString = """
    with counted as (
        select campaign_id, template, count(*) as made,
               count(*) filter (where claimed_at is not null) as claimed,
               count(*) filter (where state = 'unclaimed') as unclaimed,
               count(*) filter (where state = 'unused') as unused,
               count(*) filter (where state = 'frozen') as frozen,
               count(*) filter (where state = 'used') as used,
               count(*) filter (where state = 'returned') as returned,
               count(*) filter (where state = 'expired') as expired,
               count(*) filter (where state = 'revoked') as revoked
        from coupons.coupon
        group by campaign_id, template
    )
    select coalesce(total.made, counted.made), coalesce(total.template, counted.template),
           (total.made, total.claimed, total.unclaimed, total.unused, total.frozen, total.used, total.returned,
            total.expired, total.revoked)
           is distinct from
           (counted.made, counted.claimed, counted.unclaimed, counted.unused, counted.frozen, counted.used,
            counted.returned, counted.expired, counted.revoked)
    from (select * from coupons.template where made > 0) total
    full join counted using (campaign_id, template)
"""

OVERCLAIMED: LiteralString = """
    select coalesce(held.template, counted.template)
    from coupons.claims held
    full join (
        select campaign_id, template, account_id, count(*) as claimed
        from coupons.coupon
        where account_id is not null
        group by campaign_id, template, account_id
    ) counted using (campaign_id, template, account_id)
    where held.claimed is distinct from counted.claimed
    limit 5
"""


async def open_plan(tx: Tx, campaign_id: str, template: str, planned: int) -> int:
    """Lock a template's totals, with the plan of the current campaign; how many codes it may still have."""
    row = await (
        await tx.execute(
            "insert into coupons.template as total (campaign_id, template, planned) values (%s, %s, %s)"
            " on conflict (campaign_id, template) do update set planned = greatest(excluded.planned, total.made)"
            " returning planned - made",
            [campaign_id, template, planned],
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def insert_batch(tx: Tx, batch: Batch) -> bool:
    """Record a batch, whose codes are counted as they are made; False where there is one of this id already.

    Another transaction that records the same id is waited for.
    """
    done = await tx.execute(
        f"insert into coupons.batch ({_BATCH}) values (%s, %s, %s, %s, 0, %s, %s) on conflict (batch_id) do nothing",
        [batch.batch_id, batch.campaign_id, batch.template, str(batch.kind), batch.made_by, batch.made_at],
    )
    return done.rowcount > 0


async def make_codes(tx: Tx, batch: Batch, codes: Collection[str], expires_at: datetime) -> int:
    """Make unclaimed codes in a batch, with the totals; how many were new."""
    row = await (
        await tx.execute(
            MAKE,
            {
                "campaign": batch.campaign_id,
                "template": batch.template,
                "batch": batch.batch_id,
                "codes": list(codes),
                "now": batch.made_at,
                "expires_at": expires_at,
            },
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def known_codes(tx: Tx, codes: Sequence[str]) -> list[str]:
    """Return those of these codes that exist already, ten at most."""
    rows = await tx.execute("select code from coupons.coupon where code = any(%s) order by code limit 10", [codes])
    return [code for (code,) in await rows.fetchall()]


async def batch(tx: Tx, batch_id: BatchId) -> Batch | None:
    """Return one batch."""
    found = await _batches(tx, f"select {_BATCH} from coupons.batch where batch_id = %s", [batch_id])
    return found[0] if found else None


async def batches(tx: Tx, campaign_id: str, limit: int) -> list[Batch]:
    """Return a campaign's batches, newest first."""
    return await _batches(
        tx,
        f"select {_BATCH} from coupons.batch where campaign_id = %s order by made_at desc, batch_id limit %s",
        [campaign_id, limit],
    )


async def _batches(tx: Tx, statement: LiteralString, values: Sequence[object]) -> list[Batch]:
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        return [Batch(**{**row, "kind": BatchKind(row["kind"])}) for row in await cursor.fetchall()]


async def codes_of(tx: Tx, batch_id: BatchId) -> AsyncIterator[list[tuple[str, str]]]:
    """Give a batch's codes with their states, in their order, some thousands at a time."""
    after = ""
    while True:
        rows = await tx.execute(
            "select code, state from coupons.coupon where batch_id = %s and code > %s order by code limit %s",
            [batch_id, after, _EXPORT_ROWS],
        )
        found = await rows.fetchall()
        if not found:
            return
        after = found[-1][0]
        yield [(code, state) for code, state in found]


async def insert_export(tx: Tx, export: Export) -> None:
    """Record that a batch's codes were written out."""
    await tx.execute(
        "insert into coupons.export (batch_id, codes, by, reason, exported_at) values (%s, %s, %s, %s, %s)",
        [export.batch_id, export.codes, export.by, export.reason, export.exported_at],
    )


async def exports(tx: Tx, batch_ids: Sequence[BatchId]) -> list[Export]:
    """Return who wrote out the codes of these batches, newest first."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select batch_id, codes, by, reason, exported_at from coupons.export where batch_id = any(%s)"
            " order by export_id desc",
            [list(batch_ids)],
        )
        return [msgspec.convert(row, Export) for row in await cursor.fetchall()]


async def totals(tx: Tx, campaign_id: str) -> dict[str, Totals]:
    """Return the totals of a campaign's templates of which a code was made."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select {_TOTALS} from coupons.template where campaign_id = %s", [campaign_id])
        return {row["template"]: msgspec.convert(row, Totals) for row in await cursor.fetchall()}


async def story(tx: Tx, code: str) -> CodeStory | None:
    """Return all that is known of a code."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select code, campaign_id, template, state, account_id, expires_at, order_id, made_at, claimed_at, batch_id"
            " from coupons.coupon where code = %s",
            [code],
        )
        row = await cursor.fetchone()
        if row is None:
            return None
        await cursor.execute(
            "select moved_at, from_state, to_state, why, by, note, order_id from coupons.move"
            " where code = %s order by move_id",
            [code],
        )
        moves = tuple(msgspec.convert(each, Move) for each in await cursor.fetchall())
    batch_id, made_at, claimed_at = row.pop("batch_id"), row.pop("made_at"), row.pop("claimed_at")
    return CodeStory(
        coupon=msgspec.convert(row, Locked),
        made_at=made_at,
        claimed_at=claimed_at,
        moves=moves,
        batch=await batch(tx, batch_id) if batch_id else None,
    )


async def miscounted(tx: Tx) -> tuple[int, list[str]]:
    """Return how many codes there are, and the templates whose totals are not the numbers of their codes."""
    rows = await (await tx.execute(MISCOUNTED)).fetchall()
    return sum(row[0] for row in rows), sorted(row[1] for row in rows if row[2])[:5]


async def overclaimed(tx: Tx) -> list[str]:
    """Return some templates of which an account has another number of coupons than was counted."""
    rows = await (await tx.execute(OVERCLAIMED)).fetchall()
    return sorted({row[0] for row in rows})


async def orders_in(tx: Tx, states: Sequence[str]) -> tuple[int, int]:
    """Return how many codes are in orders, in these states, and a fingerprint of (order, code) over them."""
    row = await (
        await tx.execute(
            "select count(*), coalesce(bit_xor(hashtextextended(order_id::text || code, 0)), 0)"
            " from coupons.coupon where order_id is not null and state = any(%s)",
            [list(states)],
        )
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
