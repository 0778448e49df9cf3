"""Processor time an order, of the web process's lane and of PostgreSQL, without and with 50 promotions.

`python -m bench.festive_cost`: the promotions of `bench.festive_lane`, orders of 1,000 SKUs (or `--skus 1`) placed in
this process, in turn. They come one by one, as over HTTP, each after so much work as a request costs before it is
priced; that work is not counted. No buyer is known yet: who they are is read for each order with promotions; with
`--known` they all looked at the goods just before. It says what promotions cost where the machine is not quiet enough
to say what they leave of the throughput.
"""

import argparse
import asyncio
import gc
import shutil
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from statistics import mean
from time import process_time
from typing import NamedTuple

import uvloop
from msgspec import structs
from rich.console import Console
from rich.table import Table

from bench.festive_lane import PROMOTIONS, UNITS, promotions, totals
from bench.orders import SKUS, data_folder, definition
from bench.publishing import put
from tidegate.app.compose import App, opened
from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.offer.pricing.contracts import Cart, CartLine
from tidegate.sale.ordering.contracts import OrderLine, PlaceOrder

ORDERS = 3_000
UNDER_WAY = 256
REQUEST_SECONDS = 60e-6
"""What stands for reading a request, its session and its pass: work that is not counted."""

_numbers = count()


class Spent(NamedTuple):
    """Microseconds of processor time an order: of the lane in the web process, and of PostgreSQL."""

    lane: float
    postgres: float


async def spent(app: App, server: int, skus: Sequence[str], *, known: bool) -> Spent:
    """Place orders of new shoppers, at the prices that they are shown."""
    async with app.db.transaction() as tx:
        shoppers = await app.identity.open_rehearsal_accounts(tx, ORDERS + 1)
    shown = await totals(app, shoppers[-1].session.account_id, list(skus))
    if known:
        cart, now = Cart((CartLine(skus[0], 1),)), app.clock.now()
        await asyncio.gather(*[app.pricing.facts_of(cart, each.session.account_id, now) for each in shoppers])
    free = asyncio.Semaphore(UNDER_WAY)

    async def buy(place: int) -> None:
        buyer, sku = shoppers[place], skus[place % len(skus)]
        command = PlaceOrder(
            lines=(OrderLine(sku=sku, quantity=1),), address_id=buyer.address_id, expected_total=shown[sku]
        )
        await app.ordering.place(buyer.session.account_id, f"cost-{next(_numbers):08}", command)
        free.release()

    gc.collect()
    gc.freeze()
    before = process_time(), _of_children(server)
    async with asyncio.TaskGroup() as group:
        for place in range(ORDERS):
            await free.acquire()
            group.create_task(buy(place))
            _work(REQUEST_SECONDS)
            await asyncio.sleep(0)
    lane, postgres = process_time() - before[0], _of_children(server) - before[1]
    return Spent((lane / ORDERS - REQUEST_SECONDS) * 1e6, postgres / ORDERS * 1e6)


def _work(seconds: float) -> None:
    until = process_time() + seconds
    while process_time() < until:
        pass


def _of_children(server: int) -> float:
    """Seconds of processor time of the processes that a server has now."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == server:
                total += int((stat.parent / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


async def main(rounds: int, skus: Sequence[str], *, known: bool) -> None:
    """Measure in turn and print the table."""
    console = Console(width=120)
    folder = data_folder()
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    postgres.start()
    valkey.start()
    found: dict[bool, list[Spent]] = {False: [], True: []}
    try:
        server = int(next(folder.rglob("postmaster.pid")).read_text().split()[0])
        settings = {"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_DATABASE_URL": postgres.url}
        config = Config.from_env({**settings, "TIDEGATE_CACHE_URL": valkey.url})
        async with opened(config) as app:
            gc.set_threshold(50_000, 20, 50)  # as the web process has it
            plain = definition(UNITS)
            festive = structs.replace(plain, promotions=promotions())
            for turn in range(-1, rounds):
                for with_promotions in (False, True) if turn % 2 == 0 else (True, False):
                    await put(app, festive if with_promotions else plain)
                    spent_now = await spent(app, server, skus, known=known)
                    if turn >= 0:  # the first is to get warm
                        found[with_promotions].append(spent_now)
                        console.print(f"... {turn + 1}, promotions {with_promotions}: {spent_now}", style="dim")
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    table = Table("Microseconds an order", "without", f"with {PROMOTIONS}")
    for name, of in (("lane in the web process", Spent._fields[0]), ("PostgreSQL", Spent._fields[1])):
        amounts = [[getattr(each, of) for each in found[which]] for which in (False, True)]
        table.add_row(name, *(f"{mean(each):.0f} ({min(each):.0f} to {max(each):.0f})" for each in amounts))
    console.print(table)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=6)
    asked.add_argument("--skus", type=int, default=len(SKUS))
    asked.add_argument("--known", action="store_true")
    options = asked.parse_args()
    uvloop.run(main(options.rounds, SKUS[: options.skus], known=options.known))
