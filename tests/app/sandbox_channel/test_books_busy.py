"""While the channel's books take nothing more, what happens by itself waits and happens afterwards: nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from tidegate.app.sandbox_channel.channel import SandboxChannel
from tidegate.app.sandbox_channel.contracts import ChargeOrder, Faults


@pytest.fixture
async def channel(tmp_path: Path) -> AsyncIterator[SandboxChannel]:
    """A channel in this process."""
    made = SandboxChannel("harbour", b"sandbox-harbour", tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def merchant() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Where a merchant takes callbacks, and those that it took."""
    taken: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(await request.read())
        return web.Response()

    doors = web.Application()
    doors.router.add_post("/callback", take)
    runner = web.AppRunner(doors)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/callback", taken
    await runner.cleanup()


def order_of(url: str) -> ChargeOrder:
    attempt_id = str(uuid4())
    return ChargeOrder(attempt_id=attempt_id, amount=500, currency="CNY", subject=attempt_id, callback_url=url)


async def until_no_letter(channel: SandboxChannel) -> None:
    async with asyncio.timeout(20):
        while channel.totals().letters:
            await asyncio.sleep(0.05)


async def test_a_callback_that_could_not_be_noted_as_taken_is_sent_again(
    channel: SandboxChannel, merchant: tuple[str, list[bytes]]
) -> None:
    url, taken = merchant
    await channel.charge(order_of(url))
    channel._entries._waiting_max = 0
    async with asyncio.timeout(20):
        while not taken:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert channel.totals().letters == 1
    channel._entries._waiting_max = 20_000
    await until_no_letter(channel)
    assert len(taken) >= 2
    assert set(taken) == {taken[0]}


async def test_a_callback_that_could_not_be_postponed_is_sent_again(
    channel: SandboxChannel, merchant: tuple[str, list[bytes]]
) -> None:
    url, taken = merchant
    order = order_of(url.replace("/callback", "/elsewhere"))
    await channel.charge(order)
    channel._entries._waiting_max = 0
    await asyncio.sleep(1)
    channel._entries._waiting_max = 20_000
    under_way = channel._post._due or channel._post._under_way
    assert (bool(under_way), taken, channel.totals().letters) == (True, [], 1)


async def test_a_charge_that_could_not_be_confirmed_is_confirmed_later(
    channel: SandboxChannel, merchant: tuple[str, list[bytes]]
) -> None:
    url, taken = merchant
    channel.faults = Faults(answer="pending", confirm_ms=100)
    order = order_of(url)
    assert (await channel.charge(order)).state == "pending"
    await until_no_letter(channel)
    channel._entries._waiting_max = 0
    await asyncio.sleep(0.4)
    channel._entries._waiting_max = 20_000
    async with asyncio.timeout(20):
        while (found := channel.find_charge(order.attempt_id)) is None or found.state != "succeeded":
            await asyncio.sleep(0.05)
    await until_no_letter(channel)
    assert b"charge.succeeded" in taken[-1]
