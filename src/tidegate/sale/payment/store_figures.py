"""SQL of payment for looking back: what was taken and given back, for a span of time or for some orders. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx


class Takings(msgspec.Struct, frozen=True, kw_only=True):
    """The intents opened in a span: how many anybody tried to pay, how many were paid. Values in minor units."""

    tried: int
    captured: int
    captured_value: int
    refunded_value: int


class LedgerSums(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger has booked for some orders, in minor units."""

    captured: int
    refunded: int


async def takings(tx: Tx, since: datetime, until: datetime) -> Takings:
    """Return what became of the intents opened in a span."""
    async with tx.cursor(row_factory=class_row(Takings)) as cursor:
        await cursor.execute(
            """
            select count(*) filter (where attempts > 0) as tried,
                   count(*) filter (where state = 'captured') as captured,
                   coalesce(sum(amount) filter (where state = 'captured'), 0)::bigint as captured_value,
                   coalesce(sum(refunded), 0)::bigint as refunded_value
            from payment.intent where opened_at >= %s and opened_at < %s
            """,
            [since, until],
        )
        found = await cursor.fetchone()
    assert found is not None, "an aggregate gives one row"
    return found


async def ledger_sums(tx: Tx, order_ids: Sequence[UUID]) -> LedgerSums:
    """Return what the ledger has booked for these orders: captures of their attempts, refunds that they asked for."""
    async with tx.cursor(row_factory=class_row(LedgerSums)) as cursor:
        await cursor.execute(
            """
            with paid as materialized (
                select a.attempt_id from payment.intent i join payment.attempt a using (intent_id)
                where i.order_id = any(%s) and a.state = 'captured'
            )
            select coalesce((select sum(t.amount) from paid p
                             join payment.transfer t on t.reference = p.attempt_id and t.kind = 'capture'), 0)::bigint
                       as captured,
                   coalesce((select sum(t.amount) from paid p join payment.refund r using (attempt_id)
                             join payment.transfer t on t.reference = r.refund_id and t.kind = 'refund'
                             where r.cause <> 'surplus'), 0)::bigint
                       as refunded
            """,
            [list(order_ids)],
        )
        found = await cursor.fetchone()
    assert found is not None, "an aggregate gives one row"
    return found
