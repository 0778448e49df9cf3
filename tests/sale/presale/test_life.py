"""The life of a reservation on the real database and real channels: deposit, balance, order, and every other end."""

import asyncio
from datetime import timedelta

import pytest

from tests.offer.festivals import START
from tests.sale.presale.presales_made import (
    SKU,
    accounts,
    completed,
    deliver,
    deposited,
    festival,
    not_in_the_channels_books,
    presale,
    reserve,
    show,
    to_balance,
)
from tests.sale.shop import broken, buyers, levels, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.sale.ordering.contracts import OrderState, RefundLine
from tidegate.sale.ordering.errors import AddressUnknown, KeyReused, OrderEnded, PriceChanged
from tidegate.sale.payment.contracts import IntentState, RefundState
from tidegate.sale.presale.contracts import Reservation, ReservationState, Reserve
from tidegate.sale.presale.errors import (
    BalanceNotDue,
    DepositWouldBeLost,
    PresaleLimitReached,
    PresaleNotOpen,
    PresaleUnknown,
    ReasonNeeded,
    ReservationEnded,
    ReservationUnknown,
)
from tidegate.sale.stock.errors import SoldOut

CAMPAIGN = CampaignId("double-11")


async def free(app: App) -> int:
    return (await levels(app, CAMPAIGN, [SKU]))[SKU].free


async def settle_refunds(app: App) -> None:
    """Send what is due until the channels confirmed all of it."""
    while await app.payment.send_refunds_due():
        await deliver(app)
    await deliver(app)


async def test_deposit_and_balance_make_an_order_like_any_other(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await completed(shop, clock, buyer, quantity=2)
    assert made.state is ReservationState.COMPLETED
    async with shop.db.transaction() as tx:
        order = await shop.ordering.order(tx, made.reservation_id, buyer.account_id)
        steps = await shop.presales.transitions(tx, made.reservation_id)
    assert (order.state, order.total, order.deposit) == (OrderState.PAID, 180_000, 20_000)
    assert sum(step.amount for step in order.priced.steps) == order.total
    assert [step.state for step in steps] == ["reserved", "deposited", "completed"]
    assert (await levels(shop, CAMPAIGN, [SKU]))[SKU].sold == 2
    assert await accounts(shop) == {"deposits": 0, "sales": -180_000}
    assert await broken(shop) == []


async def test_the_balance_waits_for_its_window_and_asks_for_ones_own_address(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    buyer, other = await buyers(shop, 2)
    made = await reserve(shop, buyer)
    with pytest.raises(BalanceNotDue):
        await shop.presales.pay_balance(made.reservation_id, buyer.account_id, buyer.address_id)
    await shop.presales.pay_deposit(made.reservation_id, buyer.account_id)
    await deliver(shop)
    with pytest.raises(BalanceNotDue):
        await shop.presales.pay_balance(made.reservation_id, buyer.account_id, buyer.address_id)
    to_balance(clock)
    with pytest.raises(AddressUnknown):
        await shop.presales.pay_balance(made.reservation_id, buyer.account_id, other.address_id)
    with pytest.raises(ReservationUnknown):
        await shop.presales.pay_balance(made.reservation_id, other.account_id, other.address_id)
    assert (await show(shop, made.reservation_id)).balance_asked_at is None
    assert await broken(shop) == []


async def test_paying_again_charges_nothing_again(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await completed(shop, clock, buyer)
    for _ in range(2):
        deposit = await shop.presales.pay_deposit(made.reservation_id, buyer.account_id)
        balance = await shop.presales.pay_balance(made.reservation_id, buyer.account_id, buyer.address_id)
        assert (deposit.state, balance.state) == (IntentState.CAPTURED, IntentState.CAPTURED)
        await deliver(shop)
    assert await accounts(shop) == {"deposits": 0, "sales": -90_000}
    assert await broken(shop) == []


async def test_an_unpaid_deposit_ends_the_reservation_and_frees_its_units(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival(presale(quota=1, per_buyer=1)))
    one, two = await buyers(shop, 2)
    made = await reserve(shop, one)
    clock.advance(seconds=15 * 60 - 1)
    assert await shop.presales.end_due() == 0
    clock.advance(seconds=1)
    assert await shop.presales.end_due() == 1
    assert (await show(shop, made.reservation_id)).state is ReservationState.EXPIRED
    assert (await deposited(shop, two)).state is ReservationState.DEPOSITED
    with pytest.raises(ReservationEnded):
        async with shop.db.transaction() as tx:
            await shop.presales.give_up(tx, made.reservation_id, one.account_id, lose_deposit=True)
    assert await broken(shop) == []


@pytest.mark.parametrize("asked", [False, True], ids=["never asked for", "asked for and not paid"])
async def test_an_unpaid_balance_forfeits_the_deposit_once(shop: App, clock: ManualClock, asked: bool) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await deposited(shop, buyer, quantity=2)
    to_balance(clock)
    if asked:
        async with shop.db.transaction() as tx:
            await shop.presales._ask_balance(tx, made, buyer.address_id)
    clock.advance(seconds=(START + timedelta(days=2) - clock.now()).total_seconds() - 1)
    assert await shop.presales.end_due() == 0
    clock.advance(seconds=1)
    assert await shop.presales.end_due() == 1
    assert await shop.presales.end_due() == 0
    assert (await show(shop, made.reservation_id)).state is ReservationState.FORFEITED
    assert await free(shop) == 10
    assert await accounts(shop) == {"deposits": 0, "forfeits": -20_000}
    with pytest.raises(ReservationEnded):
        await shop.presales.pay_balance(made.reservation_id, buyer.account_id, buyer.address_id)
    await deliver(shop)
    assert await broken(shop) == []


async def test_the_shop_that_cannot_deliver_pays_double_exactly_once(shop: App) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await deposited(shop, buyer, quantity=2)

    async def act() -> Reservation:
        async with shop.db.transaction() as tx:
            return await shop.presales.cannot_deliver(tx, made.reservation_id, "mara", "the mould broke")

    answers = await asyncio.gather(*(act() for _ in range(8)), return_exceptions=True)
    done = [each for each in answers if isinstance(each, Reservation)]
    assert len(done) == 1
    assert all(isinstance(each, ReservationEnded) for each in answers if each not in done)
    await settle_refunds(shop)
    async with shop.db.transaction() as tx:
        view = await shop.payment.view(tx, made.deposit_id)
    assert sorted((each.cause, each.amount, each.state) for each in view.refunds) == [
        ("compensation", 20_000, RefundState.CONFIRMED),
        ("deposit", 20_000, RefundState.CONFIRMED),
    ]
    assert await accounts(shop) == {"compensation": 20_000, "deposits": 0}
    assert await free(shop) == 10
    assert await broken(shop) == []
    assert await not_in_the_channels_books(shop) == []


async def test_an_order_that_cannot_be_delivered_is_refunded_with_its_deposit_once_more(
    shop: App, clock: ManualClock
) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await completed(shop, clock, buyer, quantity=2)
    async with shop.db.transaction() as tx:
        back = await shop.ordering.refund(tx, made.reservation_id, buyer.account_id, [RefundLine(SKU, 1)], "one back")
    assert back.amount == 90_000
    async with shop.db.transaction() as tx:
        ended = await shop.presales.cannot_deliver(tx, made.reservation_id, "mara", "lost at sea")
    assert ended.state is ReservationState.COMPENSATED
    await settle_refunds(shop)
    async with shop.db.transaction() as tx:
        order = await shop.ordering.order(tx, made.reservation_id)
        refunds = await shop.ordering.refunds_of(tx, made.reservation_id)
    assert (order.state, order.refunded) == (OrderState.REFUNDED, 180_000)
    assert sorted(each.amount for each in refunds) == [20_000, 70_000, 90_000]
    assert await accounts(shop) == {"compensation": 10_000, "deposits": 0, "refunds": 180_000, "sales": -180_000}
    assert await broken(shop) == []


async def test_a_refunded_order_cannot_be_compensated(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await completed(shop, clock, buyer)
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, made.reservation_id, buyer.account_id)
    await settle_refunds(shop)
    with pytest.raises(OrderEnded):
        async with shop.db.transaction() as tx:
            await shop.presales.cannot_deliver(tx, made.reservation_id, "mara", "lost at sea")
    assert (await show(shop, made.reservation_id)).state is ReservationState.COMPLETED
    assert await accounts(shop) == {"deposits": 0, "refunds": 90_000, "sales": -90_000}
    assert await broken(shop) == []


async def test_giving_up_costs_nothing_before_the_deposit_and_the_deposit_after_it(shop: App) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await reserve(shop, buyer)
    async with shop.db.transaction() as tx:
        ended = await shop.presales.give_up(tx, made.reservation_id, buyer.account_id, lose_deposit=False)
    assert ended.state is ReservationState.CANCELLED
    kept = await deposited(shop, buyer, key="presale-key-2")
    with pytest.raises(DepositWouldBeLost):
        async with shop.db.transaction() as tx:
            await shop.presales.give_up(tx, kept.reservation_id, buyer.account_id, lose_deposit=False)
    assert (await show(shop, kept.reservation_id)).state is ReservationState.DEPOSITED
    async with shop.db.transaction() as tx:
        ended = await shop.presales.give_up(tx, kept.reservation_id, buyer.account_id, lose_deposit=True)
    assert ended.state is ReservationState.FORFEITED
    assert await free(shop) == 10
    assert await accounts(shop) == {"deposits": 0, "forfeits": -10_000}
    assert await broken(shop) == []


async def test_staff_give_a_reason(shop: App) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await deposited(shop, buyer)
    with pytest.raises(ReasonNeeded):
        async with shop.db.transaction() as tx:
            await shop.presales.cannot_deliver(tx, made.reservation_id, "mara", "  ")
    assert (await show(shop, made.reservation_id)).state is ReservationState.DEPOSITED


async def test_sixty_four_buyers_reserve_the_last_ten_units(shop: App) -> None:
    await publish(shop, festival())
    crowd = await buyers(shop, 64)
    answers = await asyncio.gather(*(reserve(shop, each) for each in crowd), return_exceptions=True)
    assert sum(isinstance(each, Reservation) for each in answers) == 10
    assert sum(isinstance(each, SoldOut) for each in answers) == 54
    assert (await levels(shop, CAMPAIGN, [SKU]))[SKU].held == 10
    assert await broken(shop) == []


async def test_a_buyers_limit_holds_under_a_race_and_counts_what_is_kept_only(shop: App) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    tries = [reserve(shop, buyer, key=f"presale-race-{number}") for number in range(8)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    made = [each for each in answers if isinstance(each, Reservation)]
    assert len(made) == 2
    assert all(isinstance(each, PresaleLimitReached) for each in answers if each not in made)
    async with shop.db.transaction() as tx:
        await shop.presales.give_up(tx, made[0].reservation_id, buyer.account_id, lose_deposit=False)
    assert (await reserve(shop, buyer, key="presale-again")).state is ReservationState.RESERVED
    assert await broken(shop) == []


async def test_the_same_key_reserves_once(shop: App) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    answers = await asyncio.gather(*(reserve(shop, buyer) for _ in range(8)))
    assert len({each.reservation_id for each in answers}) == 1
    with pytest.raises(KeyReused):
        await reserve(shop, buyer, quantity=2)
    assert await free(shop) == 9


async def test_what_is_refused_reserves_nothing(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    with pytest.raises(PriceChanged):
        await shop.presales.reserve(
            buyer.account_id, "presale-key-1", Reserve(sku=SKU, quantity=1, expected_deposit=1, expected_balance=1)
        )
    with pytest.raises(PresaleUnknown):
        await shop.presales.reserve(
            buyer.account_id, "presale-key-1", Reserve(sku="KTL-1", quantity=1, expected_deposit=1, expected_balance=1)
        )
    to_balance(clock)
    with pytest.raises(PresaleNotOpen):
        await reserve(shop, buyer)
    assert await free(shop) == 10
    assert await broken(shop) == []


async def test_a_reservation_keeps_its_terms_when_the_campaign_changes(shop: App, clock: ManualClock) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    made = await deposited(shop, buyer)
    await publish(shop, festival(presale(price=95_000)))
    to_balance(clock)
    paid = await shop.presales.pay_balance(made.reservation_id, buyer.account_id, buyer.address_id)
    assert paid.amount == 80_000
    await deliver(shop)
    assert (await show(shop, made.reservation_id)).state is ReservationState.COMPLETED
    assert await broken(shop) == []
