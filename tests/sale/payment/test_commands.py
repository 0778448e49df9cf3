"""`tidegate payment`: what a payment clerk reads, and what a script does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from click.testing import CliRunner, Result

from tests.sale.payment.harness import SandboxProcess, World
from tidegate.base.cache import Cache
from tidegate.base.db import Database
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.commands import group

Run = Callable[..., Result]


@dataclass(frozen=True)
class Installed:
    """What a command opens: payment of its own, on the same database."""

    db: Database
    payment: Payment


@pytest.fixture
def run(shop: World, database_url: str, harbour: SandboxProcess, lantern: SandboxProcess) -> Run:
    """Run a command in a loop of its own, as the command line does."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Installed]:
        db, cache = Database(database_url), Cache("redis://127.0.0.1:1", timeout_seconds=0.2)
        await db.open()
        channels = [harbour.setting, lantern.setting]
        payment = Payment(db, cache, shop.clock, shop.ids, shop.outbox, channels, public_url="")
        try:
            yield Installed(db, payment)
        finally:
            await payment.close()
            await cache.close()
            await db.close()

    return lambda *arguments: CliRunner().invoke(group, list(arguments), obj=opened)


async def test_the_books_are_compared_and_agree(shop: World, run: Run) -> None:
    for intent in await shop.open_many(4, 700):
        await shop.pay(intent, "lantern")
    told = await asyncio.to_thread(run, "reconcile", "--channel", "lantern", "--hours", "0.05", "--json")
    (report,) = json.loads(told.stdout)
    assert report["matched"] == 4
    assert (report["matched_charged"], report["missing_there_count"]) == (2_800, 0)
    # Charges of other tests in the channel's books are of orders that this database never had.
    assert told.exit_code == (1 if report["missing_here_count"] else 0)
    table = await asyncio.to_thread(run, "reconcile", "--channel", "lantern", "--hours", "0.05")
    assert "lantern" in table.stdout


async def test_channels_and_balances_are_shown(shop: World, run: Run) -> None:
    await shop.pay(await shop.open(700), "harbour")
    channels = json.loads((await asyncio.to_thread(run, "channels", "--json")).stdout)
    assert [(each["name"], each["state"], each["outstanding"]) for each in channels] == [
        ("harbour", "closed", 0),
        ("lantern", "closed", 0),
    ]
    accounts = json.loads((await asyncio.to_thread(run, "balances", "--json")).stdout)
    assert [(each["account"], each["debits"], each["credits"]) for each in accounts] == [
        ("channel:harbour", 700, 0),
        ("sales", 0, 700),
    ]
    assert "harbour" in (await asyncio.to_thread(run, "channels")).stdout
    assert "sales" in (await asyncio.to_thread(run, "balances")).stdout


async def test_a_channel_that_does_not_answer_is_said_so(run: Run, harbour: SandboxProcess) -> None:
    harbour.order(outage="refused")
    told = await asyncio.to_thread(run, "reconcile", "--channel", "harbour")
    assert told.exit_code == 1
    assert "did not give its statement" in told.stderr
    unknown = await asyncio.to_thread(run, "reconcile", "--channel", "nowhere")
    assert "no payment channel" in unknown.stderr
    harbour.order()
