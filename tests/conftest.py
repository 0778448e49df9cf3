"""Fixtures on the real components: an embedded PostgreSQL and Valkey for the run, a fresh database for each test."""

import asyncio
import inspect
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from tests.databases import Databases
from tidegate.app.compose import App, compose
from tidegate.base import crypto
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import ChannelSetting, Config
from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.base.ids import Ids

# A busy machine makes an example slow, not wrong.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# Nobody outside is asked, so nobody outside is trusted: reading the world's authorities costs each HTTP client 20 ms.
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)
os.environ.pop("SSL_CERT_FILE", None)

_full_strength = crypto.PASSWORDS
# Hundreds of tests sign staff in, at half a second of a processor each.
crypto.PASSWORDS = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

LONGEST_SECONDS = 240
"""The longest of these tests takes a third of this: one that takes longer hangs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the servers, so that `make check` can leave it to `make test`; end what hangs."""
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _ending(item.obj)


def _ending(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return the test so that it fails where it waits when it takes too long."""

    @wraps(test)
    async def bounded(*given: object, **named: object) -> None:
        async with asyncio.timeout(LONGEST_SECONDS):
            await test(*given, **named)

    return bounded


@pytest.fixture
def passwords_at_full_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost what they cost outside of tests."""
    monkeypatch.setattr(crypto, "PASSWORDS", _full_strength)


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[EmbeddedPostgres, EmbeddedValkey]]:
    """Both embedded servers, on a data folder of this run's own."""
    with tempfile.TemporaryDirectory(prefix="tidegate-tests-", ignore_cleanup_errors=True) as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o755)
        postgres, valkey = EmbeddedPostgres(data_dir), EmbeddedValkey(data_dir)
        postgres.start()
        valkey.start()
        yield postgres, valkey
        valkey.stop()
        postgres.stop()


@pytest.fixture(scope="session")
def databases(servers: tuple[EmbeddedPostgres, EmbeddedValkey]) -> Databases:
    """The run's databases, lent to one test after another."""
    return Databases(servers[0])


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of a database as the migrations left it."""
    name = databases.lend()
    yield databases.url(name)
    databases.take_back(name)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A Database on this test's own."""
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def cache(servers: tuple[EmbeddedPostgres, EmbeddedValkey]) -> AsyncIterator[Cache]:
    """The real Valkey, emptied before each test."""
    _, valkey = servers
    connected = Cache(valkey.url)
    await connected.client.flushall()
    yield connected
    await connected.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon (UTC) on the day before Double 11."""
    return ManualClock(datetime(2026, 11, 10, 12, tzinfo=UTC))


@pytest.fixture
def ids() -> Ids:
    """Identifiers as in production."""
    return Ids()


@pytest.fixture
def config(servers: tuple[EmbeddedPostgres, EmbeddedValkey], database_url: str, tmp_path: Path) -> Config:
    """Settings that point to this test's database and the run's Valkey."""
    _, valkey = servers
    return Config(
        data_dir=tmp_path,
        secret=b"a secret of the tests, long enough",
        database_url=database_url,
        cache_url=valkey.url,
        channels=(
            ChannelSetting(name="harbour", url="http://127.0.0.1:1", secret="sandbox-harbour"),
            ChannelSetting(name="lantern", url="http://127.0.0.1:1", secret="sandbox-lantern"),
        ),
    )


@pytest.fixture
async def app(config: Config, clock: ManualClock, ids: Ids) -> AsyncIterator[App]:
    """The whole application, composed on this test's database, clock and Valkey."""
    composed = compose(config, clock=clock, ids=ids)
    await composed.cache.client.flushall()
    await composed.open()
    yield composed
    await composed.close()
