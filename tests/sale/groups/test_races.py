"""Many at once, and what is left behind when a process dies between two steps."""

import asyncio
from random import Random
from uuid import UUID

import pytest

from tests.sale.groups.company import (
    CAMPAIGN,
    HOUR,
    PRICE,
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
from tests.sale.shop import Buyer, broken, buyers, levels, order
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.sale.groups import rules, store
from tidegate.sale.groups.contracts import GroupState, Joined, Seat, SeatState
from tidegate.sale.groups.errors import AlreadyInGroup, GroupFull
from tidegate.sale.ordering.contracts import OrderState

GROUPS = 8
CROWD = 64


async def test_64_who_join_the_last_place_of_eight_groups_fill_each_with_exactly_one(shop: App) -> None:
    await opened(shop, size=2)
    founders, crowd = await buyers(shop, GROUPS), await buyers(shop, CROWD)
    first = [await found(shop, each) for each in founders]
    chance = Random(11)
    wishes = [(buyer, group) for buyer in crowd for group in chance.sample(first, 2)]
    answers = await asyncio.gather(
        *(_try(shop, group.group_id, buyer, f"race-key-{number:04}") for number, (buyer, group) in enumerate(wishes))
    )
    won = [answer for answer in answers if isinstance(answer, Joined)]
    assert len(won) == GROUPS
    assert {each.group_id for each in won} == {each.group_id for each in first}
    for group in first:
        seen = await view(shop, group.group_id)
        assert (seen.group.taken, len(seen.seats)) == (2, 2)
    level = (await levels(shop, CampaignId(CAMPAIGN), [SKU]))[SKU]
    assert level.held == 2 * GROUPS
    assert await broken(shop) == []


async def _try(shop: App, group_id: UUID, buyer: Buyer, key: str) -> Joined | Exception:
    try:
        return await join(shop, group_id, buyer, key)
    except (GroupFull, AlreadyInGroup) as refusal:
        return refusal


async def test_one_who_asks_many_times_at_once_gets_one_place(shop: App) -> None:
    await opened(shop, size=8)
    founder, buyer = await buyers(shop, 2)
    first = await found(shop, founder)
    same = await asyncio.gather(*(join(shop, first.group_id, buyer) for _ in range(8)))
    assert {each.order.order_id for each in same} == {same[0].order.order_id}
    others = await asyncio.gather(*(_try(shop, first.group_id, buyer, f"other-key-{number}") for number in range(8)))
    assert all(isinstance(each, AlreadyInGroup) for each in others)
    opened_twice = await asyncio.gather(*(found(shop, buyer, "open-key-1") for _ in range(8)))
    assert {each.group_id for each in opened_twice} == {opened_twice[0].group_id}
    assert (await view(shop, first.group_id)).group.taken == 2
    async with shop.db.read() as tx:
        assert len(await shop.groups.groups_of(tx, buyer.account_id)) == 2
    assert await broken(shop) == []


async def test_the_last_payments_at_once_with_the_end_fill_or_refund_all(shop: App, clock: ManualClock) -> None:
    await opened(shop, size=4)
    people = await buyers(shop, 4)
    first = await found(shop, people[0])
    places = [first, *[await join(shop, first.group_id, each) for each in people[1:]]]
    for buyer, place in zip(people, places, strict=True):
        await shop.payment.pay(place.order.order_id, buyer.account_id)
    clock.advance(seconds=24 * HOUR + 5)
    await asyncio.gather(deliver(shop), shop.groups.end_due(), shop.groups.end_due())
    await deliver(shop)
    await shop.groups.tidy()
    group = (await view(shop, first.group_id)).group
    states = {(await order_of(shop, place)).state for place in places}
    assert states == ({OrderState.PAID} if group.state is GroupState.FILLED else {OrderState.REFUNDING})
    await refunds_arrive(shop, clock)
    assert await broken(shop) == []


async def _seated(shop: App, group_id: UUID, buyer: Buyer) -> Seat:
    """A seat that was taken by a process that died before it placed the order."""
    seat = shop.groups._new_seat(group_id, buyer.account_id, "group-key-1", 1)
    async with shop.db.transaction() as tx:
        await store.lock_group(tx, group_id)
        assert await store.insert_seat(tx, seat)
    return seat


async def _placed(shop: App, seat: Seat, buyer: Buyer) -> UUID:
    """The order of a seat, placed by a process that died before it bound the two."""
    command = order(buyer, {SKU: 1}, PRICE)
    key, price = rules.seat_key(seat.seat_id), shop.pricing.price_for_group
    return (await shop.ordering.place(buyer.account_id, key, command, price=price)).order_id


async def test_a_seat_whose_order_was_never_placed_is_free_again(shop: App, clock: ManualClock) -> None:
    await opened(shop, size=2)
    one, two = await buyers(shop, 2)
    first = await found(shop, one)
    await _seated(shop, first.group_id, two)
    assert await shop.groups.tidy() == 0
    clock.advance(seconds=61)
    assert await shop.groups.tidy() == 1
    assert (await view(shop, first.group_id)).group.taken == 1
    await join(shop, first.group_id, two, "group-key-2")
    assert await broken(shop) == []


@pytest.mark.parametrize("again", [True, False])
async def test_an_order_that_was_not_bound_is_bound_later(shop: App, clock: ManualClock, again: bool) -> None:
    await opened(shop, size=2)
    one, two = await buyers(shop, 2)
    first = await found(shop, one)
    seat = await _seated(shop, first.group_id, two)
    order_id = await _placed(shop, seat, two)
    if again:
        assert (await join(shop, first.group_id, two)).order.order_id == order_id
    else:
        clock.advance(seconds=61)
        assert await shop.groups.tidy() == 1
    assert (await view(shop, first.group_id, two)).order_id == order_id
    assert await broken(shop) == []


async def test_a_paid_order_that_was_not_bound_counts_for_its_group(shop: App) -> None:
    await opened(shop, size=2)
    one, two = await buyers(shop, 2)
    first = await found(shop, one)
    await pay(shop, one, first)
    order_id = await _placed(shop, await _seated(shop, first.group_id, two), two)
    await shop.payment.pay(order_id, two.account_id)
    await deliver(shop)
    assert (await view(shop, first.group_id)).group.state is GroupState.FILLED
    assert await broken(shop) == []


async def test_a_paid_order_whose_seat_was_given_up_is_refunded(shop: App, clock: ManualClock) -> None:
    await opened(shop, size=2)
    one, two = await buyers(shop, 2)
    first = await found(shop, one)
    seat = await _seated(shop, first.group_id, two)
    clock.advance(seconds=61)
    assert await shop.groups.tidy() == 1
    order_id = await _placed(shop, seat, two)
    await shop.payment.pay(order_id, two.account_id)
    await deliver(shop)
    await refunds_arrive(shop, clock)
    async with shop.db.read() as tx:
        refunded = await shop.ordering.order(tx, order_id)
    assert (refunded.state, refunded.refunded) == (OrderState.REFUNDED, PRICE)
    assert (await view(shop, first.group_id)).group.taken == 1
    assert await broken(shop) == []


async def test_a_payment_that_was_under_way_when_its_group_failed_goes_back(
    shop: App, clock: ManualClock, two_channels: tuple[object, object]
) -> None:
    await opened(shop, size=2)
    [one] = await buyers(shop, 1)
    first = await found(shop, one)
    for channel in two_channels:
        channel.order(timeout_share=1.0, lost_share=0.0)  # type: ignore[attr-defined]
    await shop.payment.pay(first.order.order_id, one.account_id)
    clock.advance(seconds=24 * HOUR + 10)
    await shop.groups.end_due()
    failed = await view(shop, first.group_id)
    assert (failed.group.state, [seat.state for seat in failed.seats]) == (GroupState.FAILED, [SeatState.TAKEN])
    for channel in two_channels:
        channel.order()  # type: ignore[attr-defined]
    for _ in range(60):
        clock.advance(seconds=5)
        await shop.payment.resolve_due()
        await deliver(shop)
        await shop.groups.tidy()
        seats = (await view(shop, first.group_id)).seats
        if not seats or seats[0].state is not SeatState.TAKEN:
            break
        await asyncio.sleep(0.05)
    await refunds_arrive(shop, clock)
    last = await order_of(shop, first)
    assert (last.state, last.refunded) in {(OrderState.REFUNDED, PRICE), (OrderState.CANCELLED, 0)}
    assert await broken(shop) == []
