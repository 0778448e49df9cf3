"""What is paid for reaches the price history once, at the price after every reduction, with real payments."""

import msgspec

from tests.offer.festivals import coupon, definition, goods, offer
from tests.sale.groups.company import HOUR, PRICE, SKU, deliver, festival, found, join, opened, pay, view
from tests.sale.ordering.conftest import harbour, lantern, shop, two_channels
from tests.sale.ordering.test_life import paid
from tests.sale.shop import broken, buyers, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.history.contracts import EntryKind
from tidegate.sale.groups.contracts import GroupState
from tidegate.sale.payment.contracts import IntentState

__all__ = ["harbour", "lantern", "shop", "two_channels"]


async def test_every_paid_unit_is_a_deal_at_what_it_paid_and_no_other_is(shop: App) -> None:
    entries = [goods("A", 10_000), goods("B", 500)]
    await publish(
        shop,
        definition([offer("A", 3_333), offer("B", 500)], entries=entries, coupons=[coupon(threshold=6_000, off=100)]),
    )
    one, two, three = await buyers(shop, 3)
    await paid(shop, one, {"A": 2}, 6_666)
    placed = await shop.ordering.place(three.account_id, "a-key-of-a-test", order(three, {"A": 1}, 3_333))
    assert placed.total == 3_333
    with_coupon = await shop.ordering.place(
        two.account_id, "another-key-of-it", order(two, {"A": 2, "B": 1}, 7_066, "TIDE50")
    )
    view = await shop.payment.pay(with_coupon.order_id, two.account_id)
    assert view.state is IntentState.CAPTURED
    await deliver(shop)
    async with shop.db.read() as tx:
        said = [each.entry for sku in "AB" for each in await shop.history.entries(tx, sku)]
    deals = sorted((each.sku, each.price or 0, each.units) for each in said if each.kind is EntryKind.DEAL)
    # The coupon's 1.00 is split 93 to 7; A's two units then paid 65.73 together.
    assert deals == [("A", 3_286, 1), ("A", 3_287, 1), ("A", 3_333, 2), ("B", 493, 1)]
    assert {each.place for each in said} == {"CN"}
    assert await broken(shop) == []


async def deals_of(app: App, sku: str) -> list[tuple[int, int]]:
    async with app.db.read() as tx:
        said = [each.entry for each in await app.history.entries(tx, sku)]
    return sorted((each.price or 0, each.units) for each in said if each.kind is EntryKind.DEAL)


async def test_the_price_of_a_group_is_a_deal_once_it_fills_and_never_where_it_fails(
    shop: App, clock: ManualClock
) -> None:
    await opened(shop)
    three = await buyers(shop, 3)
    first = await found(shop, three[0])
    seats = [first, *[await join(shop, first.group_id, each) for each in three[1:]]]
    for buyer, seat in list(zip(three, seats, strict=True))[:2]:
        await pay(shop, buyer, seat)
    assert await deals_of(shop, SKU) == []
    await pay(shop, three[2], seats[2])
    assert (await view(shop, first.group_id)).group.state is GroupState.FILLED
    assert await deals_of(shop, SKU) == [(PRICE, 3)]

    alone = await found(shop, three[0], "group-key-2")
    await pay(shop, three[0], alone)
    clock.advance(seconds=25 * HOUR)
    await shop.groups.end_due()
    await deliver(shop)
    assert (await view(shop, alone.group_id)).group.state is GroupState.FAILED
    assert await deals_of(shop, SKU) == [(PRICE, 3)]
    async with shop.db.read() as tx:
        assert (await shop.history.verify(tx)).holds


async def test_an_order_for_a_seat_that_is_not_bound_to_it_yet_is_no_deal_and_any_other_of_these_goods_is(
    shop: App,
) -> None:
    await opened(shop)
    one, two = await buyers(shop, 2)
    seat = await found(shop, one)
    async with shop.db.transaction() as tx:
        await tx.execute("update groups.seat set order_id = null")
    await pay(shop, one, seat)
    assert await deals_of(shop, SKU) == []
    # Once sold to groups, the same goods are on ordinary offer.
    sold = festival()
    await publish(shop, msgspec.structs.replace(sold, group_buys=(), offers=(*sold.offers, offer(SKU, 9_000))))
    await paid(shop, two, {SKU: 1}, 9_000)
    await deliver(shop)
    assert await deals_of(shop, SKU) == [(9_000, 1)]
