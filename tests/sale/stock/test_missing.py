"""Units that a count did not find: on the real database, to the unit."""

from uuid import UUID

import psycopg
import pytest

from tests.sale.stock.test_api import ONE, TWO, all_hold, hold, level, load
from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import Claim, HoldState, Level, Promise, ShortLevel, Units
from tidegate.sale.stock.errors import QuotaBelowPromise, StockUnknown

THREE = UUID(int=3)


@pytest.fixture
def stock(clock: ManualClock) -> Stock:
    return Stock(clock)


async def lose(db: Database, stock: Stock, units: int) -> Level:
    async with db.transaction() as tx:
        await stock.lock_level(tx, "c", "A")
        return await stock.lose(tx, "c", "A", units)


async def test_free_units_go_first_and_what_is_promised_beyond_is_short(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 10})
    await hold(db, stock, ONE, {"A": 3})
    assert await lose(db, stock, 4) == Level(sku="A", loaded=10, held=3, sold=0, missing=4)
    assert (await level(db, stock, "A")).free == 3
    short = await lose(db, stock, 5)
    assert (short.short, short.free, short.there) == (2, 0, 1)
    assert await hold(db, stock, TWO, {"A": 1}) == "A"
    async with db.read() as tx:
        assert await stock.short_levels(tx) == [ShortLevel(campaign_id="c", sku="A", short=2)]
        assert await stock.lost(tx) == {("c", "A"): 9}
        assert await stock.totals(tx, "c", None) == (0, 3)
    assert await all_hold(db, stock)


async def test_units_that_come_back_close_the_gap_before_anybody_can_buy_them(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 6})
    for order_id in (ONE, TWO):
        await hold(db, stock, order_id, {"A": 3})
    await lose(db, stock, 4)
    async with db.transaction() as tx:
        await stock.sell(tx, "c", [Claim(ONE, "A")])
        await stock.release(tx, "c", [Claim(TWO, "A")])
    assert await level(db, stock, "A") == Level(sku="A", loaded=6, held=0, sold=3, missing=4, short=1)
    async with db.transaction() as tx:
        await stock.take_back(tx, "c", [Units(ONE, "A", 1), Units(ONE, "A", 1)])
    assert await level(db, stock, "A") == Level(sku="A", loaded=6, held=0, sold=1, missing=4)
    assert (await level(db, stock, "A")).free == 1
    assert await all_hold(db, stock)


async def test_a_batch_that_looked_before_the_act_is_refused_by_the_database(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 5})
    async with db.transaction() as tx:
        ledger = await stock.look(tx, "c", ["A"])
        assert ledger.try_take(ONE, [("A", 3)]) is None
        await lose(db, stock, 3)
        with pytest.raises(psycopg.errors.CheckViolation):
            await stock.hold(tx, ledger)


async def test_units_put_off_leave_the_sold_and_go_back_before_others(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 5})
    await hold(db, stock, ONE, {"A": 4})
    async with db.transaction() as tx:
        await stock.sell(tx, "c", [Claim(ONE, "A")])
    await lose(db, stock, 4)
    async with db.transaction() as tx:
        await stock.lock_level(tx, "c", "A")
        await stock.put_off(tx, "c", [Units(ONE, "A", 3)])
    assert await level(db, stock, "A") == Level(sku="A", loaded=5, held=0, sold=1, missing=4, later=3)
    async with db.transaction() as tx:
        assert await stock.later(tx) == {(ONE, "A"): 3}
        await stock.take_back(tx, "c", [Units(ONE, "A", 2)])
    assert await level(db, stock, "A") == Level(sku="A", loaded=5, held=0, sold=1, missing=4, later=1)
    async with db.transaction() as tx:
        await stock.take_back(tx, "c", [Units(ONE, "A", 2)])
    assert (await level(db, stock, "A")).free == 1
    assert await all_hold(db, stock)


async def test_a_quota_published_later_gives_nothing_missing_back(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 10, "B": 5})
    await hold(db, stock, ONE, {"A": 8})
    await lose(db, stock, 4)
    await load(db, stock, {"A": 10, "B": 5})
    assert (await level(db, stock, "A")).short == 2
    with pytest.raises(QuotaBelowPromise):
        await load(db, stock, {"A": 9, "B": 5})
    await load(db, stock, {"A": 13, "B": 5})
    found = await level(db, stock, "A")
    assert (found.missing, found.short, found.free) == (4, 0, 1)
    await load(db, stock, {"B": 5})
    closed = await level(db, stock, "A")
    assert (closed.loaded, closed.free) == (12, 0)
    assert await all_hold(db, stock)


async def test_whose_units_they_are_is_told_newest_first(db: Database, stock: Stock, clock: ManualClock) -> None:
    await load(db, stock, {"A": 9})
    for order_id in (ONE, TWO, THREE, UUID(int=4)):
        await hold(db, stock, order_id, {"A": 2})
    async with db.transaction() as tx:
        await stock.sell(tx, "c", [Claim(TWO, "A")])
        clock.advance(seconds=1)
        await stock.sell(tx, "c", [Claim(ONE, "A")])
        await stock.take_back(tx, "c", [Units(TWO, "A", 1)])
        queue = await stock.promises(tx, "c", "A", 9)
        now = clock.now()
    assert [(each.order_id.int, each.units, each.state) for each in queue] == [
        (4, 2, HoldState.HELD),
        (3, 2, HoldState.HELD),
        (1, 2, HoldState.SOLD),
        (2, 1, HoldState.SOLD),
    ]
    assert {type(each.state) for each in queue} == {HoldState}
    assert queue[2] == Promise(order_id=ONE, units=2, state=HoldState.SOLD, reserved=False, sold_at=now)


async def test_a_sku_that_never_was_there_is_unknown(db: Database, stock: Stock) -> None:
    async with db.transaction() as tx:
        with pytest.raises(StockUnknown):
            await stock.lock_level(tx, "c", "NONE")
