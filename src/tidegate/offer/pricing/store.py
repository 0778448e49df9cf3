"""All SQL of pricing: the counters of limited rules.

The protocol, in one transaction, each step one statement:

1. `used`   tells how much is used of the rows that exist, and which keys have none yet; or
   `lock`   does so and locks the rows, in key order;
2. the batch is decided in memory (`rules.Counters`);
3. `write`  adds what was used to the rows and inserts the new ones, in key order.

A key is new only once, and a buyer's first order makes several: inserting them at step 1 would cost a dead row each.
Where another transaction has inserted such a key meanwhile, the primary key refuses it; where others have used what
was only looked at, so that too little is left, `counter_within_cap` does. The caller rolls back and decides the batch
again, under locks. So a counter that all orders use is locked for as long as a batch commits, not while it is decided.

No deadlock: rows are locked in key order, by `lock` before anything else of this module, or by `write`, which looks up
its rows one by one in the order in which they come.
"""

from collections.abc import Sequence

from psycopg.rows import class_row

from tidegate.base import columns
from tidegate.base.db import Tx
from tidegate.offer.pricing.contracts import CountersUsed

LOCK = """
    select key, used
    from pricing.counter
    where key = any(%(keys)s)
    order by key
    for update
"""

WRITE = """
    with change as materialized (
        select *
        from unnest(%(keys)s, %(added)s, %(caps)s, %(new)s) as change (key, added, cap, new)
    ),
    updated as (
        update pricing.counter
        set used = counter.used + change.added, cap = change.cap
        from change
        where counter.key = change.key and not change.new
    )
    insert into pricing.counter (key, used, cap)
    select key, added, cap
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


async def lock(tx: Tx, keys: Sequence[str]) -> dict[str, int]:
    """Lock the rows of these keys, in key order; how much of each is used. Keys without a row are absent."""
    rows = await tx.execute(LOCK, {"keys": columns.texts(keys)})
    return dict(await rows.fetchall())


async def write(tx: Tx, changes: Sequence[tuple[str, int, int, bool]]) -> None:
    """Add to rows (key, added, cap, whether it is new) and insert new keys, in key order.

    Breaks `counter_pkey` when another made one of those first, and `counter_within_cap` when it used the rest.
    """
    await tx.execute(
        WRITE,
        {
            "keys": columns.texts([key for key, _, _, _ in changes]),
            "added": columns.bigints([added for _, added, _, _ in changes]),
            "caps": columns.bigints([cap for _, _, cap, _ in changes]),
            "new": columns.bools([new for _, _, _, new in changes]),
        },
    )


async def release(tx: Tx, amounts: dict[str, int]) -> list[str]:
    """Take the amounts off the counters, never below 0; the keys that held less than that."""
    keys = sorted(amounts)
    rows = await tx.execute(RELEASE, {"keys": keys, "amounts": [amounts[key] for key in keys]})
    return [key for (key,) in await rows.fetchall()]


async def used(tx: Tx, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How much is used of those counters that have been used, and the cap at their last use; nothing is locked."""
    rows = await tx.execute("select key, used, cap from pricing.counter where key = any(%s)", [columns.texts(keys)])
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
