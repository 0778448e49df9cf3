"""Price protection on the real database and real channels: once, in every book, and in words where there is nothing."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from tests.offer.promotions import amount_off, festival, promotion
from tests.sale.books import Books
from tests.sale.ordering.test_life import deliver, paid, refunded, show
from tests.sale.shop import Buyer, broken, buyers, levels, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, PriceProtection, Selection
from tidegate.sale.ordering.contracts import OrderState, RefundLine, RefundReason
from tidegate.sale.ordering.errors import OrderEnded, OrderUnknown
from tidegate.sale.protection.contracts import AskedBy, Grant, Standing
from tidegate.sale.protection.errors import (
    DifferenceGiven,
    NothingCheaper,
    NothingToCompare,
    ProtectionNotPromised,
    ProtectionOver,
)

CAMPAIGN = CampaignId("double-11")
PROMISE = PriceProtection(days=7, goods=Selection(but=("POT",)))
SECONDS_A_DAY = 86_400


def selling(prices: dict[str, int], off: int = 0, promise: PriceProtection | None = PROMISE) -> CampaignDefinition:
    """Goods at these prices, from 100.00 on so much less."""
    made = festival(prices, [promotion("off", amount_off(10_000, off))] if off else [])
    return msgspec.structs.replace(made, price_protection=promise)


async def claim(shop: App, order_id: UUID, buyer: Buyer) -> Grant:
    async with shop.db.transaction() as tx:
        return await shop.protection.claim(tx, order_id, buyer.account_id)


async def give_back(shop: App, order_id: UUID, buyer: Buyer, sku: str, units: int) -> int:
    async with shop.db.transaction() as tx:
        lines = [RefundLine(sku, units)]
        return (await shop.ordering.refund(tx, order_id, buyer.account_id, lines, "")).amount


async def test_the_difference_after_allocation_goes_back_once_and_lowers_the_return(
    shop: App, clock: ManualClock, books: Books
) -> None:
    await publish(shop, selling({"CUP": 4_000, "POT": 3_000}, off=500))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"CUP": 3, "POT": 1}, 14_500)
    await publish(shop, selling({"CUP": 3_500, "POT": 2_000}, off=1_000))
    grant = await claim(shop, order_id, buyer)
    # Of 500 the cups bore 400; of today's 1,000 on 12,500 they bear 840. The pot is not promised.
    assert grant.amount == (12_000 - 400) - (10_500 - 840)
    cup, pot = grant.lines
    assert (cup.paid, cup.today, cup.due, cup.standing) == (11_600, 9_660, 1_940, Standing.CHEAPER)
    assert (pot.due, pot.standing) == (0, Standing.NOT_PROMISED)
    assert (grant.asked_by, grant.then_version, grant.today_version) == (AskedBy.BUYER, 1, 2)
    assert grant.then_hash == (await show(shop, order_id)).priced.trace_hash != grant.today.trace_hash
    with pytest.raises(DifferenceGiven) as refused:
        await claim(shop, order_id, buyer)
    assert refused.value.fields == {"given": 1_940}
    assert (await levels(shop, CAMPAIGN, ["CUP"]))["CUP"].sold == 3
    # What comes back later is what is left of the shares, so that all of it is the total.
    back = [await give_back(shop, order_id, buyer, "CUP", units) for units in (1, 2)]
    assert sum(back) == 9_660
    assert await give_back(shop, order_id, buyer, "POT", 1) == 14_500 - 1_940 - 9_660
    await refunded(shop, clock)
    found = await show(shop, order_id)
    assert (found.state, found.refunded) == (OrderState.REFUNDED, 14_500)
    await books.require_equal(shop, [order_id])


async def test_a_price_that_falls_again_brings_the_rest_and_returned_units_nothing(
    shop: App, clock: ManualClock, books: Books
) -> None:
    await publish(shop, selling({"CUP": 4_000}))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"CUP": 3}, 12_000)
    await publish(shop, selling({"CUP": 3_900}))
    assert (await claim(shop, order_id, buyer)).amount == 300
    assert await give_back(shop, order_id, buyer, "CUP", 1) == 3_900
    await publish(shop, selling({"CUP": 3_000}))
    grant = await claim(shop, order_id, buyer)
    assert (grant.amount, grant.lines[0].units, grant.lines[0].first) == (1_800, 2, 1)
    assert await give_back(shop, order_id, buyer, "CUP", 2) == 6_000
    with pytest.raises(OrderEnded):
        await claim(shop, order_id, buyer)
    await refunded(shop, clock)
    await books.require_equal(shop, [order_id])
    async with shop.db.read() as tx:
        causes = [each.cause for each in await shop.ordering.refunds_of(tx, order_id)]
        assert [each.amount for each in await shop.protection.grants_of(tx, order_id)] == [300, 1_800]
        page = await shop.protection.grants(tx, 1)
    assert causes.count(RefundReason.PROTECTION) == 2
    assert (page.count, page.total, [row.amount for row in page.rows]) == (2, 2_100, [1_800])


async def test_64_racing_claims_and_a_sweep_give_the_difference_once(
    shop: App, clock: ManualClock, books: Books
) -> None:
    await publish(shop, selling({"CUP": 4_000}))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"CUP": 2}, 8_000)
    await publish(shop, selling({"CUP": 3_500}))

    async def one() -> Grant | Refusal:
        try:
            return await claim(shop, order_id, buyer)
        except Refusal as refusal:
            return refusal

    *answers, swept = await asyncio.gather(*[one() for _ in range(64)], shop.protection.sweep())
    given = [each for each in answers if isinstance(each, Grant)]
    assert len(given) + swept == 1  # type: ignore[operator]
    assert all(isinstance(each, Grant | DifferenceGiven) for each in answers)
    await refunded(shop, clock)
    assert (await show(shop, order_id)).refunded == 1_000
    await books.require_equal(shop, [order_id])


async def test_the_night_gives_back_what_nobody_asked_for(shop: App, clock: ManualClock, books: Books) -> None:
    await publish(shop, selling({"CUP": 4_000, "POT": 3_000}))
    crowd = await buyers(shop, 5)
    late, *others = [await paid(shop, buyer, {"CUP": 1}, 4_000) for buyer in crowd[:3]]
    unpromised = await paid(shop, crowd[3], {"POT": 1}, 3_000)
    command = order(crowd[4], {"CUP": 1}, 4_000)
    await shop.ordering.place(crowd[4].account_id, "unpaid-1", command)
    async with shop.db.transaction() as tx:
        await tx.execute("update ordering.orders set paid_at = paid_at - interval '7 days' where order_id = %s", [late])
    await publish(shop, selling({"CUP": 3_000, "POT": 1_000}))
    assert await shop.protection.sweep() == 2
    assert await shop.protection.sweep() == 0
    await refunded(shop, clock)
    assert [(await show(shop, each)).refunded for each in (*others, late, unpromised)] == [1_000, 1_000, 0, 0]
    async with shop.db.read() as tx:
        [grant] = await shop.protection.grants_of(tx, others[0])
    assert grant.asked_by is AskedBy.NIGHT
    await books.require_equal(shop, [*others, late, unpromised])


async def test_refusals_say_why_and_change_nothing(shop: App, clock: ManualClock) -> None:
    await publish(shop, selling({"CUP": 4_000}))
    one, two = await buyers(shop, 2)
    order_id = await paid(shop, one, {"CUP": 2}, 8_000)
    with pytest.raises(NothingCheaper):
        await claim(shop, order_id, one)
    with pytest.raises(OrderUnknown):
        await claim(shop, order_id, two)
    await publish(shop, selling({"CUP": 5_000}))
    with pytest.raises(NothingCheaper):
        await claim(shop, order_id, one)
    await publish(shop, selling({"MUG": 100}))
    with pytest.raises(NothingToCompare):
        await claim(shop, order_id, one)
    cheap = selling({"CUP": 3_000})
    scarce = msgspec.structs.replace(cheap, offers=(msgspec.structs.replace(cheap.offers[0], quota=3),))
    await publish(shop, scarce)  # 2 of 3 are sold: these two could not be bought again
    with pytest.raises(NothingToCompare):
        await claim(shop, order_id, one)
    await publish(shop, cheap)
    clock.advance(seconds=7 * SECONDS_A_DAY)
    with pytest.raises(ProtectionOver):
        await claim(shop, order_id, one)
    assert (await show(shop, order_id)).refunded == 0
    async with shop.db.read() as tx:
        assert await shop.ordering.refunds_of(tx, order_id) == []
    assert await broken(shop) == []


async def test_without_a_promise_and_without_a_payment_there_is_nothing(shop: App) -> None:
    await publish(shop, selling({"CUP": 4_000}, promise=None))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"CUP": 1}, 4_000)
    await publish(shop, selling({"CUP": 3_000}))
    with pytest.raises(ProtectionNotPromised):
        await claim(shop, order_id, buyer)
    placed = await shop.ordering.place(buyer.account_id, "unpaid-2", order(buyer, {"CUP": 1}, 3_000))
    with pytest.raises(OrderEnded):
        await claim(shop, placed.order_id, buyer)
    await deliver(shop)
    assert await broken(shop) == []


async def test_the_doctor_sees_a_grant_without_its_refund(shop: App) -> None:
    await publish(shop, selling({"CUP": 4_000}))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"CUP": 1}, 4_000)
    await publish(shop, selling({"CUP": 3_000}))
    await claim(shop, order_id, buyer)
    async with shop.db.transaction() as tx:
        await tx.execute("update protection.granted set amount = 999")
    assert any("each grant is one refund" in name for name in await broken(shop))
    async with shop.db.transaction() as tx:
        await tx.execute("update ordering.refund set amount = 999")
    assert any("payment has the same refunds" in name for name in await broken(shop))
