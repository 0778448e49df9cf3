"""Two sandbox channels as processes, and payment on them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.sale.payment.harness import SandboxProcess, World, sandbox, world
from tidegate.base.cache import Cache
from tidegate.base.db import Database


@pytest.fixture(scope="session")
def two_channels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SandboxProcess, SandboxProcess]]:
    """Two sandbox channels that run for the whole session."""
    folder: Path = tmp_path_factory.mktemp("channels")
    with sandbox("harbour", folder) as harbour, sandbox("lantern", folder) as lantern:
        yield harbour, lantern


@pytest.fixture
def harbour(two_channels: tuple[SandboxProcess, SandboxProcess]) -> SandboxProcess:
    """The first channel, without faults."""
    two_channels[0].order()
    return two_channels[0]


@pytest.fixture
def lantern(two_channels: tuple[SandboxProcess, SandboxProcess]) -> SandboxProcess:
    """The second channel, without faults."""
    two_channels[1].order()
    return two_channels[1]


@pytest.fixture
async def shop(db: Database, cache: Cache, harbour: SandboxProcess, lantern: SandboxProcess) -> AsyncIterator[World]:
    """Payment with both channels, patient enough for a busy machine."""
    async with world(db, cache, harbour, lantern, call_seconds_max=15) as made:
        yield made


@pytest.fixture
async def hasty(db: Database, cache: Cache, harbour: SandboxProcess, lantern: SandboxProcess) -> AsyncIterator[World]:
    """Payment with both channels whose calls time out after one second, for channels that do not answer."""
    async with world(db, cache, harbour, lantern, call_seconds_max=1) as made:
        yield made
