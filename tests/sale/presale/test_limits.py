"""Limits over the whole promotion count reservations: the same counters as orders, once, and given back at an end."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from tests.offer.festivals import limit
from tests.sale.presale.presales_made import (
    SKU,
    completed,
    deliver,
    deposited,
    festival,
    presale,
    reserve,
    show,
    to_balance,
)
from tests.sale.shop import Buyer, broken, buyers, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.pricing.errors import BuyerLimitReached, SharedLimitReached
from tidegate.sale.ordering.contracts import Placed
from tidegate.sale.presale.contracts import Reservation, ReservationState, Reserve

KETTLE = 8_000


def limited(*, per_buyer: int = 0, per_device: int = 0, skus: tuple[str, ...] = ()) -> CampaignDefinition:
    """Boats in presale and kettles on offer, and one limit of both together."""
    both = msgspec.structs.replace(limit("few", skus), per_buyer=per_buyer, per_device=per_device)
    return msgspec.structs.replace(festival(presale(quota=100, per_buyer=0)), limits=(both,))


async def used(app: App) -> list[int]:
    """What is used of the limit's counters that anything is used of."""
    async with app.db.read() as tx:
        rows = await tx.execute(
            "select used from pricing.counter where position(':few:' in key) > 0 and used > 0 order by key"
        )
        return [row[0] for row in await rows.fetchall()]


async def kettles(app: App, buyer: Buyer, units: int = 1, key: str = "order-key-1") -> Placed:
    """Order kettles."""
    command = order(buyer, {"KTL-1": units}, KETTLE * units)
    return await app.ordering.place(buyer.account_id, key, command)


@pytest.mark.parametrize("skus", [(), ("KTL-1", SKU)])
async def test_a_reservation_takes_from_the_counter_that_orders_take_from(shop: App, skus: tuple[str, ...]) -> None:
    await publish(shop, limited(per_buyer=3, skus=skus))
    [buyer] = await buyers(shop, 1)
    made = await reserve(shop, buyer, quantity=2)
    await kettles(shop, buyer)
    assert await used(shop) == [3]
    with pytest.raises(BuyerLimitReached):
        await kettles(shop, buyer, key="order-key-2")
    with pytest.raises(BuyerLimitReached):
        await reserve(shop, buyer, key="presale-key-2")
    with pytest.raises(BuyerLimitReached):
        await reserve(shop, buyer, quantity=4, key="presale-key-3")
    assert await broken(shop) == []
    async with shop.db.transaction() as tx:
        await shop.presales.give_up(tx, made.reservation_id, buyer.account_id, lose_deposit=False)
    assert await used(shop) == [1]
    await kettles(shop, buyer, 2, "order-key-2")
    assert await broken(shop) == []


async def test_a_balance_paid_counts_once_and_an_undelivered_order_not_at_all(shop: App, clock: ManualClock) -> None:
    await publish(shop, limited(per_buyer=3))
    [buyer] = await buyers(shop, 1)
    made = await completed(shop, clock, buyer, quantity=2)
    assert await used(shop) == [2]
    assert await broken(shop) == []
    async with shop.db.transaction() as tx:
        await shop.presales.cannot_deliver(tx, made.reservation_id, "Lin Yue", "the boat sank")
    assert await used(shop) == []
    assert await broken(shop) == []


async def test_what_ends_by_time_gives_back_what_it_used(shop: App, clock: ManualClock) -> None:
    await publish(shop, limited(per_buyer=3))
    unpaid, forfeit = await buyers(shop, 2)
    first = await reserve(shop, unpaid, quantity=3)
    second = await deposited(shop, forfeit, quantity=2)
    assert sorted(await used(shop)) == [2, 3]
    to_balance(clock)
    clock.advance(seconds=24 * 3_600)
    assert await shop.presales.end_due() == 2
    await deliver(shop)
    states = [(await show(shop, each.reservation_id)).state for each in (first, second)]
    assert states == [ReservationState.EXPIRED, ReservationState.FORFEITED]
    assert await used(shop) == []
    assert await broken(shop) == []


async def test_racing_orders_and_reservations_never_pass_the_limit(shop: App) -> None:
    await publish(shop, limited(per_buyer=5))
    both = await buyers(shop, 2)
    asked = [
        act
        for buyer in both
        for place in range(8)
        for act in (
            reserve(shop, buyer, key=f"presale-key-{place}"),
            kettles(shop, buyer, key=f"order-key-{place}"),
        )
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    taken = [each for each in answers if isinstance(each, Reservation | Placed)]
    refused = [each for each in answers if isinstance(each, BuyerLimitReached)]
    assert (len(taken), len(refused)) == (10, 22)
    assert await used(shop) == [5, 5]
    assert await broken(shop) == []


async def test_the_same_key_takes_once_from_the_counter_however_often_it_is_sent_at_once(shop: App) -> None:
    await publish(shop, limited(per_buyer=1))
    [buyer] = await buyers(shop, 1)
    answers = await asyncio.gather(*(reserve(shop, buyer) for _ in range(8)))
    assert len({each.reservation_id for each in answers}) == 1
    assert await used(shop) == [1]


async def test_accounts_on_one_device_share_what_it_may_reserve(shop: App) -> None:
    await publish(shop, limited(per_device=3))
    device = uuid4()
    command = Reserve(sku=SKU, quantity=1, expected_deposit=10_000, expected_balance=80_000)

    async def reserved(buyer: Buyer) -> Reservation | Refusal:
        try:
            return await shop.presales.reserve(buyer.account_id, "presale-key-1", command, session_id=device)
        except SharedLimitReached as refusal:
            return refusal

    answers = await asyncio.gather(*map(reserved, await buyers(shop, 6)))
    assert sum(isinstance(each, Reservation) for each in answers) == 3
    assert await used(shop) == [3]
    assert await broken(shop) == []
