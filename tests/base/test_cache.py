"""The cache answers, says when it is gone, never takes longer than a second, and is found again."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tidegate.base.cache import Cache, CacheDown
from tidegate.base.embedded.valkey import EmbeddedValkey


@pytest.fixture
def own() -> Iterator[EmbeddedValkey]:
    """A Valkey of the test's own, to kill."""
    with TemporaryDirectory(prefix="tidegate-cache-") as folder:
        server = EmbeddedValkey(Path(folder))
        server.start()
        yield server
        server.stop()


async def test_it_answers(cache: Cache) -> None:
    assert await cache.alive() is True
    await cache.client.set("a", "1")
    assert await cache.client.get("a") == b"1"


async def test_a_killed_valkey_is_told_and_a_new_one_is_found(own: EmbeddedValkey) -> None:
    cache = Cache(own.url)
    assert await cache.alive() is True
    assert own.pid is not None
    os.kill(own.pid, signal.SIGKILL)
    assert await cache.alive() is False
    with pytest.raises(CacheDown):
        await cache.client.get("a")
    own.start()
    assert await cache.alive() is True
    assert await cache.client.get("a") is None
    await cache.close()


async def test_a_valkey_that_hangs_is_given_up_after_its_time(own: EmbeddedValkey) -> None:
    cache = Cache(own.url, timeout_seconds=0.3)
    assert await cache.alive() is True
    assert own.pid is not None
    os.kill(own.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert await cache.alive() is False
        assert time.monotonic() - began < 3
    finally:
        os.kill(own.pid, signal.SIGCONT)
    assert await cache.alive() is True
    await cache.close()
