"""How prices are kept: once each, whoever buys; each order still tells the whole of its own."""

import asyncio
from collections.abc import Sequence

import msgspec

from tests.offer.festivals import definition, offer
from tests.sale.shop import Buyer, broken, buyers, open_sale, order, publish
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.ids import Ids
from tidegate.base.migration import migrate
from tidegate.offer.pricing.contracts import Cart, CartLine, CounterUse, PricedOrder
from tidegate.sale.ordering.contracts import Order, Placed
from tidegate.sale.ordering.prices import KnownPrices, parted

_AS_BEFORE = """
alter table ordering.orders add column priced json;
update ordering.orders o set priced = (p.priced::jsonb || coalesce(o.own::jsonb, '{}'))::json
from ordering.price p where p.price_hash = o.price_hash;
alter table ordering.orders drop column price_hash, drop column own, alter column priced set not null;
drop table ordering.price;
delete from base.migration where name = '0005_prices_shared.sql';
"""


async def bought(app: App, festival_buyers: Sequence[Buyer], lines: dict[str, int], total: int) -> list[Placed]:
    places = [
        app.ordering.place(each.account_id, "key-00000001", order(each, lines, total)) for each in festival_buyers
    ]
    return list(await asyncio.gather(*places))


async def kept_prices(app: App) -> int:
    async with app.db.read() as tx:
        [(count,)] = await (await tx.execute("select count(*) from ordering.price")).fetchall()
    return int(count)


async def kept(app: App, placed: Sequence[Placed]) -> list[Order]:
    async with app.db.read() as tx:
        return [await app.ordering.order(tx, each.order_id) for each in placed]


async def test_orders_of_one_cart_share_its_price_and_keep_their_own_counters(app: App, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", 8_000, quota=100, per_buyer=3), offer("B", 500, quota=100)]))
    open_sale(clock)
    crowd = await buyers(app, 6)
    placed = await bought(app, crowd[:4], {"A": 2, "B": 1}, 16_500)
    clock.advance(seconds=1)
    placed += await bought(app, crowd[4:5], {"A": 2, "B": 1}, 16_500)
    assert await kept_prices(app) == 1
    placed += await bought(app, crowd[5:], {"B": 2}, 1_000)
    assert await kept_prices(app) == 2
    orders = await kept(app, placed)
    for each, buyer in zip(orders[:5], crowd, strict=False):
        cart = Cart((CartLine("A", 2), CartLine("B", 1)))
        facts = await app.pricing.facts_of(cart, buyer.account_id, each.placed_at)
        assert each.priced == app.pricing.price(cart, facts)
    assert len({each.priced.counters for each in orders[:5]}) == 5, "each counts for its own buyer"
    assert await broken(app) == []


async def test_processes_that_put_the_same_new_price_at_once_put_it_once(
    app: App, clock: ManualClock, ids: Ids
) -> None:
    await publish(app, definition([offer(sku, 8_000, quota=1_000) for sku in "ABCDEFGH"]))
    open_sale(clock)
    crowd = await buyers(app, 64)
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()
    try:
        places = [
            (app, other)[number % 2].ordering.place(
                buyer.account_id, "key-00000001", order(buyer, {"ABCDEFGH"[number // 2 % 8]: 1}, 8_000)
            )
            for number, buyer in enumerate(crowd)
        ]
        placed = await asyncio.gather(*places)
    finally:
        await other.close()
    assert await kept_prices(app) == 8
    assert [each.priced.total for each in await kept(app, placed)] == [8_000] * 64
    assert await broken(app) == []


async def test_an_order_without_its_price_is_found(app: App, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", 8_000, quota=10)]))
    open_sale(clock)
    await bought(app, await buyers(app, 1), {"A": 1}, 8_000)
    async with app.db.transaction() as tx:
        await tx.execute("delete from ordering.price")
    assert any("lines and shipping add up to the total of each order" in each for each in await broken(app))


async def test_an_order_whose_total_is_not_its_price_is_found(app: App, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", 8_000, quota=10)]))
    open_sale(clock)
    [placed, _] = await bought(app, await buyers(app, 2), {"A": 1}, 8_000)
    async with app.db.transaction() as tx:
        await tx.execute("update ordering.orders set total = 7999 where order_id = %s", [placed.order_id])
    assert any("add up" in each and str(placed.order_id) in each for each in await broken(app))


def test_a_known_price_is_parted_as_an_unknown_one() -> None:
    prices = KnownPrices()
    for_all = (CounterUse("f/budget:ten", 1_000, 10**9), CounterUse("f/promotion:ten", 1, 500))
    plain = PricedOrder((), (), 0, 0, 0, 0, "CNY", (), 1, "same trace")

    def priced(*counters: CounterUse) -> PricedOrder:
        return msgspec.structs.replace(plain, counters=tuple(sorted(counters, key=lambda use: use.key)))

    own = [CounterUse(f"f/limit:all:{buyer}", 1, 3) for buyer in "abc"]
    alike = [priced(*for_all, own[0]), priced(*for_all, own[1])]
    written_anew = priced(*[msgspec.structs.replace(each) for each in for_all], own[2])
    less = [priced(for_all[0], own[0]), priced(own[0]), priced()]
    for each in (*alike, written_anew, *less, *alike, msgspec.structs.replace(alike[0], total=1)):
        assert prices.parted(each) == parted(each)


async def test_orders_from_before_prices_were_shared_stay_as_they_were(app: App, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", 8_000, quota=10, per_buyer=3), offer("B", 500, quota=10)]))
    open_sale(clock)
    crowd = await buyers(app, 3)
    placed = await bought(app, crowd[:2], {"A": 1}, 8_000) + await bought(app, crowd[2:], {"B": 1}, 500)
    before = await kept(app, placed)
    async with app.db.connection() as connection:
        await connection.execute(_AS_BEFORE)
    assert await migrate(app.db) == 1
    assert await kept(app, placed) == before
    assert await kept_prices(app) == 2
    assert await broken(app) == []
