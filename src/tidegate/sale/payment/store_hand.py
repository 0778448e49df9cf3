"""Payment's SQL for charges of another amount than was asked, and what staff decided about them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from tidegate.base.db import Tx
from tidegate.sale.payment.contracts import AttemptState, SettledByHand

_SETTLEMENT = "s.attempt_id, s.remedy, s.asked, s.taken, s.reason, s.settled_by, s.settled_at"


async def take(tx: Tx, attempt_id: UUID, taken: int, state: AttemptState, at: datetime) -> None:
    """Note on a locked attempt what the channel took, with its end."""
    await tx.execute(
        "update payment.attempt set taken = %s, state = %s, ended_at = %s where attempt_id = %s",
        [taken, state, at, attempt_id],
    )


async def insert(tx: Tx, settled: SettledByHand) -> None:
    """Record what was decided."""
    await tx.execute(
        "insert into payment.settlement (attempt_id, remedy, asked, taken, reason, settled_by, settled_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        list(msgspec.structs.astuple(settled)),
    )


async def settlement(tx: Tx, attempt_id: UUID) -> SettledByHand | None:
    """Return what was decided about an attempt, or None."""
    found = await _settlements(tx, "where s.attempt_id = %s", attempt_id)
    return found[0] if found else None


async def settlements_of(tx: Tx, order_id: UUID) -> list[SettledByHand]:
    """Return what was decided about the attempts of an order, oldest first."""
    return await _settlements(
        tx,
        "join payment.attempt a using (attempt_id) join payment.intent i using (intent_id)"
        " where i.order_id = %s order by a.number",
        order_id,
    )


async def odd_among(tx: Tx, attempt_ids: Sequence[UUID]) -> set[UUID]:
    """Return those attempts without an outcome of which a channel told another amount than was asked."""
    rows = await tx.execute(
        "select a.attempt_id from payment.attempt a where a.attempt_id = any(%s)"
        " and a.state in ('started', 'pending', 'unknown') and exists (select from payment.discrepancy d"
        "  where d.channel = a.channel and d.reference = a.attempt_id::text and d.kind = 'amount-differs')",
        [list(attempt_ids)],
    )
    return {attempt_id for (attempt_id,) in await rows.fetchall()}


async def _settlements(tx: Tx, rest: str, value: UUID) -> list[SettledByHand]:
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select {_SETTLEMENT} from payment.settlement s {rest}", [value])
        return [msgspec.convert(row, SettledByHand) for row in await cursor.fetchall()]
