"""`make bench`: one run, one machine, every figure with its ratio to the yardstick.

The yardstick is pgbench on the embedded server: 16 clients, `begin; update one hot row; insert an order; commit`. All
processes, this client included, share the machine.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from bench.client import Tally, load
from bench.orders import SKUS, data_folder, measure, yardstick
from bench.reads import campaign_page, example, searches, stock_polls
from tidegate.app.supervisor import Supervisor, festival
from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres

CONNECTIONS = (64, 256, 1000)
READERS = 64
SECONDS = 8
YARDSTICK_SECONDS = 4
PORT = 18470


async def main() -> None:
    """Measure everything and print it as tables."""
    console = Console(width=150)
    folder = data_folder()
    config = Config.from_env({"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_PORT": str(PORT)})
    try:
        async with festival(config) as supervisor:
            await _orders(supervisor, console)
            await _reads(supervisor, console)
            _memory(supervisor, console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _yardstick(supervisor: Supervisor) -> float:
    """Measure the yardstick now: shared machines change their speed within minutes, so each figure has its own."""
    postgres = next(server for server in supervisor.servers if isinstance(server, EmbeddedPostgres))
    return await asyncio.to_thread(yardstick, postgres, seconds=YARDSTICK_SECONDS)


async def _orders(supervisor: Supervisor, console: Console) -> None:
    table = _table("Durable orders over HTTP, one web worker", "orders", "durable", "refused", "failed", "lost")
    for name, skus in (("one hot SKU", SKUS[:1]), ("1,000 SKUs", SKUS)):
        for connections in CONNECTIONS:
            console.print(f"... {name}, {connections} connections", style="dim")
            before = await _yardstick(supervisor)
            tally, durable = await measure(supervisor, skus, connections=connections, seconds=SECONDS)
            base = (before + await _yardstick(supervisor)) / 2
            counts = (tally.count(2), durable, tally.count(4), tally.count(5), tally.lost)
            table.add_row(name, f"{connections:,}", *_rates(tally, base), *[f"{count:,}" for count in counts])
    console.print(table)


async def _reads(supervisor: Supervisor, console: Console) -> None:
    await example(supervisor)
    table = _table("Pages, polls and searches, one web worker", "answers", "failed", "lost")
    url = supervisor.config.public_url
    for name, following in (("campaign page", campaign_page()), ("stock poll", stock_polls()), ("search", searches())):
        console.print(f"... {name}", style="dim")
        base = await _yardstick(supervisor)
        tally = await load(url, following, connections=READERS, seconds=SECONDS)
        counts = (tally.count(2), tally.count(4) + tally.count(5), tally.lost)
        table.add_row(name, f"{READERS}", *_rates(tally, base), *[f"{count:,}" for count in counts])
    console.print(table)


def _table(title: str, *counts: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("what", "connections", "per second", "yardstick", "ratio", "p50 ms", "p99 ms", *counts):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    return table


def _rates(tally: Tally, base: float) -> tuple[str, str, str, str, str]:
    rate, p50, p99 = tally.rate(), tally.quantile_ms(0.5), tally.quantile_ms(0.99)
    return f"{rate:,.0f}", f"{base:,.0f}", f"{rate / base:.2f}", f"{p50:.1f}", f"{p99:.1f}"


def _memory(supervisor: Supervisor, console: Console) -> None:
    table = Table(title="Memory at the end (own pages and a share of shared ones)", title_justify="left")
    table.add_column("process")
    table.add_column("MiB", justify="right")
    roots = {process.name: process.pid for process in supervisor.processes}
    roots |= {type(server).__name__: server.pid for server in supervisor.servers}
    for name, pid in roots.items():
        if pid is not None:
            table.add_row(name, f"{sum(_proportional_kib(each) for each in _family(pid)) / 1024:,.0f}")
    console.print(table)


def _family(pid: int) -> Iterator[int]:
    yield pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for child in children.read_text().split() if children.exists() else ():
        yield from _family(int(child))


def _proportional_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    uvloop.run(main())
