"""Search over HTTP among 100,000 goods while orders flow: `python -m bench.searching_shop [--orders 500]`.

One web worker serves both. Searches come at an even rate whether or not earlier ones are answered, each timed from the
moment that it was due; orders come at an even rate too, on a thousand SKUs, each durable before its answer.
"""

import argparse
import asyncio
import shutil
import time
from collections.abc import Callable

import httpx
import uvloop
from rich.console import Console

from bench.orders import SKUS, data_folder, orders, prepare
from bench.search import HEAD, LIMIT_MS, Outcome, made_goods, made_queries, over_http
from tidegate.app.compose import App, opened
from tidegate.app.supervisor import festival
from tidegate.base.config import Config
from tidegate.offer.catalogue.contracts import Goods

PORT = 18480
CONNECTIONS = 32
PART = 5_000


async def main(searches: float, ordered: float, seconds: float, goods_count: int) -> bool:
    """Measure and print; whether 99 % of the searches were answered within 50 ms and every order was taken."""
    console = Console(width=150)
    folder = data_folder()
    config = Config.from_env({"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_PORT": str(PORT)})
    goods = made_goods(goods_count)
    try:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            shoppers = await prepare(app, shoppers=2_000)
            await _put(app, goods, console)
            await _until_indexed(app, console)
            flow = asyncio.create_task(_orders(config.public_url, orders(shoppers, SKUS), ordered, seconds))
            queries = made_queries(goods, int(searches * seconds))
            outcomes = await over_http(config.public_url, queries, searches)
            waits, failed = await flow
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _told(console, outcomes, sorted(waits), failed, seconds)


async def _put(app: App, goods: list[Goods], console: Console) -> None:
    for at in range(0, len(goods), PART):
        async with app.db.transaction() as tx:
            await app.catalogue.put_goods(tx, goods[at : at + PART])
        console.print(f"... {min(at + PART, len(goods)):,} goods", style="dim")


async def _until_indexed(app: App, console: Console) -> None:
    """Wait until the worker has built the index: meanwhile it would take the processor from what is measured."""
    for _ in range(600):
        async with app.db.read() as tx:
            if not await app.catalogue.index_lag(tx):
                return await asyncio.sleep(2)
        await asyncio.sleep(0.5)
    console.print("the index was not built within 300 s")
    raise SystemExit(1)


async def _orders(url: str, following: Callable[[], bytes], rate: float, seconds: float) -> tuple[list[float], int]:
    """Place orders at an even rate on connections that are kept; return their waits in seconds, and how many failed."""
    parts = httpx.URL(url)
    waits: list[float] = []
    failed = 0
    begin = time.perf_counter()

    async def line(place: int) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(parts.host, parts.port)
        for number in range(place, int(rate * seconds), CONNECTIONS):
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(following())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r")[0]))
            failed += not head.startswith(b"http/1.1 201")
            waits.append(time.perf_counter() - due)
        writer.close()

    await asyncio.gather(*(line(place) for place in range(CONNECTIONS)))
    return waits, failed


def _told(console: Console, outcomes: dict[str, Outcome], waits: list[float], failed: int, seconds: float) -> bool:
    console.print(HEAD)
    for kind, each in outcomes.items():
        console.print(f"{kind:14}{each}")
    p50, p99 = (1000 * waits[int(share * (len(waits) - 1))] for share in (0.5, 0.99))
    rate = (len(waits) - failed) / seconds
    console.print(f"orders: {rate:,.0f}/s taken, {failed} failed, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    return outcomes["all"].p99_ms <= LIMIT_MS and not outcomes["all"].refused and not failed


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--searches", type=float, default=100.0, help="a second")
    options.add_argument("--orders", type=float, default=500.0, help="a second")
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--goods", type=int, default=100_000)
    chosen = options.parse_args()
    measured = uvloop.run(main(chosen.searches, chosen.orders, chosen.seconds, chosen.goods))
    raise SystemExit(not measured)
