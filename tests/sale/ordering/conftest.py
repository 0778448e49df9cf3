"""Ordering is tried with real payment channels where money moves."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.sale.books import Books
from tests.sale.payment.conftest import harbour, lantern, two_channels
from tests.sale.payment.harness import SandboxProcess
from tests.sale.shop import open_sale
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import ChannelSetting, Config
from tidegate.base.ids import Ids

__all__ = ["harbour", "lantern", "two_channels"]


@pytest.fixture
async def shop(
    config: Config, clock: ManualClock, ids: Ids, harbour: SandboxProcess, lantern: SandboxProcess
) -> AsyncIterator[App]:
    """The whole application on two real channels, one minute after the opening."""
    channels = tuple(
        ChannelSetting(name=each.name, url=each.url, secret=f"sandbox-{each.name}") for each in (harbour, lantern)
    )
    open_sale(clock)
    composed = compose(msgspec.structs.replace(config, channels=channels), clock=clock, ids=ids)
    await composed.cache.client.flushall()
    await composed.open()
    yield composed
    await composed.close()


@pytest.fixture
def books(harbour: SandboxProcess, lantern: SandboxProcess) -> Books:
    """What both channels have booked since the beginning of the test."""
    return Books(harbour, lantern)
