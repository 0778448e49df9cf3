"""What sealing a long line takes: one step of a worker that begins at that moment, in a process of its own."""

import asyncio
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import NamedTuple

import psutil
import uvloop

from tidegate.app.compose import compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config

_LOOK_SECONDS = 0.005


class Sealed(NamedTuple):
    """How long it took until the root stood there, and how far the process grew meanwhile at most."""

    seconds: float
    grown_bytes: int


async def sealed(config: Config, at: datetime) -> Sealed:
    """Move the line on to the moment `at`, at which it is sealed, and return what that took."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _seal, config, at)


def _seal(config: Config, at: datetime) -> Sealed:
    return uvloop.run(_step(config, at))


async def _step(config: Config, at: datetime) -> Sealed:
    app = compose(config, clock=ManualClock(at))
    await app.open()
    try:
        peak = _Peak()
        began = time.perf_counter()
        await app.queue.step()
        seconds = time.perf_counter() - began
        return Sealed(seconds, peak.end())
    finally:
        await app.close()


class _Peak:
    """Looks at the memory of this process, often, from a thread of its own."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before = self._most = int(self._process.memory_info().rss)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Return by how many bytes the process grew at most."""
        self._over.set()
        self._thread.join()
        return self._most - self._before

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self._most = max(self._most, self._process.memory_info().rss)
