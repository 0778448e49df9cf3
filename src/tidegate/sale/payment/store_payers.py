"""The SQL of payers: from which account at a channel each shopper paid last."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tidegate.base import columns
from tidegate.base.db import Tx


async def put_payers(tx: Tx, payers: Mapping[UUID, tuple[str, datetime]]) -> None:
    """Keep from which account each shopper paid, and when, unless a later payment is known; in key order."""
    found = sorted(payers.items())
    await tx.execute(
        "insert into payment.payer as p (buyer_id, payer, captured_at)"
        " select * from unnest(%s::uuid[], %s::text[], %s::timestamptz[])"
        " on conflict (buyer_id) do update set payer = excluded.payer, captured_at = excluded.captured_at"
        " where p.captured_at <= excluded.captured_at",
        [[each for each, _ in found], [payer for _, (payer, _) in found], [at for _, (_, at) in found]],
    )


async def payers(tx: Tx, buyer_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the payer of each of these shoppers that has one."""
    rows = await tx.execute(
        "select buyer_id, payer from payment.payer where buyer_id = any(%b::uuid[])", [columns.uuids(buyer_ids)]
    )
    return dict(await rows.fetchall())
