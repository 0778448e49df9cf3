"""The ledger on the real database: appended to, never negative, each movement of an order once."""

import asyncio
from uuid import UUID

import psycopg
import pytest

from tidegate.app.compose import App
from tidegate.sale.points.api import Purse
from tidegate.sale.points.contracts import Balance, Earned, EntryKind, Settled
from tidegate.sale.points.errors import GrantNotValid, PointsMoved

ONE, TWO = UUID(int=1), UUID(int=2)


async def grant(app: App, account: UUID, points: int) -> Balance:
    async with app.db.transaction() as tx:
        return await app.points.grant(tx, account, points, by="test", reason="a start")


async def hold(app: App, order: UUID, account: UUID, points: int) -> bool:
    async with app.db.transaction() as tx:
        purse: Purse = await app.points.lock(tx, {account})
        refused = purse.try_hold(order, account, points)
        await app.points.hold(tx, purse)
        return refused is None


async def balance(app: App, account: UUID = ONE) -> Balance:
    async with app.db.read() as tx:
        return await app.points.balance(tx, account)


async def story(app: App, account: UUID = ONE) -> list[tuple[str, int, int]]:
    async with app.db.read() as tx:
        return [(str(each.kind), each.available, each.held) for each in await app.points.entries(tx, account)]


async def broken(app: App) -> list[str]:
    async with app.db.read() as tx:
        return [check.name for check in await app.points.check(tx) if not check.holds]


async def test_64_at_once_never_hold_more_than_is_there(app: App) -> None:
    await grant(app, ONE, 1_000)
    await grant(app, TWO, 70)
    owners = [ONE if number % 2 else TWO for number in range(64)]
    held = await asyncio.gather(*[hold(app, UUID(int=100 + n), owner, 50) for n, owner in enumerate(owners)])
    assert sum(1 for owner, done in zip(owners, held, strict=True) if done and owner == ONE) == 20
    assert sum(1 for owner, done in zip(owners, held, strict=True) if done and owner == TWO) == 1
    assert (await balance(app), await balance(app, TWO)) == (Balance(0, 1_000), Balance(20, 50))
    assert await broken(app) == []


async def test_a_hold_ends_once_and_in_one_way(app: App) -> None:
    await grant(app, ONE, 100)
    spent, released = UUID(int=10), UUID(int=11)
    assert await hold(app, spent, ONE, 30)
    assert await hold(app, released, ONE, 50)
    for _ in range(2):
        async with app.db.transaction() as tx:
            await app.points.spend(tx, [spent])
            await app.points.release(tx, [released, spent])
            await app.points.spend(tx, [released])
    assert await balance(app) == Balance(70, 0)
    assert await story(app) == [
        ("released", 50, -50),
        ("spent", 0, -30),
        ("held", -50, 50),
        ("held", -30, 30),
        ("granted", 100, 0),
    ]
    assert await broken(app) == []


async def test_what_is_earned_and_settled_twice_counts_once(app: App) -> None:
    order = UUID(int=10)
    for _ in range(2):
        async with app.db.transaction() as tx:
            await app.points.earn(tx, [Earned(ONE, order, 40), Earned(TWO, UUID(int=11), 0)])
    assert (await balance(app), await balance(app, TWO)) == (Balance(40, 0), Balance())
    part = Settled(account_id=ONE, order_id=order, given_back=0, taken_back=15)
    for _ in range(2):
        async with app.db.transaction() as tx:
            await app.points.settle(tx, [part])
    assert await balance(app) == Balance(25, 0)
    assert await hold(app, UUID(int=12), ONE, 20)
    async with app.db.transaction() as tx:
        await app.points.settle(tx, [Settled(account_id=ONE, order_id=order, given_back=0, taken_back=40)])
    assert await balance(app) == Balance(0, 20)  # five were there; the rest is with an order
    assert await broken(app) == []


async def test_entries_are_never_changed(app: App) -> None:
    await grant(app, ONE, 5)
    for statement in ("update points.entry set available = 6", "delete from points.entry", "truncate points.entry"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            async with app.db.transaction() as tx:
                await tx.execute(statement)
    assert await story(app) == [("granted", 5, 0)]


@pytest.mark.parametrize(("points", "reason"), [(0, "x"), (-1, "x"), (1, " "), (10**12 + 1, "x")])
async def test_a_grant_is_of_something_and_has_a_reason(app: App, points: int, reason: str) -> None:
    with pytest.raises(GrantNotValid):
        async with app.db.transaction() as tx:
            await app.points.grant(tx, ONE, points, by="test", reason=reason)
    assert await balance(app) == Balance()


async def test_the_doctor_sees_a_balance_that_is_not_its_entries(app: App) -> None:
    await grant(app, ONE, 5)
    async with app.db.transaction() as tx:
        await tx.execute("update points.account set available = 6")
    assert await broken(app) == ["points: each balance is the sum of its entries"]


async def test_what_orders_hold_and_spent_can_be_compared(app: App) -> None:
    await grant(app, ONE, 100)
    assert await hold(app, UUID(int=10), ONE, 30)
    assert await hold(app, UUID(int=11), ONE, 20)
    async with app.db.transaction() as tx:
        await app.points.spend(tx, [UUID(int=10)])
        held, spent = await app.points.in_orders(tx, EntryKind.HELD), await app.points.in_orders(tx, EntryKind.SPENT)
    assert ((held.orders, held.points), (spent.orders, spent.points)) == ((1, 20), (1, 30))


async def test_a_grant_is_refused_where_the_ledger_moved_after_it_was_seen(app: App) -> None:
    async with app.db.transaction() as tx:
        await app.points.grant(tx, ONE, 5, by="test", reason="a start", after=0)
    with pytest.raises(PointsMoved):
        async with app.db.transaction() as tx:
            await app.points.grant(tx, ONE, 5, by="test", reason="a start", after=0)
    assert await story(app) == [("granted", 5, 0)]
    async with app.db.transaction() as tx:
        [seen] = await app.points.entries(tx, ONE)
        await app.points.grant(tx, ONE, 5, by="test", reason="more", after=seen.entry_id)
