"""A channel takes another amount than was asked: it waits for a person, and all books agree once that one decided."""

import asyncio
from datetime import timedelta

import pytest

from tests.sale.payment.harness import SandboxProcess, World
from tidegate.sale.payment.contracts import (
    AttemptState,
    HandRemedy,
    IntentState,
    OpenIntent,
    PaymentCaptured,
    PaymentView,
    RefundState,
)
from tidegate.sale.payment.errors import CannotAccept, ChannelSilent, ChargeChanged, NothingToSettle

PRICE = 12_900


async def taken(shop: World, harbour: SandboxProcess, more: int) -> tuple[OpenIntent, PaymentView]:
    """An order whose channel took so much more than was asked."""
    harbour.order(charge_more=more)
    intent = await shop.open(PRICE)
    view = await shop.pay(intent, "harbour")
    assert (view.state, view.attempts[0].state) == (IntentState.CONFIRMING, AttemptState.STARTED)
    await shop.work(30)
    async with shop.db.transaction() as tx:
        [waits] = [each for each in await shop.payment.check(tx) if not each.holds]
        assert await shop.payment.odd_among(tx, [view.attempts[0].attempt_id]) == {view.attempts[0].attempt_id}
    assert waits.name == "payment: no payment and no refund waits for a person"
    return intent, await shop.look(intent)


async def books_agree(shop: World) -> None:
    """The channel's statement and our ledger have the same lines, and every invariant holds."""
    await shop.settle()
    report = await shop.payment.reconcile("harbour", shop.began_at, shop.clock.now() + timedelta(hours=1))
    assert report.clean
    assert report.under_way_count == 0
    await shop.hold()


async def test_more_than_was_asked_pays_the_order_and_the_difference_goes_back(
    shop: World, harbour: SandboxProcess
) -> None:
    intent, view = await taken(shop, harbour, 700)
    attempt_id = view.attempts[0].attempt_id
    charged = await shop.payment.charged(attempt_id)
    assert (charged.asked, charged.taken, charged.remedies) == (PRICE, 13_600, tuple(HandRemedy))
    with pytest.raises(ChargeChanged):
        await shop.payment.settle_by_hand(attempt_id, HandRemedy.ACCEPT, taken=13_601, reason="as told", by="Wei")
    decided = await asyncio.gather(
        *[
            shop.payment.settle_by_hand(attempt_id, HandRemedy.ACCEPT, taken=13_600, reason="as told", by=f"Wei {n}")
            for n in range(4)
        ]
    )
    assert len({each.settled_by for each in decided}) == 1
    await books_agree(shop)
    view = await shop.look(intent)
    assert (view.state, view.refunded) == (IntentState.CAPTURED, 0)
    assert [(each.amount, each.state) for each in view.refunds] == [(700, RefundState.CONFIRMED)]
    [event] = [each for each in await shop.events() if isinstance(each, PaymentCaptured)]
    assert event.amount == PRICE
    assert (await shop.balance("sales"), await shop.balance("channel:harbour")) == (-PRICE, PRICE)
    async with shop.db.transaction() as tx:
        await shop.payment.refund(tx, intent.intent_id, PRICE, "given back later")
        assert (await shop.payment.ledger_sums(tx, [intent.order_id])).captured == PRICE
    await books_agree(shop)
    with pytest.raises(NothingToSettle):
        await shop.payment.charged(attempt_id)


@pytest.mark.parametrize("more", [700, -700])
async def test_all_of_it_goes_back_and_the_order_can_be_paid_again(
    shop: World, harbour: SandboxProcess, more: int
) -> None:
    intent, view = await taken(shop, harbour, more)
    attempt_id = view.attempts[0].attempt_id
    if more < 0:
        with pytest.raises(CannotAccept):
            await shop.payment.settle_by_hand(
                attempt_id, HandRemedy.ACCEPT, taken=PRICE + more, reason="as told", by="Wei"
            )
    for remedy in (HandRemedy.REFUND, HandRemedy.ACCEPT):  # what was decided first stands
        settled = await shop.payment.settle_by_hand(attempt_id, remedy, taken=PRICE + more, reason="wrong", by="Wei")
        assert (settled.remedy, settled.taken) == (HandRemedy.REFUND, PRICE + more)
    assert (await shop.look(intent)).state is IntentState.OPEN
    harbour.order()
    assert (await shop.pay(intent, "harbour")).state is IntentState.CAPTURED
    await books_agree(shop)
    view = await shop.look(intent)
    assert [each.state for each in view.attempts] == [AttemptState.SURPLUS, AttemptState.CAPTURED]
    assert [each.amount for each in view.refunds] == [PRICE + more]
    async with shop.db.transaction() as tx:
        assert await shop.payment.settlements_of(tx, intent.order_id) == [settled]


async def test_a_channel_that_does_not_answer_is_not_guessed(shop: World, harbour: SandboxProcess) -> None:
    _, view = await taken(shop, harbour, 1)
    harbour.order(outage="503")
    with pytest.raises(ChannelSilent):
        await shop.payment.charged(view.attempts[0].attempt_id)
    harbour.order()
