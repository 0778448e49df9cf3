"""All SQL of pricing: the counters of limited rules.

The protocol, in one transaction, each step one statement:

1. `lock`   locks the rows that exist, in key order, and tells which keys have none yet;
2. the batch is decided in memory (`rules.Counters`);
3. `write`  updates the locked rows and inserts the new ones, in key order.

A key is new only once, and a buyer's first order makes several: inserting them at step 1 would cost a dead row each.
Where another transaction has inserted such a key meanwhile, the primary key refuses it, and the caller rolls back and
decides the batch again: this time the row exists and is locked at step 1.

No deadlock: locks on existing rows are waited for only at step 1, in key order, before anything is inserted; at step 3
only an uncommitted insert of another is waited for, in key order. `on conflict do update` would wait for locked rows
at step 3 as well, and could close a circle.
"""

from collections.abc import Sequence

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.offer.pricing.contracts import CountersUsed

LOCK = """
    select key, used
    from pricing.counter
    where key = any(%(keys)b)
    order by key
    for update
"""

WRITE = """
    with change as materialized (
        select *
        from json_to_recordset(%(changes)s::json) as change (key text, used bigint, cap bigint, new boolean)
    ),
    updated as (
        update pricing.counter
        set used = change.used, cap = change.cap
        from change
        where counter.key = change.key and not change.new
    )
    insert into pricing.counter (key, used, cap)
    select key, used, cap
    from change
    where new
    order by key collate "C"
"""

RELEASE = """
    with release as materialized (
        select key, amount
        from unnest(%(keys)b::text[], %(amounts)b::bigint[]) as release (key, amount)
    ),
    held as materialized (
        select counter.key, counter.used, release.amount
        from pricing.counter
        join release using (key)
        order by counter.key
        for update of counter
    ),
    released as (
        update pricing.counter
        set used = greatest(counter.used - held.amount, 0)
        from held
        where counter.key = held.key
    )
    select key
    from release
    left join held using (key, amount)
    where held.used is null or held.used < amount
    order by key collate "C"
"""


class _Change(msgspec.Struct):
    key: str
    used: int
    cap: int
    new: bool


async def lock(tx: Tx, keys: Sequence[str]) -> dict[str, int]:
    """Lock the rows of these keys, in key order; how much of each is used. Keys without a row are absent."""
    rows = await tx.execute(LOCK, {"keys": list(keys)})
    return dict(await rows.fetchall())


async def write(tx: Tx, changes: Sequence[tuple[str, int, int, bool]]) -> None:
    """Write new values of locked rows and new keys. Breaks `counter_pkey` when another made one of those first."""
    rows = msgspec.json.encode([_Change(*change) for change in changes]).decode()
    await tx.execute(WRITE, {"changes": rows})


async def release(tx: Tx, amounts: dict[str, int]) -> list[str]:
    """Take the amounts off the counters, never below 0; the keys that held less than that."""
    keys = sorted(amounts)
    rows = await tx.execute(RELEASE, {"keys": keys, "amounts": [amounts[key] for key in keys]})
    return [key for (key,) in await rows.fetchall()]


async def used(tx: Tx, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How much is used of those counters that have been used, and the cap at their last use; nothing is locked."""
    rows = await tx.execute(
        "select key, used, cap from pricing.counter where key = any(%(keys)b)", {"keys": list(keys)}
    )
    return {key: (amount, cap) for key, amount, cap in await rows.fetchall()}


async def in_use(tx: Tx) -> CountersUsed:
    """Return what is used of all counters but those of payment accounts: an order does not say which one paid it."""
    async with tx.cursor(row_factory=class_row(CountersUsed)) as cursor:
        await cursor.execute(
            "select count(*) as counters, coalesce(sum(used), 0)::bigint as uses,"
            " coalesce(bit_xor(hashtextextended(key || '=' || used, 0)), 0) as mixed"
            " from pricing.counter where used > 0 and key not like '%%/instrument:%%'"
        )
        [found] = await cursor.fetchall()
    return found


async def beyond_cap(tx: Tx) -> tuple[int, list[str]]:
    """How many counters there are, and the keys of those that are negative or beyond their cap (ten at most)."""
    counted = await (await tx.execute("select count(*) from pricing.counter")).fetchone()
    rows = await tx.execute("select key from pricing.counter where used not between 0 and cap order by key limit 10")
    return (counted[0] if counted else 0), [key for (key,) in await rows.fetchall()]
