"""PostgreSQL is killed while shoppers reserve, pay, give up: no deposit is lost, and none counts twice."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

import msgspec
import psycopg
import pytest

from tests.faults.killing import LOST, again
from tests.sale.payment.harness import SandboxProcess
from tests.sale.presale.presales_made import accounts, festival, not_in_the_channels_books, presale, reserve, show
from tests.sale.shop import Buyer, broken, buyers, open_sale, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import ChannelSetting, Config
from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.ids import Ids
from tidegate.base.migration import migrate
from tidegate.sale.payment.contracts import PaymentView, RefundState
from tidegate.sale.presale.contracts import Reservation, ReservationState
from tidegate.sale.presale.errors import ReservationEnded

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

T = TypeVar("T")

SHOPPERS = 16
KILLS = 3
ENDS = (
    ReservationState.COMPENSATED,
    ReservationState.FORFEITED,
    ReservationState.COMPLETED,
    ReservationState.FORFEITED,
)
"""What becomes of every fourth shopper: compensated, gave up, paid, did not pay."""


@pytest.fixture
async def app(
    server: EmbeddedPostgres, config: Config, clock: ManualClock, ids: Ids, harbour: SandboxProcess
) -> AsyncIterator[App]:
    """The whole application on that server and a real channel, its presale open."""
    channel = ChannelSetting(name=harbour.name, url=harbour.url, secret=f"sandbox-{harbour.name}")
    await migrate(Database(server.url))
    settings = msgspec.structs.replace(config, database_url=server.url, channels=(channel,))
    composed = compose(settings, clock=clock, ids=ids)
    await composed.cache.client.flushall()
    await composed.open()
    open_sale(clock)
    await publish(composed, festival(presale(quota=SHOPPERS)))
    yield composed
    await composed.close()


async def test_no_kill_loses_a_deposit_or_counts_it_twice(
    app: App, server: EmbeddedPostgres, clock: ManualClock
) -> None:
    seed = int(os.environ.get("TIDEGATE_TEST_SEED") or random.randrange(10**6))
    print(f"TIDEGATE_TEST_SEED={seed}")
    crowd, chance = await buyers(app, SHOPPERS), random.Random(seed)
    async with _worker(app, clock):
        made = await _while_killed(server, chance, [_to_deposit(app, each) for each in crowd])
        first = [_first_end(app, buyer, made[place], place) for place, buyer in enumerate(crowd)]
        await _while_killed(server, chance, first)
        clock.advance(seconds=(made[0].balance_from_at - clock.now()).total_seconds())
        payers = [place for place in range(SHOPPERS) if ENDS[place % 4] is ReservationState.COMPLETED]
        await _while_killed(server, chance, [_to_order(app, crowd[place], made[place]) for place in payers])
        clock.advance(seconds=(made[0].balance_until_at - clock.now()).total_seconds())
        await _while_killed(server, chance, [_until(app, each.reservation_id, _is_over) for each in made])
        await _all_confirmed(app, made)
    assert [(await show(app, each.reservation_id)).state for each in made] == [ENDS[i % 4] for i in range(SHOPPERS)]
    quarter = SHOPPERS // 4
    assert await accounts(app) == {
        "compensation": quarter * 10_000,
        "deposits": 0,
        "forfeits": -2 * quarter * 10_000,
        "sales": -quarter * 90_000,
    }
    assert await broken(app) == []
    assert await not_in_the_channels_books(app) == []


@asynccontextmanager
async def _worker(app: App, clock: ManualClock) -> AsyncIterator[None]:
    """Everything that the worker repeats, for ever, whatever the database does; the clock goes on meanwhile."""

    async def work() -> None:
        while True:
            try:
                for name in app.outbox.subscribers:
                    await app.outbox.deliver(app.db, name)
                await app.payment.resolve_due()
                await app.payment.send_refunds_due()
                await app.presales.end_due()
            except LOST:
                await asyncio.sleep(0.1)
            clock.advance(seconds=0.05)
            await asyncio.sleep(0.01)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _while_killed(server: EmbeddedPostgres, chance: random.Random, acts: Sequence[Awaitable[T]]) -> list[T]:
    """Do all of it while the server is killed again and again; return what came of it."""
    doing = [asyncio.ensure_future(act) for act in acts]
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.02, 0.3))
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.to_thread(server.start)
    return await asyncio.wait_for(asyncio.gather(*doing), 90)


async def _to_deposit(app: App, buyer: Buyer) -> Reservation:
    made = await again(partial(reserve, app, buyer))
    await again(partial(app.presales.pay_deposit, made.reservation_id, buyer.account_id))
    return await _until(app, made.reservation_id, lambda each: each.state is ReservationState.DEPOSITED)


async def _first_end(app: App, buyer: Buyer, made: Reservation, place: int) -> None:
    """Of every four one is compensated and one gives up; the others wait."""
    if place % 4 == 0:
        await _once(app, lambda tx: app.presales.cannot_deliver(tx, made.reservation_id, "mara", "no boats"))
    elif place % 4 == 1:
        await _once(app, lambda tx: app.presales.give_up(tx, made.reservation_id, buyer.account_id, lose_deposit=True))


async def _to_order(app: App, buyer: Buyer, made: Reservation) -> Reservation:
    pay = partial(app.presales.pay_balance, made.reservation_id, buyer.account_id, buyer.address_id)
    await again(pay)
    return await _until(app, made.reservation_id, lambda each: each.state is ReservationState.COMPLETED)


async def _once(app: App, act: Callable[[psycopg.AsyncConnection], Awaitable[Reservation]]) -> None:
    """Act until it is done: after a commit whose answer was lost it is refused as done already."""

    async def attempt() -> None:
        try:
            async with app.db.transaction() as tx:
                await act(tx)
        except ReservationEnded:
            pass

    await again(attempt)


async def _until(app: App, reservation_id: UUID, holds: Callable[[Reservation], bool]) -> Reservation:
    while True:
        found = await again(partial(show, app, reservation_id))
        if holds(found):
            return found
        await asyncio.sleep(0.05)


def _is_over(found: Reservation) -> bool:
    return found.state not in {ReservationState.RESERVED, ReservationState.DEPOSITED}


async def _all_confirmed(app: App, made: list[Reservation]) -> None:
    """Wait until the channel has confirmed every refund."""

    async def views() -> list[PaymentView]:
        async with app.db.transaction() as tx:
            return [await app.payment.view(tx, each.deposit_id) for each in made]

    async def settled() -> None:
        while any(refund.state is RefundState.REQUESTED for view in await again(views) for refund in view.refunds):
            await asyncio.sleep(0.05)

    await asyncio.wait_for(settled(), 60)
