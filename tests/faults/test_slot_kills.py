"""PostgreSQL is killed while shoppers order and give up in a slot: it never sells more than its units."""

import asyncio
import os
import random
from functools import partial
from uuid import UUID

import msgspec
import pytest

from tests.faults.killing import again, kill_at_random
from tests.offer.festivals import definition, goods, offer
from tests.offer.slots_made import flash, slot
from tests.sale.shop import Buyer, broken, buyers, open_sale, order, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.ids import Ids
from tidegate.base.migration import migrate
from tidegate.offer.pricing.errors import FlashPriceGone
from tidegate.sale.ordering.contracts import Order, OrderState, Placed
from tidegate.sale.ordering.errors import PriceChanged

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

SHOPPERS = 24
UNITS = 10
KILLS = 4
FLASH = 5_000


@pytest.mark.parametrize("carry_over", [False, True])
async def test_no_kill_sells_more_at_the_flash_price_than_the_slot_has(
    server: EmbeddedPostgres, config: Config, clock: ManualClock, ids: Ids, carry_over: bool
) -> None:
    seed = int(os.environ.get("TIDEGATE_TEST_SEED") or random.randrange(10**6))
    print(f"TIDEGATE_TEST_SEED={seed}")
    await migrate(Database(server.url))
    app = compose(msgspec.structs.replace(config, database_url=server.url), clock=clock, ids=ids)
    await app.open()
    try:
        plain = definition([offer("A", 8_000, quota=100_000)], entries=[goods("A")])
        slots = flash(slot("one", 0, 10, UNITS, 1), slot("two", 10, 10, UNITS, 1), carry_over=carry_over)
        await publish(app, msgspec.structs.replace(plain, promotions=(slots,)))
        open_sale(clock)
        crowd = await buyers(app, SHOPPERS)
        over = asyncio.Event()
        shopping = [
            asyncio.create_task(_shop(app, buyer, random.Random(seed + place), over))
            for place, buyer in enumerate(crowd)
        ]
        await kill_at_random(server, random.Random(seed), KILLS)
        over.set()
        await asyncio.wait_for(asyncio.gather(*shopping), 60)
        await _stands_as_promised(app, crowd, clock)
    finally:
        await app.close()


async def _shop(app: App, buyer: Buyer, chance: random.Random, over: asyncio.Event) -> None:
    """Order a unit at the flash price, give most of them up, and ask again where it is gone."""
    number = 0
    while not over.is_set():
        placed = await again(partial(_place, app, buyer, number))
        if placed is not None and chance.random() < 0.8:
            await again(partial(_cancel, app, buyer, placed.order_id))
        number += 1
        await asyncio.sleep(chance.uniform(0, 0.05))


async def _place(app: App, buyer: Buyer, number: int) -> Placed | None:
    try:
        return await app.ordering.place(buyer.account_id, f"killed-key-{number:06d}", order(buyer, {"A": 1}, FLASH))
    except FlashPriceGone:
        return None
    except PriceChanged:  # known to be gone: look again, as each process does each second
        await app.refresh()
        return None


async def _cancel(app: App, buyer: Buyer, order_id: UUID) -> Order:
    async with app.db.transaction() as tx:
        return await app.ordering.cancel(tx, order_id, buyer.account_id)


async def _stands_as_promised(app: App, crowd: list[Buyer], clock: ManualClock) -> None:
    held, ended = 0, 0
    for buyer in crowd:
        async with app.db.read() as tx:
            orders = await app.ordering.orders_of(tx, buyer.account_id, 100_000)
        placed = [each for each in orders if each.state is OrderState.PLACED]
        assert len(placed) <= 1
        assert {each.total for each in orders} <= {FLASH}
        held += len(placed)
        ended += len(orders) - len(placed)
    async with app.db.read() as tx:
        one, two = await app.pricing.slots_sold(tx, clock.now())
    assert (one.sold, two.sold) == (held, 0)
    assert held <= UNITS
    assert ended > UNITS
    assert await broken(app) == []
