"""How fast limits are checked by one process: `python -m bench.limits`.

Each ask is an order's: account, device, address and network, four limits. The yardstick is the same count as single
calls, one after the other, to the same Valkey; then 64 askers at once, each its own call; then 64 and 500 at once,
gathered by the batcher; then a whole batch handed over. All on this machine, Valkey embedded. The processor's time is
told too, in microseconds an ask, of this process and of Valkey: a busy machine changes it least.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple
from uuid import UUID

import uvloop
from rich.console import Console
from rich.table import Table

from tidegate.base.cache import Cache
from tidegate.base.config import Config
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.gate.limits.api import BATCH_MAX, Limits
from tidegate.gate.limits.contracts import Admitted, Ask, Asker, Decision, LimitedAct, LimitScope, RateLimit, WhenDown

SECONDS = 3.0
ASKERS = 20_000
STATED = tuple(
    RateLimit(
        name=f"place-order-{scope}",
        act=LimitedAct.PLACE_ORDER,
        scope=scope,
        quota=1_000_000,
        window_seconds=60,
        burst=1_000_000,
        when_down=WhenDown.REFUSE,
    )
    for scope in LimitScope
)


class Measured(NamedTuple):
    """One line: asks a second, and the processor's time an ask in microseconds."""

    name: str
    asks_a_second: float
    own_us: float
    valkey_us: float


def askers() -> list[Asker]:
    """Twenty thousand shoppers, a hundred to a network."""
    return [
        Asker(f"10.{number // 25_600}.{number // 100 % 256}.{number % 100}", UUID(int=number), UUID(int=number << 64))
        for number in range(ASKERS)
    ]


def admitted(decisions: list[Decision]) -> int:
    """Return how many there are. Raises RuntimeError where one was not counted: then nothing was measured."""
    if not all(isinstance(each, Admitted) for each in decisions):
        raise RuntimeError("Valkey did not answer in time; measure again on a calmer machine.")
    return len(decisions)


async def rate(name: str, cache: Cache, step: Callable[[int], Awaitable[int]], at_once: int) -> Measured:
    """Let so many callers repeat `step` for some seconds, and return the asks a second that it counts."""
    ends_at = perf_counter() + SECONDS
    done = 0

    async def caller(number: int) -> None:
        nonlocal done
        turn = number
        while perf_counter() < ends_at:
            counted = await step(turn)
            done += counted
            turn += at_once

    began, own, theirs = perf_counter(), process_time(), await valkey_seconds(cache)
    await asyncio.gather(*(caller(number) for number in range(at_once)))
    own, theirs = process_time() - own, await valkey_seconds(cache) - theirs
    return Measured(name, done / (perf_counter() - began), 1e6 * own / done, 1e6 * theirs / done)


async def valkey_seconds(cache: Cache) -> float:
    """Return the processor's time that Valkey has used so far."""
    found = await cache.client.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


async def measure(cache: Cache, config: Config) -> list[Measured]:
    """Return what was measured, the yardstick first."""
    limits = Limits(config, cache, lambda: STATED)
    everyone = askers()
    asks = [Ask(LimitedAct.PLACE_ORDER, asker) for asker in everyone]

    async def single(turn: int) -> int:
        return admitted(await limits.decide([asks[turn % ASKERS]]))

    async def gathered(turn: int) -> int:
        await limits.require(LimitedAct.PLACE_ORDER, everyone[turn % ASKERS])
        return 1

    async def whole(turn: int) -> int:
        start = turn * BATCH_MAX % ASKERS
        return admitted(await limits.decide(asks[start : start + BATCH_MAX]))

    return [
        await rate("single calls, one after the other", cache, single, 1),
        await rate("single calls, 64 at once", cache, single, 64),
        await rate("gathered, 64 at once", cache, gathered, 64),
        await rate("gathered, 500 at once", cache, gathered, 500),
        await rate(f"batches of {BATCH_MAX}, one after the other", cache, whole, 1),
    ]


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder that the embedded server can use, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def main() -> None:
    """Print the table."""
    with data_folder() as folder:
        valkey = EmbeddedValkey(folder)
        valkey.start()
        cache = Cache(valkey.url)
        try:
            measured = await measure(cache, Config(data_dir=folder, secret=b"a secret of the bench, long enough"))
        finally:
            await cache.close()
            valkey.stop()
    table = Table(title="Checks of four limits each, one process", title_justify="left")
    for heading in ("how", "asks a second", "ratio", "own µs", "Valkey µs"):
        table.add_column(heading, justify="left" if heading == "how" else "right")
    for each in measured:
        ratio = each.asks_a_second / measured[0].asks_a_second
        table.add_row(
            each.name, f"{each.asks_a_second:,.0f}", f"{ratio:.1f}", f"{each.own_us:.0f}", f"{each.valkey_us:.0f}"
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    uvloop.run(main())
