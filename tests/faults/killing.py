"""A PostgreSQL that is killed while shoppers go on asking."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg

from tidegate.base.batch import Overloaded
from tidegate.base.db import DatabaseUnavailable
from tidegate.base.embedded.postgres import EmbeddedPostgres

T = TypeVar("T")

LOST = (DatabaseUnavailable, Overloaded, psycopg.Error)
"""What a shopper meets while something is away: nothing is known, and one asks again."""


async def again(once: Callable[[], Awaitable[T]], lost: tuple[type[Exception], ...] = LOST) -> T:
    """Ask until there is an answer, as a shopper's browser does: on what is `lost` one asks again."""
    while True:
        try:
            return await once()
        except lost:
            await asyncio.sleep(0.1)


async def kill_at_random(server: EmbeddedPostgres, chance: random.Random, kills: int) -> None:
    """Kill the server so many times, a second or so apart, and start it again each time."""
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.to_thread(server.start)
    await asyncio.sleep(1)
