"""A shortfall from the count to the last refund: real channels, ledger and stock, and buyers who race it."""

import asyncio
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
import pytest

from tests.offer.festivals import definition, offer
from tests.sale.books import Books
from tests.sale.ordering.test_life import CAMPAIGN, deliver, paid, placed, refunded, show
from tests.sale.ordering.test_returns import CART, TOTAL, with_gifts
from tests.sale.payment.harness import SandboxProcess
from tests.sale.presale.presales_made import SKU, completed, deposited, festival, presale
from tests.sale.shop import Buyer, broken, buyers, levels, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.base.outbox import Event
from tidegate.offer.campaign.contracts import GiftPolicy
from tidegate.sale.ordering.contracts import OrderState, RefundReason
from tidegate.sale.ordering.errors import KeyReused
from tidegate.sale.payment.contracts import IntentState
from tidegate.sale.shortfall.contracts import LaterDeclined, Line, Outcome, StateShortfall, Told, UnitsFellShort
from tidegate.sale.shortfall.errors import NothingLater, NothingMissing, ShortfallUnknown

KEY = "count-2026-11-11"
DAY = date(2026, 12, 1)


def counted(there: int, *, later: bool = False, sku: str = "A") -> StateShortfall:
    said = {"sku": sku, "there": there, "remedy": "refund", "reason": "a pallet got wet"}
    return msgspec.convert(said | ({"remedy": "later", "deliver_by": DAY} if later else {}), StateShortfall)


async def state(shop: App, command: StateShortfall, key: str = KEY) -> Told:
    return await shop.shortfalls.state(key, CAMPAIGN, command, "Lin")


async def lines(shop: App, order_id: UUID) -> list[Line]:
    async with shop.db.read() as tx:
        return await shop.shortfalls.lines_of(tx, order_id)


async def states(shop: App, ids: Sequence[UUID]) -> list[OrderState]:
    return [(await show(shop, order_id)).state for order_id in ids]


async def at_rest(shop: App, clock: ManualClock) -> None:
    """Let the worker work until nothing is short any more: every payment under way has its outcome."""
    for _ in range(60):
        await shop.payment.resolve_due()
        await deliver(shop)
        await shop.shortfalls.settle_due()
        async with shop.db.read() as tx:
            if not await shop.stock.short_levels(tx):
                return
        clock.advance(seconds=5)
        await asyncio.sleep(0.05)
    raise AssertionError("it is still short")


@pytest.fixture
def heard(shop: App) -> list[Event]:
    """What buyers are told, as a module that sends messages would hear it."""
    told: list[Event] = []

    async def hear(tx: object, events: list[Event]) -> None:
        told.extend(events)

    shop.outbox.subscribe("test", {UnitsFellShort: hear, LaterDeclined: hear})
    return told


async def test_free_units_then_unpaid_orders_then_the_latest_paid_go_without(
    shop: App, clock: ManualClock, books: Books, heard: list[Event]
) -> None:
    await publish(shop, definition([offer("A", quota=10), offer("B", quota=10)]))
    crowd = await buyers(shop, 5)
    ids = []
    for buyer in crowd[:3]:
        ids.append(await paid(shop, buyer, {"A": 2, "B": 1}, 24_000))
        clock.advance(seconds=1)
    ids += [await placed(shop, buyer, {"A": 1}, 8_000) for buyer in crowd[3:]]
    told = await state(shop, counted(3))
    assert (told.act.missing, told.act.there, told.act.stated_by) == (7, 3, "Lin")
    assert (told.released_orders, told.released_units) == (2, 2)
    assert (told.refunded_orders, told.refunded_units, told.refunded_amount) == (2, 3, 24_000)
    level = (await levels(shop, CAMPAIGN, ["A"]))["A"]
    assert (level.free, level.held, level.sold, level.missing, level.short) == (0, 0, 3, 7, 0)
    assert await states(shop, ids) == [OrderState.PAID] * 3 + [OrderState.CANCELLED] * 2
    assert await lines(shop, ids[0]) == []
    [[second], [third]] = [await lines(shop, each) for each in ids[1:3]]
    assert (second.outcome, second.units, second.amount) == (Outcome.REFUNDED, 1, 8_000)
    assert (third.outcome, third.units, third.amount) == (Outcome.REFUNDED, 2, 16_000)
    await refunded(shop, clock)
    assert [(await show(shop, each)).refunded for each in ids] == [0, 8_000, 16_000, 0, 0]
    async with shop.db.read() as tx:
        [refund] = await shop.ordering.refunds_of(tx, ids[2])
    assert (refund.cause, refund.reason, refund.asked_by) == (RefundReason.SHORTFALL, "a pallet got wet", "Lin")
    await books.require_equal(shop, ids)
    assert [each.order_id for each in heard if isinstance(each, UnitsFellShort)] == [ids[3], ids[4], ids[2], ids[1]]


async def test_units_put_off_are_told_with_a_day_and_refunded_to_who_does_not_wait(
    shop: App, clock: ManualClock, books: Books, heard: list[Event]
) -> None:
    await publish(shop, definition([offer("A", quota=4)]))
    waits, declines = await buyers(shop, 2)
    ids = [await paid(shop, each, {"A": 2}, 16_000) for each in (waits, declines)]
    told = await state(shop, counted(1, later=True))
    assert (told.later_orders, told.later_units, told.refunded_amount) == (2, 3, 0)
    level = (await levels(shop, CAMPAIGN, ["A"]))["A"]
    assert (level.sold, level.later, level.missing, level.free) == (1, 3, 3, 0)
    [[kept], [off]] = [await lines(shop, each) for each in ids]
    assert (kept.waiting, off.waiting, off.deliver_by, off.amount) == (1, 2, DAY, 0)
    async with shop.db.transaction() as tx:
        with pytest.raises(ShortfallUnknown):
            await shop.shortfalls.decline(tx, ids[1], waits.account_id, off.line_id)
        for _ in range(2):
            gone = await shop.shortfalls.decline(tx, ids[1], declines.account_id, off.line_id)
            assert (gone.amount, gone.waiting, gone.declined_at) == (16_000, 0, clock.now())
        await shop.ordering.cancel(tx, ids[0], waits.account_id)
        with pytest.raises(NothingLater):
            await shop.shortfalls.decline(tx, ids[0], waits.account_id, kept.line_id)
    level = (await levels(shop, CAMPAIGN, ["A"]))["A"]
    assert (level.sold, level.later, level.missing, level.free) == (0, 0, 3, 1)
    await refunded(shop, clock)
    assert await states(shop, ids) == [OrderState.REFUNDED] * 2
    await books.require_equal(shop, ids)
    assert [each.units for each in heard if isinstance(each, LaterDeclined)] == [2]


async def test_the_same_act_sent_again_counts_once(shop: App) -> None:
    await publish(shop, definition([offer("A", quota=9), offer("B", quota=9)]))
    acts = await asyncio.gather(*[state(shop, counted(4)) for _ in range(6)])
    assert len({each.act.act_id for each in acts}) == 1
    for other in (counted(3), counted(4, sku="B"), counted(4, later=True)):
        with pytest.raises(KeyReused):
            await state(shop, other)
    with pytest.raises(NothingMissing):
        await state(shop, counted(4), "another-count")
    level = await levels(shop, CAMPAIGN, ["A", "B"])
    assert (level["A"].missing, level["A"].free, level["B"].missing) == (5, 4, 0)
    async with shop.db.read() as tx:
        assert (await shop.shortfalls.acts(tx, 10)).rows == (acts[0],)
    assert await broken(shop) == []


async def test_a_payment_under_way_is_waited_for_before_anybody_who_paid_goes_without(
    shop: App, clock: ManualClock, harbour: SandboxProcess, lantern: SandboxProcess, books: Books
) -> None:
    await publish(shop, definition([offer("A", quota=2)]))
    early, late = await buyers(shop, 2)
    first, second = await paid(shop, early, {"A": 1}, 8_000), await placed(shop, late, {"A": 1}, 8_000)
    for channel in (harbour, lantern):
        channel.order(timeout_share=1.0, lost_share=1.0)
    assert (await shop.payment.pay(second, late.account_id)).state is IntentState.CONFIRMING
    told = await state(shop, counted(1))
    assert (told.released_orders, told.refunded_orders) == (0, 0)
    assert (await levels(shop, CAMPAIGN, ["A"]))["A"].short == 1
    for channel in (harbour, lantern):
        channel.order()
    await at_rest(shop, clock)
    await refunded(shop, clock)
    assert await states(shop, [first, second]) == [OrderState.PAID, OrderState.REFUNDED]
    await books.require_equal(shop, [first, second])


async def test_with_the_last_unit_bought_the_gift_stays_with_the_shop(shop: App, clock: ManualClock) -> None:
    await publish(shop, with_gifts(GiftPolicy.PAY))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, CART, TOTAL)
    await shop.shortfalls.state(KEY, CAMPAIGN, counted(0, sku="CUP"), "Lin")
    told = await shop.shortfalls.state("second-count", CAMPAIGN, counted(0, sku="POT"), "Lin")
    await refunded(shop, clock)
    found = await show(shop, order_id)
    assert (found.state, found.refunded) == (OrderState.REFUNDED, TOTAL)
    assert (told.refunded_units, (await levels(shop, CAMPAIGN, ["TRAY"]))["TRAY"].sold) == (2, 0)
    assert await broken(shop) == []


async def test_buyers_who_race_the_count_get_what_is_there_and_not_a_unit_more(
    shop: App, clock: ManualClock, books: Books
) -> None:
    await publish(shop, definition([offer("A", quota=40)]))
    crowd = await buyers(shop, 60)
    ids: list[UUID] = []

    async def buy(place: int, buyer: Buyer) -> None:
        await asyncio.sleep(place / 200)
        try:
            made = await shop.ordering.place(buyer.account_id, f"race-key-{place}", order(buyer, {"A": 1}, 8_000))
            ids.append(made.order_id)
            if place % 3:
                await shop.payment.pay(made.order_id, buyer.account_id)
        except Refusal:
            return

    async def work() -> None:
        while True:
            for name in shop.outbox.subscribers:
                await shop.outbox.deliver(shop.db, name)
            await shop.shortfalls.settle_due()
            await asyncio.sleep(0.02)

    async def count() -> Told:
        await asyncio.sleep(0.12)
        return await state(shop, counted(12))

    working = asyncio.create_task(work())
    await asyncio.gather(count(), *[buy(place, buyer) for place, buyer in enumerate(crowd)])
    await asyncio.sleep(0.2)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await at_rest(shop, clock)
    await refunded(shop, clock)
    level = (await levels(shop, CAMPAIGN, ["A"]))["A"]
    assert (level.missing, level.short, level.later) == (28, 0, 0)
    assert level.free + level.held + level.sold == 12
    kept = [each for each in await states(shop, ids) if each in {OrderState.PAID, OrderState.PLACED}]
    assert len(kept) == level.held + level.sold
    await books.require_equal(shop, ids)


async def test_what_reservations_are_promised_waits_for_staff_and_the_doctor_says_so(
    shop: App, clock: ManualClock
) -> None:
    await publish(shop, festival(presale()))
    one, two = await buyers(shop, 2)
    waiting, ordered = await deposited(shop, one, 2), await completed(shop, clock, two)
    told = await state(shop, counted(1, sku=SKU))
    assert (told.released_orders, told.refunded_orders) == (0, 0)
    async with shop.db.read() as tx:
        with pytest.raises(NothingMissing):
            await shop.shortfalls.forecast(tx, CAMPAIGN, counted(1, sku=SKU))
        seen = await shop.shortfalls.forecast(tx, CAMPAIGN, counted(0, sku=SKU))
    assert (seen.unpaid_orders, seen.paid_orders, seen.unmet_units) == (0, 0, 3)
    assert await broken(shop) == []
    clock.advance(seconds=90)
    [told_by_doctor] = await broken(shop)
    assert told_by_doctor.endswith("nothing of it waits for a person: double-11/BOAT-1: 2 units")
    async with shop.db.transaction() as tx:
        await shop.presales.cannot_deliver(tx, waiting.reservation_id, "Lin", "no boats")
    level = (await levels(shop, CAMPAIGN, [SKU]))[SKU]
    assert (level.held, level.sold, level.missing, level.short, level.free) == (0, 1, 9, 0, 0)
    async with shop.db.transaction() as tx:
        await shop.presales.cannot_deliver(tx, ordered.reservation_id, "Lin", "no boats")
    assert (await levels(shop, CAMPAIGN, [SKU]))[SKU].free == 1
    assert await broken(shop) == []


async def test_the_doctor_finds_books_that_do_not_agree(shop: App) -> None:
    await publish(shop, definition([offer("A", quota=4), offer("B", quota=1)]))
    one, two = await buyers(shop, 2)
    await paid(shop, one, {"A": 2}, 16_000)
    await paid(shop, two, {"B": 1}, 8_000)
    await state(shop, counted(1, later=True))
    await state(shop, counted(0, sku="B"), "another-count")
    assert await broken(shop) == []
    for fault in (
        "update shortfall.act set missing = missing + 1 where sku = 'A'",
        "update shortfall.line set amount = amount + 1 where outcome = 'refunded'",
        "update shortfall.act set remedy = 'refund', deliver_by = null; delete from shortfall.line where sku = 'A'",
    ):
        async with shop.db.transaction() as tx:
            await tx.execute(fault.encode())
    found = [each.partition(" is ")[0] for each in await broken(shop)]
    assert sorted(each.split(": ")[1][:20] for each in found if each.startswith("shortfall")) == [
        "each refund for it",
        "what acts say",
        "what comes later was",
    ]
