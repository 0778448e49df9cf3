"""How long one batch of counters takes in PostgreSQL: `TIDEGATE_DATABASE_URL=... python bench/counter_speed.py`.

200 keys a batch, in milliseconds of the lock and the write together, without the commit. Aim: 3 ms. Writes into the
database that it is given, under keys of its own, and rolls every batch back or deletes it at the end.
"""

import asyncio
import os
from statistics import median
from time import perf_counter

from tidegate.base.clock import SystemClock
from tidegate.base.db import Database
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.pricing.api import Pricing
from tidegate.offer.pricing.contracts import CounterUse

BATCHES = 60
KEYS = 200


async def batch(db: Database, pricing: Pricing, keys: list[str]) -> float:
    """Decide one batch in a transaction of its own; milliseconds of its two statements."""
    async with db.transaction() as tx:
        began = perf_counter()
        counters = await pricing.lock_counters(tx, keys)
        for key in keys:
            counters.try_use([CounterUse(key, 1, 1_000_000)])
        await pricing.write_counters(tx, counters)
        return (perf_counter() - began) * 1000


def report(name: str, taken: list[float]) -> None:
    """Print one line: median and 95th percentile."""
    print(f"{name:<28} median {median(taken):5.2f} ms   p95 {sorted(taken)[int(len(taken) * 0.95)]:5.2f} ms")


async def main() -> None:
    """Print the table."""
    db = Database(os.environ["TIDEGATE_DATABASE_URL"])
    await db.open()
    pricing = Pricing(Campaign(SystemClock(), Outbox()))
    new = [[f"bench/{number}:{key:032x}" for key in range(KEYS)] for number in range(BATCHES)]
    report(f"{KEYS} new keys", [await batch(db, pricing, keys) for keys in new])
    report(f"{KEYS} keys that exist", [await batch(db, pricing, new[0]) for _ in range(BATCHES)])
    mixed = [[*new[0][:50], *(f"{key}x" for key in keys[50:])] for keys in new]
    report(f"50 exist, {KEYS - 50} are new", [await batch(db, pricing, keys) for keys in mixed])
    async with db.transaction() as tx:
        await tx.execute("delete from pricing.counter where key like 'bench/%%'", [])
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
