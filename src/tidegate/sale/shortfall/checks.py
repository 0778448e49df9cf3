"""The invariants of shortfalls, held against their own books, stock's and ordering's, on one snapshot."""

from datetime import datetime

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.shortfall import rules, store
from tidegate.sale.shortfall.settling import QUEUE_MAX
from tidegate.sale.stock.api import Stock

_NAMED_MAX = 5


async def check(tx: Tx, before: datetime, stock: Stock, ordering: Ordering) -> list[Check]:
    """Return what holds and what does not, with figures; what was paid or stated since `before` may be under way."""
    stated, lost = await store.missing(tx), await stock.lost(tx)
    ours, theirs = await store.fingerprint(tx), await ordering.short_fingerprint(tx)
    return [
        Check(
            name="shortfall: what acts say is missing is what stock counts as missing",
            holds=stated == lost,
            examined=len(stated),
            detail=", ".join(sorted(f"{each[0]}/{each[1]}" for each, _ in stated.items() ^ lost.items())[:_NAMED_MAX]),
        ),
        Check(
            name="shortfall: each refund for it is one line, and each refunded line one such refund",
            holds=ours == theirs,
            examined=ours.count,
            detail="" if ours == theirs else f"lines say {ours}, orders say {theirs}",
        ),
        await _later(tx, stock),
        await _settled(tx, before, stock),
    ]


async def _later(tx: Tx, stock: Stock) -> Check:
    """Every unit that comes later was told to its buyer; of some that were told, units went back since."""
    told, waiting = await store.promised_later(tx), await stock.later(tx)
    untold = [f"{order_id} {sku}" for (order_id, sku), units in waiting.items() if units > told.get((order_id, sku), 0)]
    return Check(
        name="shortfall: what comes later was told to its buyer with a day",
        holds=not untold,
        examined=len(waiting),
        detail=", ".join(untold[:_NAMED_MAX]),
    )


async def _settled(tx: Tx, before: datetime, stock: Stock) -> Check:
    waits = []
    short = await stock.short_levels(tx)
    for each in short:
        act = await store.latest_act(tx, each.campaign_id, each.sku)
        queue = await stock.promises(tx, each.campaign_id, each.sku, QUEUE_MAX)
        open_units = rules.unsettled(each.short, queue, before)
        if open_units and (act is None or act.stated_at < before):
            waits.append(f"{each.campaign_id}/{each.sku}: {open_units} units")
    return Check(
        name="shortfall: what is short is settled within a minute, and nothing of it waits for a person",
        holds=not waits,
        examined=len(short),
        detail="; ".join(waits[:_NAMED_MAX]),
    )
