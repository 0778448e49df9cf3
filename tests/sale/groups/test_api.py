"""A group from opening to its end, on the real database and real payment channels."""

from uuid import uuid4

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
from tests.sale.shop import broken, buyers, levels, order
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.pricing.api import price_order
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts
from tidegate.offer.pricing.errors import BuyerLimitReached, NotOnOffer
from tidegate.sale.groups.contracts import GroupState, SeatState
from tidegate.sale.groups.errors import AlreadyInGroup, GroupEnded, GroupFull, GroupUnknown, NotSoldToGroups
from tidegate.sale.ordering.contracts import OrderState
from tidegate.sale.ordering.errors import AddressUnknown, KeyReused, OrderEnded, PriceChanged
from tidegate.sale.stock.errors import SoldOut


async def test_a_group_that_all_have_paid_is_confirmed_for_all_at_once(shop: App) -> None:
    await opened(shop)
    people = await buyers(shop, 3)
    first = await found(shop, people[0])
    assert first.order.total == PRICE
    others = [await join(shop, first.group_id, each) for each in people[1:]]
    await pay(shop, people[0], first)
    await pay(shop, people[1], others[0])
    forming = await view(shop, first.group_id)
    assert (forming.group.state, forming.group.taken, forming.group.paid) == (GroupState.FORMING, 3, 2)
    orders = [each.order.order_id for each in (first, *others)]
    async with shop.db.read() as tx:
        assert await shop.groups.waiting(tx, orders) == set(orders)
    await pay(shop, people[2], others[1])
    filled = await view(shop, first.group_id)
    assert (filled.group.state, filled.group.taken, filled.group.paid) == (GroupState.FILLED, 3, 3)
    assert [seat.state for seat in filled.seats] == [SeatState.CONFIRMED] * 3
    async with shop.db.read() as tx:
        assert await shop.groups.waiting(tx, orders) == set()
    level = (await levels(shop, CampaignId(CAMPAIGN), [SKU]))[SKU]
    assert (level.loaded, level.held, level.sold) == (300, 0, 3)
    assert await broken(shop) == []


async def test_a_group_that_is_not_filled_in_time_refunds_everybody_once(shop: App, clock: ManualClock) -> None:
    await opened(shop)
    people = await buyers(shop, 3)
    first = await found(shop, people[0])
    second = await join(shop, first.group_id, people[1])
    await pay(shop, people[0], first)
    await pay(shop, people[1], second)
    clock.advance(seconds=24 * HOUR - 60)
    unpaid = await join(shop, first.group_id, people[2])
    assert await shop.groups.end_due() == 0
    clock.advance(seconds=70)
    assert await shop.groups.end_due() == 1
    assert await shop.groups.end_due() == 0
    failed = await view(shop, first.group_id)
    assert (failed.group.state, failed.group.taken, failed.group.paid) == (GroupState.FAILED, 0, 0)
    assert [seat.state for seat in failed.seats] == [SeatState.REFUNDED] * 2
    assert (await order_of(shop, unpaid)).state is OrderState.CANCELLED
    await refunds_arrive(shop, clock)
    for joined in (first, second):
        order_now = await order_of(shop, joined)
        assert (order_now.state, order_now.refunded) == (OrderState.REFUNDED, PRICE)
        async with shop.db.read() as tx:
            assert [refund.amount for refund in await shop.ordering.refunds_of(tx, joined.order.order_id)] == [PRICE]
    assert (await levels(shop, CampaignId(CAMPAIGN), [SKU]))[SKU].free == 300
    assert await broken(shop) == []


async def test_nobody_is_twice_in_a_group_but_may_come_back_after_leaving(shop: App) -> None:
    await opened(shop)
    one, two = await buyers(shop, 2)
    first = await found(shop, one)
    with pytest.raises(AlreadyInGroup) as refused:
        await join(shop, first.group_id, one, "group-key-2")
    assert refused.value.fields["order_id"] == first.order.order_id
    second = await join(shop, first.group_id, two)
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, second.order.order_id, two.account_id)
    await deliver(shop)
    assert (await view(shop, first.group_id)).group.taken == 1
    again = await join(shop, first.group_id, two, "group-key-2")
    assert again.order.order_id != second.order.order_id
    assert (await view(shop, first.group_id)).group.taken == 2
    assert await broken(shop) == []


async def test_a_full_group_says_how_many_places_may_come_back(shop: App, clock: ManualClock) -> None:
    await opened(shop, size=2)
    one, two, three = await buyers(shop, 3)
    first = await found(shop, one)
    await pay(shop, one, first)
    await join(shop, first.group_id, two)
    with pytest.raises(GroupFull) as refused:
        await join(shop, first.group_id, three)
    assert refused.value.fields["unpaid"] == 1
    clock.advance(seconds=15 * 60 + 1)
    assert await shop.ordering.expire_due() == 1
    await deliver(shop)
    third = await join(shop, first.group_id, three, "group-key-2")
    await pay(shop, three, third)
    assert (await view(shop, first.group_id)).group.state is GroupState.FILLED
    assert await broken(shop) == []


async def test_the_same_key_gives_the_same_place_whatever_happened_since(shop: App, clock: ManualClock) -> None:
    await opened(shop)
    one, two = await buyers(shop, 2)
    first = await found(shop, one)
    assert await found(shop, one) == first
    second = await join(shop, first.group_id, two)
    clock.advance(seconds=25 * HOUR)
    await shop.groups.end_due()
    assert await found(shop, one) == first
    assert await join(shop, first.group_id, two) == second
    with pytest.raises(KeyReused):
        await found(shop, one, quantity=2)
    async with shop.db.read() as tx:
        assert len(await shop.groups.groups_of(tx, one.account_id)) == 1


async def test_what_is_refused_leaves_no_group_and_no_seat(shop: App) -> None:
    await opened(shop, quota=3, per_buyer=2)
    one, two = await buyers(shop, 2)
    stranger = type(one)(one.account_id, uuid4(), one.token)
    with pytest.raises(AddressUnknown):
        await found(shop, stranger)
    with pytest.raises(BuyerLimitReached):
        await found(shop, one, quantity=3)
    with pytest.raises(NotSoldToGroups):
        shop.groups.price("A", 1)
    with pytest.raises(GroupUnknown):
        await join(shop, uuid4(), one)
    with pytest.raises(NotOnOffer):
        await shop.ordering.place(one.account_id, "alone-key-1", order(one, {SKU: 1}, PRICE))
    async with shop.db.read() as tx:
        assert await shop.groups.groups_of(tx, one.account_id) == []
        assert [(each.left, each.forming) for each in await shop.groups.on_sale(tx)] == [(3, 0)]
    first = await found(shop, one, "group-key-2", quantity=2)
    with pytest.raises(SoldOut):
        await join(shop, first.group_id, two, quantity=2)
    assert (await view(shop, first.group_id)).group.taken == 1
    assert await broken(shop) == []


async def test_another_price_than_was_shown_is_refused(shop: App) -> None:
    await opened(shop, price=PRICE + 1)
    [one] = await buyers(shop, 1)
    with pytest.raises(PriceChanged) as refused:
        await found(shop, one)
    assert refused.value.fields["total"] == PRICE + 1


async def test_a_group_whose_time_is_over_takes_nobody(shop: App, clock: ManualClock) -> None:
    await opened(shop)
    one, two = await buyers(shop, 2)
    first = await found(shop, one)
    clock.advance(seconds=24 * HOUR)
    with pytest.raises(GroupEnded) as refused:
        await join(shop, first.group_id, two)
    assert refused.value.fields["state"] is GroupState.FORMING
    await shop.groups.end_due()


async def test_who_gave_the_order_back_does_not_fill_the_group(shop: App, clock: ManualClock) -> None:
    await opened(shop, size=2)
    one, two, three = await buyers(shop, 3)
    first = await found(shop, one)
    await pay(shop, one, first)
    second = await join(shop, first.group_id, two)
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, first.order.order_id, one.account_id)
    await pay(shop, two, second)
    forming = await view(shop, first.group_id)
    assert (forming.group.state, forming.group.taken, forming.group.paid) == (GroupState.FORMING, 1, 1)
    third = await join(shop, first.group_id, three)
    await pay(shop, three, third)
    assert (await view(shop, first.group_id)).group.state is GroupState.FILLED
    with pytest.raises(OrderEnded):
        async with shop.db.transaction() as tx:
            await shop.ordering.refund(tx, first.order.order_id, one.account_id, (), "")
    await refunds_arrive(shop, clock)
    assert await broken(shop) == []


async def test_a_failed_group_gives_back_what_its_buyers_had_used_of_their_limit(shop: App, clock: ManualClock) -> None:
    await opened(shop, per_buyer=1)
    [one] = await buyers(shop, 1)
    first = await found(shop, one)
    await pay(shop, one, first)
    with pytest.raises(BuyerLimitReached):
        await found(shop, one, "group-key-2")
    clock.advance(seconds=24 * HOUR + 10)
    await shop.groups.end_due()
    await found(shop, one, "group-key-3")
    assert await broken(shop) == []


async def test_a_group_order_is_priced_again_from_its_stored_version_to_the_same_cent(shop: App) -> None:
    await opened(shop)
    [one] = await buyers(shop, 1)
    bought = await order_of(shop, await found(shop, one, quantity=2))
    await opened(shop, price=PRICE - 1)
    async with shop.db.read() as tx:
        rules = await shop.pricing.group_rules_of(tx, CampaignId(CAMPAIGN), bought.priced.rules_version)
    again = price_order(rules, Cart((CartLine(SKU, 2),)), Facts(buyer=one.account_id))
    assert (again.total, again.trace_hash) == (2 * PRICE, bought.priced.trace_hash)
    assert again == bought.priced
