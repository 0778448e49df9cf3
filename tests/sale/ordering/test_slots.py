"""Flash prices in slots on the real database: never more units than a slot has, never outside of its window."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from tests.offer.festivals import START, definition, goods, offer
from tests.offer.slots_made import flash, slot
from tests.sale.ordering.test_life import deliver
from tests.sale.shop import Buyer, broken, buyers, levels, open_sale, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignDefinition, Slot
from tidegate.offer.pricing.api import price_order
from tidegate.offer.pricing.contracts import NOBODY, Cart, CartLine, Facts, PricedOrder
from tidegate.offer.pricing.errors import FlashPriceGone
from tidegate.sale.ordering.contracts import Placed, RefundLine
from tidegate.sale.ordering.errors import PriceChanged, SlotEnded

LIST, ORDINARY, FLASH = 10_000, 8_000, 5_000


def festival(*slots: Slot, carry_over: bool = False) -> CampaignDefinition:
    """A festival in which A has a flash price in these slots."""
    plain = definition([offer("A", ORDINARY, quota=400)], entries=[goods("A", LIST)])
    return msgspec.structs.replace(plain, promotions=(flash(*slots, price=FLASH, carry_over=carry_over),))


def priced(app: App, clock: ManualClock, quantity: int = 1, buyer: UUID | None = None) -> PricedOrder:
    """The price of so many units at this moment."""
    return app.pricing.price(Cart((CartLine("A", quantity),)), Facts(now=clock.now(), buyer=buyer))


async def buy(app: App, buyer: Buyer, total: int, key: str = "slots-key-1", quantity: int = 1) -> Placed:
    """Order so many units for a total that was shown."""
    return await app.ordering.place(buyer.account_id, key, order(buyer, {"A": quantity}, total))


async def sold(app: App, clock: ManualClock) -> dict[str, int]:
    """Units sold in each slot, as the database has it."""
    async with app.db.read() as tx:
        return {each.view.name: each.sold for each in await app.pricing.slots_sold(tx, clock.now())}


async def test_sixty_four_at_once_get_no_more_units_than_the_slot_has(app: App, clock: ManualClock) -> None:
    crowd = await buyers(app, 64)
    campaign = await publish(app, festival(slot("one", 0, 30, 37)))
    open_sale(clock)
    shown = priced(app, clock, 2)
    assert [(str(step.kind), step.rule, step.amount) for step in shown.steps] == [
        ("list_price", "list", 2 * LIST),
        ("flash_price", "flash/one", 2 * (FLASH - LIST)),
        ("shipping", "shipping", 0),
    ]
    answers = await asyncio.gather(*[buy(app, each, shown.total, quantity=2) for each in crowd], return_exceptions=True)
    assert Counter(type(each) for each in answers) == {Placed: 18, FlashPriceGone: 46}
    assert (await sold(app, clock)) == {"one": 36}
    taken = next(each for each in answers if isinstance(each, Placed))
    async with app.db.read() as tx:
        kept = (await app.ordering.order(tx, taken.order_id)).priced
    assert kept.price_ends_at == START + timedelta(minutes=30)
    again = price_order(app.pricing.rules, Cart((CartLine("A", 2),)), kept.facts or NOBODY)
    assert (again.trace_hash, again.total, again.price_ends_at) == (kept.trace_hash, kept.total, kept.price_ends_at)
    # One unit is left at the flash price: one unit has it, two cost what the offer says, and both are the same answer
    # on the page, in the quote and for the order.
    await app.refresh()
    assert priced(app, clock).lines[0].unit_price == FLASH
    assert priced(app, clock, 2).lines[0].unit_price == ORDINARY
    late = next(each for each, answer in zip(crowd, answers, strict=True) if not isinstance(answer, Placed))
    await buy(app, late, priced(app, clock, 2).total, "slots-key-2", quantity=2)
    assert (await sold(app, clock)) == {"one": 36}
    assert (await levels(app, campaign.id, ["A"]))["A"].held == 38
    assert await broken(app) == []


async def test_a_price_is_given_within_its_window_only_by_the_clock_of_the_lane(app: App, clock: ManualClock) -> None:
    first, second, third = await buyers(app, 3)
    await publish(app, festival(slot("one", 2, 10, 5), slot("two", 30, 10, 5)))
    open_sale(clock)
    assert priced(app, clock).total == ORDINARY
    with pytest.raises(PriceChanged):
        await buy(app, first, FLASH)
    clock.advance(seconds=60)
    placed = await buy(app, first, FLASH, "slots-key-2")
    clock.advance(seconds=599)
    # Priced in the last second, it comes to the lane when the slot is over.
    late = asyncio.create_task(buy(app, second, FLASH))
    await asyncio.sleep(0)
    clock.advance(seconds=1)
    with pytest.raises(SlotEnded) as refused:
        await late
    assert refused.value.fields["ended_at"] == START + timedelta(minutes=12)
    assert priced(app, clock).total == ORDINARY
    # What was taken is the answer to its key for ever.
    assert await buy(app, first, FLASH, "slots-key-2") == placed
    with pytest.raises(PriceChanged):
        await buy(app, third, FLASH)
    assert await sold(app, clock) == {"one": 1, "two": 0}
    assert await broken(app) == []


async def test_units_come_back_to_their_slot_from_orders_that_end_unpaid_and_from_no_others(
    shop: App, clock: ManualClock
) -> None:
    first, second, third = await buyers(shop, 3)
    await publish(shop, festival(slot("one", 0, 60, 3, 1), slot("two", 120, 60, 3)))
    open_sale(clock)
    kept, given_up, forgotten = [await buy(shop, each, FLASH) for each in (first, second, third)]
    with pytest.raises(FlashPriceGone):
        await buy(shop, first, FLASH, "slots-key-2")
    # Now it is known of this buyer that the account has had its unit: the next price is the offer's.
    assert priced(shop, clock, buyer=first.account_id).total == ORDINARY
    await shop.refresh()
    assert priced(shop, clock).total == ORDINARY
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, given_up.order_id, second.account_id)
    assert await sold(shop, clock) == {"one": 2, "two": 0}
    await shop.payment.pay(kept.order_id, first.account_id)
    await deliver(shop)
    clock.advance(seconds=16 * 60)
    await shop.ordering.expire_due()
    assert await sold(shop, clock) == {"one": 1, "two": 0}
    async with shop.db.transaction() as tx:
        await shop.ordering.refund(tx, kept.order_id, first.account_id, [RefundLine("A", 1)], "changed my mind")
    assert await sold(shop, clock) == {"one": 1, "two": 0}
    await shop.refresh()
    assert priced(shop, clock).total == FLASH
    assert forgotten.order_id != kept.order_id
    assert await broken(shop) == []


@pytest.mark.parametrize(("carry_over", "units"), [(False, 2), (True, 5)])
async def test_what_a_slot_leaves_goes_on_to_the_next_where_the_file_says_so(
    app: App, clock: ManualClock, carry_over: bool, units: int
) -> None:
    crowd = await buyers(app, 8)
    await publish(
        app, festival(slot("one", 0, 10, 4), slot("two", 10, 10, 2), slot("three", 20, 9, 1), carry_over=carry_over)
    )
    open_sale(clock)
    await buy(app, crowd[0], FLASH)
    await app.refresh()
    clock.advance(seconds=600)
    views = app.pricing.timetable("A", clock.now())
    assert [(each.name, str(each.state), each.left) for each in views][1] == ("two", "on", units)
    answers = await asyncio.gather(*[buy(app, each, FLASH) for each in crowd[1:]], return_exceptions=True)
    assert Counter(type(each) for each in answers) == {Placed: units, FlashPriceGone: 7 - units}
    await app.refresh()
    assert priced(app, clock).total == ORDINARY
    clock.advance(seconds=600)
    assert [str(each.state) for each in app.pricing.timetable("A", clock.now())] == ["over", "over", "on"]
    await app.ordering.expire_due()
    assert await sold(app, clock) == {"one": 0, "two": units, "three": 0}
    await buy(app, crowd[0], FLASH, "slots-key-9")
    await app.refresh()
    # The unit of the first slot that was never paid for is carried on, too.
    assert priced(app, clock).total == (FLASH if carry_over else ORDINARY)
    assert await broken(app) == []


async def test_the_doctor_sees_a_unit_of_a_slot_that_no_order_has(app: App, clock: ManualClock) -> None:
    await publish(app, festival(slot("one", 0, 30, 5)))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    await buy(app, buyer, FLASH)
    assert await broken(app) == []
    async with app.db.transaction() as tx:
        await tx.execute("update pricing.counter set used = used + 1 where key like '%/slot:flash/one'")
    [found] = await broken(app)
    assert "counters of limits, budgets, slots and codes hold exactly what orders and reservations use" in found
