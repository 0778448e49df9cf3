"""Takes a sandbox payment channel away in the middle of the flood, and brings it back."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import msgspec

from tidegate.app.sandbox_channel.commands import ADMIN_PORT_OFFSET
from tidegate.app.sandbox_channel.contracts import Totals
from tidegate.base.config import ChannelSetting

_TIMEOUT_SECONDS = 10.0


class ChannelAdmin:
    """The admin side of one sandbox channel: faults to order, and its own books."""

    def __init__(self, setting: ChannelSetting) -> None:
        place = urlsplit(setting.url)
        self.name = setting.name
        self._url = f"http://{place.hostname}:{(place.port or 0) + ADMIN_PORT_OFFSET}"

    async def fail(self) -> None:
        """Nobody listens at the channel any more."""
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            (await client.put(f"{self._url}/faults", json={"outage": "refused"})).raise_for_status()

    async def recover(self) -> None:
        """The channel answers again."""
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            (await client.delete(f"{self._url}/faults")).raise_for_status()

    async def totals(self) -> Totals:
        """Return the sums of the channel's own books."""
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            answer = await client.get(f"{self._url}/totals")
        return msgspec.json.decode(answer.raise_for_status().content, type=Totals)


async def outage(channel: ChannelAdmin, after: float, lasting: float, say: Callable[[str], None]) -> None:
    """Wait `after` seconds, take the channel away for `lasting` seconds, bring it back; also when this is cancelled."""
    await asyncio.sleep(after)
    await channel.fail()
    say(f"Payment channel {channel.name} fails now, for {lasting:.0f} s. Orders must go on through the other one.")
    try:
        await asyncio.sleep(lasting)
    finally:
        await channel.recover()
    say(f"Payment channel {channel.name} is back.")
