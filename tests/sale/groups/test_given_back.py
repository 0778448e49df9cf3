"""What a buyer who gives a paid place back had used of his limits is free again: once, whatever happens meanwhile."""

import asyncio

import pytest

from tests.sale.groups.company import (
    CAMPAIGN,
    HOUR,
    SKU,
    deliver,
    found,
    join,
    opened,
    order_of,
    pay,
    refunds_arrive,
    view,
)
from tests.sale.shop import Buyer, broken, buyers
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.offer.pricing.contracts import CounterUse
from tidegate.offer.pricing.errors import BuyerLimitReached
from tidegate.sale.groups.contracts import GroupState, Joined, SeatState
from tidegate.sale.ordering.contracts import OrderState, RefundLine


def counter(buyer: Buyer) -> str:
    return f"{CAMPAIGN}/offer:{SKU}:{buyer.account_id.hex}"


async def used(app: App, people: list[Buyer]) -> list[int]:
    """How much of each buyer's limit is used."""
    keys = [counter(each) for each in people]
    async with app.db.transaction() as tx:
        counters = await app.pricing.lock_counters(tx, keys)
        return [
            next(most for most in range(10) if counters.try_use([CounterUse(key, 10 - most, 10)]) is None)
            for key in keys
        ]


async def give_up(app: App, buyer: Buyer, place: Joined) -> None:
    async with app.db.transaction() as tx:
        await app.ordering.cancel(tx, place.order.order_id, buyer.account_id)


async def test_the_place_and_the_limit_are_free_again_at_once(shop: App, clock: ManualClock) -> None:
    await opened(shop, per_buyer=1)
    [one, two] = await buyers(shop, 2)
    first = await found(shop, one)
    second = await join(shop, first.group_id, two)
    await pay(shop, two, second)
    with pytest.raises(BuyerLimitReached):
        await found(shop, two, "again-key-1")
    await give_up(shop, two, second)
    await deliver(shop)
    seen = await view(shop, first.group_id)
    assert (seen.group.taken, seen.group.paid) == (1, 0)
    assert await used(shop, [one, two]) == [1, 0]
    again = await join(shop, first.group_id, two, "again-key-2")
    assert await used(shop, [one, two]) == [1, 1]
    await refunds_arrive(shop, clock)
    assert await used(shop, [one, two]) == [1, 1]
    assert (await order_of(shop, second)).state is OrderState.REFUNDED
    assert (await order_of(shop, again)).state is OrderState.PLACED
    assert await broken(shop) == []


async def test_units_that_go_back_one_by_one_free_the_limit_with_the_last(shop: App, clock: ManualClock) -> None:
    await opened(shop, per_buyer=2)
    [one] = await buyers(shop, 1)
    first = await found(shop, one, quantity=2)
    await pay(shop, one, first)
    for left in (2, 0):
        async with shop.db.transaction() as tx:
            await shop.ordering.refund(tx, first.order.order_id, one.account_id, (RefundLine(SKU, 1),), "")
        await deliver(shop)
        assert await used(shop, [one]) == [left]
    await refunds_arrive(shop, clock)
    assert await used(shop, [one]) == [0]
    assert await broken(shop) == []


async def test_a_filled_groups_order_is_bought_and_stays_counted(shop: App, clock: ManualClock) -> None:
    await opened(shop, per_buyer=1, size=2)
    people = await buyers(shop, 2)
    first = await found(shop, people[0])
    places = [first, await join(shop, first.group_id, people[1])]
    for buyer, place in zip(people, places, strict=True):
        await pay(shop, buyer, place)
    await give_up(shop, people[1], places[1])
    await refunds_arrive(shop, clock)
    assert (await view(shop, first.group_id)).group.state is GroupState.FILLED
    assert await used(shop, people) == [1, 1]
    assert await broken(shop) == []


@pytest.mark.parametrize("seed", range(4))
async def test_who_gives_back_while_the_group_ends_frees_his_limit_once(
    shop: App, clock: ManualClock, seed: int
) -> None:
    """Buyers give up, the time ends, events are told twice over and people order anew, all at once."""
    await opened(shop, per_buyer=1, size=8)
    people = await buyers(shop, 6)
    first = await found(shop, people[0])
    places = [first, *[await join(shop, first.group_id, each) for each in people[1:]]]
    for buyer, place in list(zip(people, places, strict=True))[seed:]:
        await shop.payment.pay(place.order.order_id, buyer.account_id)
    if seed % 2:
        await deliver(shop)
    clock.advance(seconds=24 * HOUR + 10)
    await asyncio.gather(
        *(_try(give_up(shop, buyer, place)) for buyer, place in zip(people, places, strict=True)),
        deliver(shop),
        shop.groups.end_due(),
        shop.groups.end_due(),
        *(_try(found(shop, buyer, f"anew-key-{seed}")) for buyer in people[:3]),
    )
    await deliver(shop)
    await shop.groups.end_due()
    await shop.groups.tidy()
    await refunds_arrive(shop, clock)
    assert await used(shop, people) == [await _open_units(shop, buyer) for buyer in people]
    assert (await view(shop, first.group_id)).group.state is GroupState.FAILED
    assert await broken(shop) == []


async def _try(work: object) -> None:
    try:
        await work  # type: ignore[misc]
    except Refusal:
        return


async def _open_units(shop: App, buyer: Buyer) -> int:
    """The units of a buyer's seats that are not over."""
    async with shop.db.read() as tx:
        seats = [seat for _, seat in await shop.groups.groups_of(tx, buyer.account_id)]
    return sum(seat.quantity for seat in seats if seat.state not in {SeatState.LEFT, SeatState.REFUNDED})
