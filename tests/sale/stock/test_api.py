"""Levels and holds on the real database."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import psycopg
import pytest

from tidegate.base.clock import ManualClock
from tidegate.base.db import Database, Tx
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import Claim, HoldState, Level, Units
from tidegate.sale.stock.errors import QuotaBelowPromise

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture
def stock(clock: ManualClock) -> Stock:
    return Stock(clock)


async def hold(db: Database, stock: Stock, order_id: UUID, lines: Mapping[str, int]) -> str | None:
    async with db.transaction() as tx:
        ledger = await stock.lock(tx, "c", lines.keys())
        short = ledger.try_take(order_id, list(lines.items()))
        await stock.hold(tx, ledger)
        return short


async def level(db: Database, stock: Stock, sku: str) -> Level:
    async with db.read() as tx:
        return (await stock.levels(tx, "c", [sku]))[sku]


async def load(db: Database, stock: Stock, quotas: Mapping[str, int]) -> None:
    async with db.transaction() as tx:
        await stock.set_quotas(tx, "c", quotas)


async def all_hold(db: Database, stock: Stock) -> bool:
    async with db.snapshot() as tx:
        return all(check.holds for check in await stock.check(tx))


async def test_a_hold_is_sold_once(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 10})
    assert await hold(db, stock, ONE, {"A": 3}) is None
    async with db.transaction() as tx:
        assert await stock.sell(tx, "c", [Claim(ONE, "A")]) == 1
        assert await stock.sell(tx, "c", [Claim(ONE, "A")]) == 0
        assert await stock.release(tx, "c", [Claim(ONE, "A")]) == 0
    assert await level(db, stock, "A") == Level(sku="A", loaded=10, held=0, sold=3)
    assert await all_hold(db, stock)


async def test_released_units_can_be_sold_again(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 3})
    await hold(db, stock, ONE, {"A": 3})
    assert await hold(db, stock, TWO, {"A": 1}) == "A"
    async with db.transaction() as tx:
        assert await stock.release(tx, "c", [Claim(ONE, "A")]) == 1
    assert await hold(db, stock, TWO, {"A": 3}) is None
    assert (await level(db, stock, "A")).free == 0


async def test_units_given_back_are_free_but_never_more_than_were_sold(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 5})
    await hold(db, stock, ONE, {"A": 4})
    async with db.transaction() as tx:
        await stock.sell(tx, "c", [Claim(ONE, "A")])
        await stock.take_back(tx, "c", [Units(ONE, "A", 3)])
    assert await level(db, stock, "A") == Level(sku="A", loaded=5, held=0, sold=1)
    with pytest.raises(psycopg.errors.CheckViolation):
        async with db.transaction() as tx:
            await stock.take_back(tx, "c", [Units(ONE, "A", 2)])
    assert (await level(db, stock, "A")).sold == 1
    assert await all_hold(db, stock)


async def test_a_quota_below_what_is_promised_is_refused_and_changes_nothing(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 5, "B": 5})
    await hold(db, stock, ONE, {"A": 4})
    async with db.transaction() as tx:
        with pytest.raises(QuotaBelowPromise):
            await stock.set_quotas(tx, "c", {"A": 3, "B": 9})
    assert ((await level(db, stock, "A")).loaded, (await level(db, stock, "B")).loaded) == (5, 5)


async def test_goods_that_leave_the_campaign_stop_selling_but_keep_their_promises(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 5, "B": 5})
    await hold(db, stock, ONE, {"B": 2})
    await load(db, stock, {"A": 7})
    assert (await level(db, stock, "A")).free == 7
    assert await level(db, stock, "B") == Level(sku="B", loaded=2, held=2, sold=0)


async def test_the_database_itself_refuses_to_oversell(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 1})
    with pytest.raises(psycopg.errors.CheckViolation):
        async with db.transaction() as tx:
            await tx.execute("update stock.level set held = 2 where sku = 'A'")


async def test_the_check_finds_a_level_that_differs_from_its_holds(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 9})
    await hold(db, stock, ONE, {"A": 2})
    async with db.transaction() as tx:
        await tx.execute("update stock.level set held = 1 where sku = 'A'")
    async with db.snapshot() as tx:
        [check] = await stock.check(tx)
    assert not check.holds
    assert check.detail == "c/A: loaded 9, held 1 (holds say 2), sold 0 (holds say 0)"


async def test_a_reservation_becomes_a_sale_and_is_no_orders_hold_before(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 9})
    await hold(db, stock, ONE, {"A": 2})
    async with db.transaction() as tx:
        await stock.reserve(tx, "c", Units(TWO, "A", 3))
        orders, reserved = [await stock.fingerprint(tx, HoldState.HELD, reserved=each) for each in (False, True)]
    assert (orders.total, reserved.total) == (2, 3)
    for ended in (1, 0):
        async with db.transaction() as tx:
            assert await stock.sell_reserved(tx, "c", Units(TWO, "A", 3)) == ended
    async with db.transaction() as tx:
        sold = await stock.fingerprint(tx, HoldState.SOLD)
        [check] = await stock.check(tx)
    assert (sold.total, check.holds) == (3, True)


async def test_fingerprints_differ_when_one_unit_does(db: Database, stock: Stock) -> None:
    await load(db, stock, {"A": 9})
    await hold(db, stock, ONE, {"A": 2})
    async with db.snapshot() as tx:
        two = await stock.fingerprint(tx, HoldState.HELD)
    async with db.transaction() as tx:
        await tx.execute("update stock.hold set quantity = 1")
    async with db.snapshot() as tx:
        one = await stock.fingerprint(tx, HoldState.HELD)
    assert (two.count, two.total) == (1, 2)
    assert two.mixed != one.mixed


async def test_only_the_levels_that_are_named_are_read(db: Database, stock: Stock) -> None:
    await load(db, stock, {f"S{number:03}": 10 for number in range(1000)})
    async with db.transaction() as tx:
        await tx.execute("analyze stock.level")
        units, claims = [Units(ONE, "S007", 2), Units(ONE, "S500", 1)], [Claim(ONE, "S007"), Claim(ONE, "S500")]
        before = await levels_read(tx)
        ledger = await stock.look(tx, "c", ["S007", "S500"])
        assert ledger.try_take(ONE, [(each.sku, each.quantity) for each in units]) is None
        await stock.hold(tx, ledger)
        assert await stock.sell(tx, "c", claims) == 2
        await stock.take_back(tx, "c", units[:1])
        assert await levels_read(tx) - before < 40
    assert await level(db, stock, "S007") == Level(sku="S007", loaded=10, held=0, sold=0)
    assert await level(db, stock, "S500") == Level(sku="S500", loaded=10, held=0, sold=1)


async def levels_read(tx: Tx) -> int:
    rows = await tx.execute(
        "select coalesce(seq_tup_read + idx_tup_fetch, 0) from pg_stat_xact_user_tables where relname = 'level'"
    )
    return int((await rows.fetchall())[0][0])


@pytest.mark.parametrize("act", ["sell", "release", "take_back"])
async def test_levels_are_locked_in_the_order_of_their_keys(db: Database, stock: Stock, act: str) -> None:
    await load(db, stock, {"B": 5})  # which so stands before A in its table
    await load(db, stock, {"A": 5, "B": 5})
    await hold(db, stock, ONE, {"A": 1, "B": 1})
    claims = [Claim(ONE, "B"), Claim(ONE, "A")]
    if act == "take_back":
        async with db.transaction() as tx:
            await stock.sell(tx, "c", claims)

    async def change() -> None:
        async with db.transaction() as tx:
            await tx.execute("set local enable_indexscan = off")  # read in the order in which they stand
            match act:
                case "sell":
                    await stock.sell(tx, "c", claims)
                case "release":
                    await stock.release(tx, "c", claims)
                case _:
                    await stock.take_back(tx, "c", [Units(ONE, "B", 1), Units(ONE, "A", 1)])

    async with db.transaction() as tx:
        await tx.execute("select from stock.level where sku = 'A' for update")
        changing = asyncio.create_task(change())
        await asyncio.sleep(0.3)
        assert not changing.done()
        async with db.transaction() as other:
            await other.execute("select from stock.level where sku = 'B' for update nowait")
    await changing
    assert await all_hold(db, stock)
