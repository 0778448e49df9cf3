"""What becomes of an order: paid, expired, cancelled, refunded; each with real channels, ledger and stock."""

import asyncio
from uuid import UUID

import pytest

from tests.offer.festivals import definition, offer
from tests.sale.payment.harness import SandboxProcess
from tests.sale.shop import Buyer, broken, buyers, levels, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignId, Shipping
from tidegate.sale.ordering.contracts import Order, OrderState, Refund, RefundLine
from tidegate.sale.ordering.errors import KeyReused, OrderEnded, OrderUnknown, PaymentUnderWay, RefundTooLarge
from tidegate.sale.payment.contracts import IntentState

CAMPAIGN = CampaignId("double-11")


async def deliver(app: App) -> None:
    """Carry all events to their subscribers, as the worker does."""
    while not await app.outbox.drained(app.db):
        for name in app.outbox.subscribers:
            await app.outbox.deliver(app.db, name)


async def placed(app: App, buyer: Buyer, lines: dict[str, int], total: int, key: str = "life-key-1") -> UUID:
    return (await app.ordering.place(buyer.account_id, key, order(buyer, lines, total))).order_id


async def show(app: App, order_id: UUID) -> Order:
    async with app.db.read() as tx:
        return await app.ordering.order(tx, order_id)


async def paid(app: App, buyer: Buyer, lines: dict[str, int], total: int) -> UUID:
    order_id = await placed(app, buyer, lines, total)
    assert (await app.payment.pay(order_id, buyer.account_id)).state is IntentState.CAPTURED
    await deliver(app)
    return order_id


async def test_a_paid_order_has_sold_its_units(shop: App) -> None:
    await publish(shop, definition([offer("A", quota=5)]))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"A": 2}, 16_000)
    assert (await show(shop, order_id)).state is OrderState.PAID
    level = (await levels(shop, CAMPAIGN, ["A"]))["A"]
    assert (level.held, level.sold, level.free) == (0, 2, 3)
    assert await broken(shop) == []


async def test_units_are_kept_by_those_who_paid_and_gave_nothing_back(shop: App) -> None:
    await publish(shop, definition([offer("A", quota=9), offer("B", quota=9)]))
    keeper, returner, waiter = await buyers(shop, 3)
    await paid(shop, keeper, {"A": 2, "B": 1}, 24_000)
    returned = await paid(shop, returner, {"A": 1}, 8_000)
    await placed(shop, waiter, {"A": 1}, 8_000)
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, returned, returner.account_id)
        assert await shop.ordering.kept_units(tx, CAMPAIGN, "A") == {keeper.account_id: 2}
        assert await shop.ordering.kept_units(tx, CAMPAIGN, "B") == {keeper.account_id: 1}
        assert await shop.ordering.kept_units(tx, "another", "A") == {}


async def test_an_unpaid_order_expires_and_its_units_come_back(shop: App, clock: ManualClock) -> None:
    await publish(shop, definition([offer("A", quota=2)]))
    one, two = await buyers(shop, 2)
    order_id = await placed(shop, one, {"A": 2}, 16_000)
    clock.advance(seconds=15 * 60 - 1)
    assert await shop.ordering.expire_due() == 0
    clock.advance(seconds=2)
    assert await shop.ordering.expire_due() == 1
    assert (await show(shop, order_id)).state is OrderState.EXPIRED
    await placed(shop, two, {"A": 2}, 16_000)
    await deliver(shop)
    assert await broken(shop) == []


async def test_a_payment_under_way_keeps_the_hold_and_is_never_guessed(
    shop: App, clock: ManualClock, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    await publish(shop, definition([offer("A", quota=2)]))
    [buyer] = await buyers(shop, 1)
    order_id = await placed(shop, buyer, {"A": 1}, 8_000)
    for channel in (harbour, lantern):
        channel.order(timeout_share=1.0, lost_share=1.0)
    view = await shop.payment.pay(order_id, buyer.account_id)
    assert view.state is IntentState.CONFIRMING
    clock.advance(seconds=16 * 60)
    told = (await show(shop, order_id)).expires_at
    assert await shop.ordering.expire_due() == 0
    assert (await show(shop, order_id)).expires_at == told, "the time to pay stays what the buyer was told"
    async with shop.db.transaction() as tx:
        with pytest.raises(PaymentUnderWay):
            await shop.ordering.cancel(tx, order_id, buyer.account_id)
    assert (await levels(shop, CAMPAIGN, ["A"]))["A"].held == 1
    for channel in (harbour, lantern):
        channel.order()
    await _resolved(shop, clock)
    assert (await show(shop, order_id)).state is OrderState.PAID
    assert await broken(shop) == []


async def _resolved(shop: App, clock: ManualClock) -> None:
    for _ in range(30):
        clock.advance(seconds=5)
        await shop.payment.resolve_due()
        await deliver(shop)
        await asyncio.sleep(0.05)


async def test_a_cancelled_order_frees_its_units_at_once_and_only_once(shop: App) -> None:
    await publish(shop, definition([offer("A", quota=2)]))
    [buyer, other] = await buyers(shop, 2)
    order_id = await placed(shop, buyer, {"A": 2}, 16_000)
    async with shop.db.transaction() as tx:
        with pytest.raises(OrderUnknown):
            await shop.ordering.cancel(tx, order_id, other.account_id)
    for _ in range(2):
        async with shop.db.transaction() as tx:
            cancelled = await shop.ordering.cancel(tx, order_id, buyer.account_id, "changed my mind")
        assert cancelled.state is OrderState.CANCELLED
    assert (await levels(shop, CAMPAIGN, ["A"]))["A"].free == 2
    await deliver(shop)
    assert await broken(shop) == []


async def test_cancelling_a_paid_order_sends_all_of_its_money_back(shop: App, clock: ManualClock) -> None:
    await publish(shop, definition([offer("A", quota=5)], shipping=Shipping(fee=600, free_from=None)))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"A": 2}, 16_600)
    async with shop.db.transaction() as tx:
        assert (await shop.ordering.cancel(tx, order_id, buyer.account_id)).state is OrderState.REFUNDING
    await refunded(shop, clock)
    order = await show(shop, order_id)
    assert (order.state, order.refunded) == (OrderState.REFUNDED, 16_600)
    assert (await levels(shop, CAMPAIGN, ["A"]))["A"].free == 5
    assert await broken(shop) == []


async def refunded(shop: App, clock: ManualClock) -> None:
    for _ in range(5):
        await shop.payment.send_refunds_due()
        await deliver(shop)
        clock.advance(seconds=2)


async def test_units_given_back_bring_their_shares_in_any_order(shop: App, clock: ManualClock) -> None:
    await publish(shop, definition([offer("A", 3_333, quota=9), offer("B", 1_000, quota=9)]))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"A": 3, "B": 1}, 10_999)
    amounts = []
    for lines in ((RefundLine("A", 1),), (RefundLine("B", 1), RefundLine("A", 1))):
        async with shop.db.transaction() as tx:
            amounts.append((await shop.ordering.refund(tx, order_id, buyer.account_id, lines, "")).amount)
    async with shop.db.transaction() as tx:
        with pytest.raises(RefundTooLarge):
            await shop.ordering.refund(tx, order_id, buyer.account_id, (RefundLine("A", 2),), "")
    async with shop.db.transaction() as tx:
        amounts.append((await shop.ordering.refund(tx, order_id, buyer.account_id, (RefundLine("A", 1),), "")).amount)
    assert amounts == [3_333, 4_333, 3_333]
    await refunded(shop, clock)
    assert (await show(shop, order_id)).state is OrderState.REFUNDED
    async with shop.db.transaction() as tx:
        with pytest.raises(OrderEnded):
            await shop.ordering.refund(tx, order_id, buyer.account_id, (RefundLine("A", 1),), "")
    assert await broken(shop) == []


async def test_a_refund_asked_for_again_is_the_same_refund(shop: App, clock: ManualClock) -> None:
    await publish(shop, definition([offer("A", 3_000, quota=9)]))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"A": 2}, 6_000)
    one, both = (RefundLine("A", 1),), (RefundLine("A", 2),)

    async def ask(lines: tuple[RefundLine, ...], key: str) -> Refund:
        async with shop.db.transaction() as tx:
            return await shop.ordering.refund(tx, order_id, buyer.account_id, lines, "", expected=3_000, key=key)

    asked = await asyncio.gather(*[ask(one, "the-answer-was-lost") for _ in range(8)])
    assert len({refund.refund_id for refund in asked}) == 1
    with pytest.raises(KeyReused, match="Nothing was refunded"):
        await ask(both, "the-answer-was-lost")
    assert (await ask(one, "another-unit")).refund_id != asked[0].refund_id
    await refunded(shop, clock)
    found = await show(shop, order_id)
    assert (found.state, found.refunded) == (OrderState.REFUNDED, 6_000)
    assert (await ask(one, "the-answer-was-lost")).refund_id == asked[0].refund_id, "also when all is back"
    assert await broken(shop) == []


async def test_the_doctor_bears_captures_on_their_way_to_their_orders(shop: App) -> None:
    await publish(shop, definition([offer("A", quota=5)]))
    coming, waiting, done = await buyers(shop, 3)
    await paid(shop, done, {"A": 1}, 8_000)
    await placed(shop, waiting, {"A": 1}, 8_000)
    order_id = await placed(shop, coming, {"A": 1}, 8_000)
    assert (await shop.payment.pay(order_id, coming.account_id)).state is IntentState.CAPTURED
    assert (await show(shop, order_id)).state is OrderState.PLACED
    assert await broken(shop) == []
    await deliver(shop)
    assert (await show(shop, order_id)).state is OrderState.PAID
    assert await broken(shop) == []


async def test_the_doctor_sees_a_paid_order_without_payment(shop: App) -> None:
    await publish(shop, definition([offer("A", quota=5)]))
    [buyer] = await buyers(shop, 1)
    order_id = await placed(shop, buyer, {"A": 1}, 8_000)
    async with shop.db.transaction() as tx:
        await tx.execute("update ordering.orders set state = 'paid', paid_at = now() where order_id = %s", [order_id])
    found = await broken(shop)
    assert any("each paid order has one captured payment" in name for name in found)
    assert any("placed orders have exactly their units held" in name for name in found)
