"""PostgreSQL is killed while shoppers claim, order and give up: no coupon is lost, and none is in two orders."""

import asyncio
import os
import random
from functools import partial
from uuid import UUID

import msgspec
import pytest

from tests.faults.killing import again, kill_at_random
from tests.offer.coupons.festival import REDUCED, festival, unique
from tests.sale.shop import Buyer, broken, buyers, open_sale, order, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.ids import Ids
from tidegate.base.migration import migrate
from tidegate.offer.coupons.contracts import CouponState, Kept
from tidegate.offer.coupons.errors import ClaimLimitReached
from tidegate.sale.ordering.contracts import Order, OrderState, Placed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

SHOPPERS = 24
KILLS = 4


async def test_no_kill_leaves_a_coupon_with_two_orders_or_lost(
    server: EmbeddedPostgres, config: Config, clock: ManualClock, ids: Ids
) -> None:
    seed = int(os.environ.get("TIDEGATE_TEST_SEED") or random.randrange(10**6))
    print(f"TIDEGATE_TEST_SEED={seed}")
    await migrate(Database(server.url))
    app = compose(msgspec.structs.replace(config, database_url=server.url), clock=clock, ids=ids)
    await app.open()
    try:
        await publish(app, festival(unique(count=SHOPPERS), quota=100_000))
        open_sale(clock)
        crowd = await buyers(app, SHOPPERS)
        over = asyncio.Event()
        shopping = [
            asyncio.create_task(_shop(app, buyer, random.Random(seed + place), over))
            for place, buyer in enumerate(crowd)
        ]
        await kill_at_random(server, random.Random(seed), KILLS)
        over.set()
        last = await asyncio.wait_for(asyncio.gather(*shopping), 60)
        await _stands_as_promised(app, crowd, last)
    finally:
        await app.close()


async def _shop(app: App, buyer: Buyer, chance: random.Random, over: asyncio.Event) -> Placed:
    """Claim one coupon, then order with it and give up, again and again; return the last order, which is kept."""
    code = await _claim(app, buyer)
    number = 0
    while True:
        placed = await again(partial(_place, app, buyer, code, number))
        if over.is_set():
            return placed
        await asyncio.sleep(chance.uniform(0, 0.05))
        await again(partial(_cancel, app, buyer, placed.order_id))
        number += 1


async def _claim(app: App, buyer: Buyer) -> str:
    async def once() -> str:
        try:
            async with app.db.transaction() as tx:
                return (await app.coupons.claim(tx, buyer.account_id, "SAVE50")).code
        except ClaimLimitReached:  # the claim before was made, only its answer was lost
            [mine] = await _kept(app, buyer)
            return mine.code

    return await again(once)


async def _kept(app: App, buyer: Buyer) -> list[Kept]:
    async with app.db.read() as tx:
        return await app.coupons.kept_by(tx, buyer.account_id)


async def _place(app: App, buyer: Buyer, code: str, number: int) -> Placed:
    command = order(buyer, {"POT": 1}, REDUCED, code)
    return await app.ordering.place(buyer.account_id, f"killed-key-{number:06d}", command)


async def _cancel(app: App, buyer: Buyer, order_id: UUID) -> Order:
    async with app.db.transaction() as tx:
        return await app.ordering.cancel(tx, order_id, buyer.account_id)


async def _stands_as_promised(app: App, crowd: list[Buyer], last: list[Placed]) -> None:
    for buyer, placed in zip(crowd, last, strict=True):
        [mine] = await _kept(app, buyer)
        assert (mine.state, mine.order_id) == (CouponState.FROZEN, placed.order_id)
        async with app.db.read() as tx:
            orders = await app.ordering.orders_of(tx, buyer.account_id, 100_000)
        assert [each.order_id for each in orders if each.state is OrderState.PLACED] == [placed.order_id]
    async with app.db.read() as tx:
        totals = (await app.coupons.desk.totals(tx, "double-11"))["SAVE50"]
    assert (totals.made, totals.claimed, totals.frozen) == (SHOPPERS, SHOPPERS, SHOPPERS)
    assert await broken(app) == []
