"""PostgreSQL is killed while a shortfall is stated and settled: once each order, each refund, each unit."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import msgspec
import pytest

from tests.faults.killing import LOST, again
from tests.offer.festivals import definition, offer
from tests.sale.books import Books
from tests.sale.ordering.test_life import CAMPAIGN, deliver, placed, show
from tests.sale.payment.harness import SandboxProcess
from tests.sale.shop import buyers, levels, open_sale, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import ChannelSetting, Config
from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.ids import Ids
from tidegate.base.migration import migrate
from tidegate.sale.ordering.contracts import OrderState
from tidegate.sale.payment.contracts import IntentState
from tidegate.sale.shortfall.contracts import StateShortfall, Told

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

PAID, UNPAID, KEPT = 40, 8, 10
KILLS = 3
COUNTED = msgspec.convert({"sku": "A", "there": KEPT, "remedy": "refund", "reason": "a pallet got wet"}, StateShortfall)


@pytest.fixture
async def app(
    server: EmbeddedPostgres, config: Config, clock: ManualClock, ids: Ids, harbour: SandboxProcess
) -> AsyncIterator[App]:
    """The whole application on that server and a real channel, its sale open."""
    channel = ChannelSetting(name=harbour.name, url=harbour.url, secret=f"sandbox-{harbour.name}")
    await migrate(Database(server.url))
    settings = msgspec.structs.replace(config, database_url=server.url, channels=(channel,))
    composed = compose(settings, clock=clock, ids=ids)
    await composed.cache.client.flushall()
    await composed.open()
    open_sale(clock)
    await publish(composed, definition([offer("A", quota=PAID + UNPAID)]))
    yield composed
    await composed.close()


async def test_no_kill_lets_an_order_go_without_twice_or_refunds_it_twice(
    app: App, server: EmbeddedPostgres, clock: ManualClock, harbour: SandboxProcess
) -> None:
    seed = int(os.environ.get("TIDEGATE_TEST_SEED") or random.randrange(10**6))
    print(f"TIDEGATE_TEST_SEED={seed}")
    books, crowd = Books(harbour), await buyers(app, PAID + UNPAID)
    ids = [await placed(app, buyer, {"A": 1}, 8_000) for buyer in crowd]
    first, last = ids[:PAID], ids[PAID:]
    paying = zip(first, crowd, strict=False)
    views = await asyncio.gather(*[app.payment.pay(order_id, buyer.account_id) for order_id, buyer in paying])
    assert {view.state for view in views} == {IntentState.CAPTURED}
    await deliver(app)
    working = asyncio.create_task(_work(app, clock))
    told = await _while_killed(app, server, random.Random(seed))
    await asyncio.wait_for(_settled(app, first), 60)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    states = [(await show(app, order_id)).state for order_id in first + last]
    assert states == [OrderState.PAID] * KEPT + [OrderState.REFUNDED] * (PAID - KEPT) + [OrderState.CANCELLED] * UNPAID
    async with app.db.read() as tx:
        told = await app.shortfalls.told(tx, told.act.act_id)
    assert (told.released_units, told.refunded_units, told.refunded_amount) == (
        UNPAID,
        PAID - KEPT,
        (PAID - KEPT) * 8_000,
    )
    level = (await levels(app, CAMPAIGN, ["A"]))["A"]
    assert (level.sold, level.held, level.missing, level.short) == (KEPT, 0, PAID + UNPAID - KEPT, 0)
    await books.require_equal(app, first)


async def _while_killed(app: App, server: EmbeddedPostgres, chance: random.Random) -> Told:
    """State the shortfall while the server is killed again and again; asked again under the same key it is one act."""
    state = partial(app.shortfalls.state, "count-under-kills", CAMPAIGN, COUNTED, "Lin")
    stating = asyncio.ensure_future(again(state))
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.01, 0.15))
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.to_thread(server.start)
    return await asyncio.wait_for(stating, 60)


async def _work(app: App, clock: ManualClock) -> None:
    """Everything that the worker repeats, whatever the database does; the clock goes on meanwhile."""
    while True:
        try:
            for name in app.outbox.subscribers:
                await app.outbox.deliver(app.db, name)
            await app.payment.send_refunds_due()
            await app.shortfalls.settle_due()
        except LOST:
            await asyncio.sleep(0.1)
        clock.advance(seconds=0.5)
        await asyncio.sleep(0.01)


async def _settled(app: App, ids: list[UUID]) -> None:
    async def busy() -> bool:
        async with app.db.read() as tx:
            states = await app.ordering.states(tx, ids)
            short = await app.stock.short_levels(tx)
        drained = await app.outbox.drained(app.db)
        return bool(short) or OrderState.REFUNDING in states.values() or not drained

    while await again(busy):
        await asyncio.sleep(0.1)
