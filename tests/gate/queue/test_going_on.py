"""How the line goes on: passes that a hold keeps good, units that come back, and the load of the shop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient

from tests.app.framework import framework_of
from tests.gate.queue.rooms import (
    ROOM,
    Shopper,
    buy,
    enter,
    opened_room,
    shoppers,
    stand,
    tick,
    to_the_opening,
)
from tests.gate.queue.test_doors import headers
from tests.gate.queue.test_line import holds, state
from tidegate.app.api.hot import Front
from tidegate.app.compose import App, compose
from tidegate.app.worker import work_for_ever
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.load import publish
from tidegate.gate.admission.contracts import PASS_HEADER
from tidegate.gate.queue.board import Room
from tidegate.gate.queue.contracts import Entered, Place, Purchases, QueueState, Waiting
from tidegate.gate.queue.controller import Stay, stay_of
from tidegate.gate.queue.errors import PlaceSpent
from tidegate.gate.queue.rows import Inside

PAYMENT_SECONDS = 15 * 60


@pytest.fixture
async def client(app: App) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=Front(app, framework_of(app)))  # type: ignore[arg-type]  # narrower than httpx's
    async with AsyncClient(transport=transport, base_url="http://shop.example.com") as opened:
        yield opened


async def inside(app: App, clock: ManualClock, crowd: list[Shopper], places: list[Place]) -> tuple[Shopper, Place]:
    """Move the line on until somebody is in; return who."""
    for _ in range(5):
        await tick(app, clock)
        for shopper, place in zip(crowd, places, strict=True):
            if isinstance(await enter(app, shopper, place), Entered):
                return shopper, place
    raise AssertionError("nobody came in")


# A pass and its holds

NOW = datetime(2026, 11, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left_seconds", "bought", "stay"),
    [
        (1, None, Stay.GOES_ON),
        (0, None, Stay.EXPIRED),
        (1, Purchases(placed=1, awaiting=1), Stay.GOES_ON),
        (0, Purchases(placed=1, awaiting=1), Stay.RENEWED),
        (-600, Purchases(placed=1, awaiting=1), Stay.RENEWED),
        (0, Purchases(placed=1, awaiting=0), Stay.EXPIRED),
        (1, Purchases(placed=2, awaiting=0), Stay.USED),
        (0, Purchases(placed=2, awaiting=2), Stay.USED),
    ],
)
def test_what_becomes_of_a_pass(left_seconds: int, bought: Purchases | None, stay: Stay) -> None:
    rules = msgspec.structs.replace(ROOM, purchases=2)
    room = Room(campaign_id="drop", rules=rules, opens_at=NOW, closes_at=NOW + timedelta(hours=1))
    held = Inside(
        serial=1,
        account_id=UUID(int=1),
        entered_at=NOW,
        expires_at=NOW + timedelta(seconds=left_seconds),
    )
    assert stay_of(held, bought, room, NOW) is stay


async def test_a_pass_is_renewed_while_a_hold_is_open_and_ends_with_it(
    app: App, clock: ManualClock, client: AsyncClient
) -> None:
    await opened_room(app, clock, purchases=2)
    crowd = await shoppers(app, 2)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    for shopper, place in zip(crowd, places, strict=True):
        assert isinstance(await enter(app, shopper, place), Entered)
    buyer, idle = crowd
    await buy(app, buyer)
    bought_at = clock.now()

    await tick(app, clock, seconds=ROOM.pass_seconds + 1)
    again = await enter(app, buyer, places[0])
    assert isinstance(again, Entered)
    assert again.given.expires_at > clock.now() + timedelta(seconds=ROOM.pass_seconds - 5)
    assert again.purchases_left == 1
    with pytest.raises(PlaceSpent):  # who holds nothing is not renewed
        await enter(app, idle, places[1])
    order = {"lines": [{"sku": "A", "quantity": 1}], "address_id": str(buyer.buyer.address_id), "expected_total": 8_000}
    sent = {**headers(buyer), PASS_HEADER: again.given.token, "Idempotency-Key": "a-second-order-0001"}

    clock.advance(seconds=(bought_at - clock.now()).total_seconds() + PAYMENT_SECONDS - 2)
    await tick(app, clock)
    again = await enter(app, buyer, places[0])
    assert isinstance(again, Entered)
    sent[PASS_HEADER] = again.given.token
    assert (await client.post("/api/v1/orders", json={**order, "expected_total": 1}, headers=sent)).status_code == 409
    clock.advance(seconds=1)
    assert await app.ordering.expire_due() == 1
    await tick(app, clock, seconds=ROOM.pass_seconds + 1)
    with pytest.raises(PlaceSpent) as spent:
        await enter(app, buyer, places[0])
    assert spent.value.fields["reason"] == "expired"
    await holds(app)


# Units that come back


async def test_when_a_hold_lapses_the_line_goes_on(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, quota=1)
    crowd = await shoppers(app, 3)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    first, _ = await inside(app, clock, crowd, places)
    await buy(app, first)
    await tick(app, clock)
    assert state(app) is QueueState.PAUSED
    others = [(shopper, place) for shopper, place in zip(crowd, places, strict=True) if shopper is not first]
    called = await _called(app)
    for shopper, place in others:
        assert isinstance(await enter(app, shopper, place), Waiting)
    for _ in range(3):
        await tick(app, clock, seconds=60)
        assert (state(app), await _called(app)) == (QueueState.PAUSED, called)

    clock.advance(seconds=PAYMENT_SECONDS)
    assert await app.ordering.expire_due() == 1
    await tick(app, clock)
    assert state(app) is QueueState.OPEN
    second, _ = await inside(app, clock, [each for each, _ in others], [place for _, place in others])
    await buy(app, second, "order-000002")
    await tick(app, clock)
    assert state(app) is QueueState.PAUSED
    await holds(app)


async def _called(app: App) -> int:
    async with app.db.read() as tx:
        return (await app.queue.figures(tx)).called


# The load of the shop


@pytest.mark.parametrize(("admitting", "calls"), [((), 40), ((1.0,), 40), ((0.9, 0.25), 10), ((0.0,), 0)])
async def test_the_line_is_called_at_the_pace_of_the_process_that_is_worst_off(
    app: App, clock: ManualClock, admitting: tuple[float, ...], calls: int
) -> None:
    """What the processes let in is published, heard, and sets the rate: 600 a minute, or so much less."""
    await opened_room(app, clock, quota=1_000, cap=500)
    for shopper in await shoppers(app, 120):
        await stand(app, shopper)
    for number, share in enumerate(admitting):
        await publish(app.cache, f"web:{number}", share)
    await app.outlook.refresh()
    await to_the_opening(app, clock)
    before = await _called(app)
    for _ in range(4):
        await tick(app, clock)
    assert await _called(app) - before == calls
    async with app.db.read() as tx:
        assert (await app.queue.figures(tx)).load_factor == min(admitting, default=1.0)


def overload(web: App) -> None:
    """Show the load control of a process two windows in which all who asked waited too long."""
    for _ in range(2):
        for _ in range(100):
            web.load.asks(2, perf_counter())
        web.load.waited("order", 100.0, 100)
        web.load.close_window(perf_counter())


async def test_web_processes_say_what_they_let_in_and_the_worker_hears_it(app: App, config: Config) -> None:
    web, worker = compose(config), compose(config)
    await worker.open()
    site = framework_of(web)
    work = asyncio.create_task(work_for_ever(worker))
    try:
        async with site.lifespan(), asyncio.timeout(20):
            while worker.outlook.admission_factor() == 1.0:
                overload(web)
                await asyncio.sleep(0.05)
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await worker.close()
    assert 0.0 <= worker.outlook.admission_factor() < 1.0
