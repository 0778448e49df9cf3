"""Payment's use cases against the real channel and the real database."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from tests.faults.payment_books import until
from tests.sale.payment.harness import BUYER, SandboxProcess, World
from tidegate.sale.payment.contracts import (
    AttemptState,
    IntentState,
    PaymentCaptured,
    PaymentClosed,
    PaymentRefunded,
    RefundCause,
    RefundState,
)
from tidegate.sale.payment.errors import (
    ChannelUnknown,
    IntentNotPayable,
    IntentUnknown,
    NothingCaptured,
    RefundExceedsCapture,
)
from tidegate.sale.payment.store_payers import put_payers


async def test_paying_captures_once_books_it_and_says_so(shop: World, harbour: SandboxProcess) -> None:
    before = harbour.totals()
    intent = await shop.open(12_900)
    view = await shop.pay(intent, "harbour")
    assert (view.state, view.channel, view.amount) == (IntentState.CAPTURED, "harbour", 12_900)
    (event,) = await shop.events()
    assert isinstance(event, PaymentCaptured)
    assert (event.intent_id, event.order_id, event.amount) == (intent.intent_id, intent.order_id, 12_900)
    assert await shop.balance("channel:harbour") == 12_900
    assert await shop.balance("sales") == -12_900
    after = harbour.totals()
    assert (after["charges"] - before["charges"], after["charged"] - before["charged"]) == (1, 12_900)
    await shop.hold()


async def test_who_paid_last_is_known_where_the_channel_tells_it(shop: World, harbour: SandboxProcess) -> None:
    await shop.pay(await shop.open(), "harbour")
    assert await payers_of(shop) == {}
    seen = set()
    for payers in (1, 10**9, 1):
        harbour.order(payers=payers)
        shop.clock.advance(seconds=1)
        await shop.pay(await shop.open(), "harbour")
        [payer] = (await payers_of(shop)).values()
        paid = [event for event in await shop.events() if isinstance(event, PaymentCaptured)]
        assert payer == paid[-1].payer
        assert payer.startswith("harbour-")
        seen.add(payer)
    assert len(seen) == 2
    harbour.order(payers=0)
    await shop.pay(await shop.open(), "harbour")
    assert set((await payers_of(shop)).values()) < seen  # what is not told changes nothing


async def payers_of(shop: World) -> dict[UUID, str]:
    async with shop.db.read() as tx:
        return await shop.payment.payers_of(tx, [BUYER, uuid4()])


async def test_a_payment_heard_of_late_does_not_displace_a_later_one(shop: World) -> None:
    now = shop.clock.now()
    for payer, moment in (("harbour-a", now), ("harbour-b", now + timedelta(seconds=5)), ("harbour-c", now)):
        async with shop.db.transaction() as tx:
            await put_payers(tx, {BUYER: (payer, moment)})
    assert await payers_of(shop) == {BUYER: "harbour-b"}


async def test_paying_again_changes_nothing(shop: World, harbour: SandboxProcess) -> None:
    intent = await shop.open()
    first = await shop.pay(intent)
    charged = harbour.totals()["charges"]
    again = await shop.pay(intent)
    assert (first.state, again.state) == (IntentState.CAPTURED, IntentState.CAPTURED)
    assert len((await shop.look(intent)).attempts) == 1
    assert harbour.totals()["charges"] == charged


async def test_twenty_clicks_at_once_charge_once(shop: World) -> None:
    intent = await shop.open()
    views = await asyncio.gather(*[shop.pay(intent) for _ in range(20)])
    assert {view.state for view in views} <= {IntentState.CAPTURED, IntentState.CONFIRMING}
    look = await shop.look(intent)
    assert [each.state for each in look.attempts] == [AttemptState.CAPTURED]
    await shop.hold()


async def test_a_flood_is_paid_in_batches_and_split_by_weight(shop: World) -> None:
    intents = await shop.open_many(400, 100)
    views = await asyncio.gather(*[shop.pay(each) for each in intents])
    # A channel that takes no connection in time, on a machine with much else to do, leaves its payment open.
    late = [each for each, view in zip(intents, views, strict=True) if view.state is not IntentState.CAPTURED]
    assert len(late) < 200
    for each in late:
        await until(partial(shop.pays_in_the_end, each))
    shares = [await shop.balance(f"channel:{name}") for name in ("harbour", "lantern")]
    assert sum(shares) == 40_000
    assert min(shares) > 12_000
    await shop.hold()


async def test_an_order_is_paid_by_its_own_id_and_only_by_its_buyer(shop: World) -> None:
    intent = await shop.open()
    with pytest.raises(IntentUnknown):
        await shop.payment.pay_order(intent.order_id, uuid4())
    with pytest.raises(IntentUnknown):
        await shop.payment.pay(uuid4(), BUYER)
    assert (await shop.look(intent)).attempts == ()
    assert (await shop.payment.pay_order(intent.order_id, BUYER)).state is IntentState.CAPTURED


async def test_a_refused_charge_leaves_the_intent_open_with_the_reason(shop: World, harbour: SandboxProcess) -> None:
    harbour.order(refuse_share=1)
    intent = await shop.open()
    view = await shop.pay(intent, "harbour")
    assert (view.state, view.reason) == (IntentState.OPEN, "insufficient-funds")
    harbour.order()
    assert (await shop.pay(intent, "lantern")).state is IntentState.CAPTURED
    look = await shop.look(intent)
    assert [(each.number, each.state) for each in look.attempts] == [
        (1, AttemptState.REFUSED),
        (2, AttemptState.CAPTURED),
    ]
    await shop.hold()


async def test_an_unknown_channel_is_refused_and_nothing_begins(shop: World) -> None:
    intent = await shop.open()
    with pytest.raises(ChannelUnknown):
        await shop.pay(intent, "nowhere")
    assert (await shop.look(intent)).attempts == ()


async def test_closing_takes_open_intents_only(shop: World) -> None:
    open_one, paid, closed = await shop.open_many(3)
    await shop.pay(paid)
    assert await shop.close(closed) == {closed.intent_id}
    assert await shop.close(open_one, paid, closed) == {open_one.intent_id, closed.intent_id}
    for intent in (open_one, closed):
        with pytest.raises(IntentNotPayable):
            await shop.pay(intent)
    ended = [event for event in await shop.events() if isinstance(event, PaymentClosed)]
    assert sorted(event.intent_id for event in ended) == sorted([open_one.intent_id, closed.intent_id])
    await shop.hold()


async def test_an_expired_intent_cannot_be_paid(shop: World) -> None:
    intent = await shop.open(minutes=15)
    shop.clock.advance(seconds=15 * 60)
    with pytest.raises(IntentNotPayable):
        await shop.pay(intent)
    assert (await shop.look(intent)).attempts == ()


async def test_refunds_go_back_in_parts_and_never_beyond_the_capture(shop: World, harbour: SandboxProcess) -> None:
    intent = await shop.open(10_000)
    await shop.pay(intent, "harbour")
    before = harbour.totals()["refunded"]
    async with shop.db.transaction() as tx:
        await shop.payment.refund(tx, intent.intent_id, 3_000, "one unit came back")
    async with shop.db.transaction() as tx:
        await shop.payment.refund(tx, intent.intent_id, 7_000, "the rest")
    with pytest.raises(RefundExceedsCapture):
        async with shop.db.transaction() as tx:
            await shop.payment.refund(tx, intent.intent_id, 1, "one too many")
    await shop.settle()
    look = await shop.look(intent)
    assert (look.refunded, {each.state for each in look.refunds}) == (10_000, {RefundState.CONFIRMED})
    assert harbour.totals()["refunded"] - before == 10_000
    told = [event for event in await shop.events() if isinstance(event, PaymentRefunded)]
    assert sorted(event.amount for event in told) == [3_000, 7_000]
    assert {event.cause for event in told} == {RefundCause.ASKED}
    assert (await shop.balance("channel:harbour"), await shop.balance("refunds")) == (0, 10_000)
    await shop.hold()


async def test_a_compensation_is_paid_beyond_the_capture_and_at_most_as_much_again(
    shop: World, harbour: SandboxProcess
) -> None:
    intent = await shop.open(10_000)
    await shop.pay(intent, "harbour")
    before = harbour.totals()["refunded"]
    for amount, cause in ((10_000, RefundCause.ASKED), (6_000, None), (4_000, None)):
        async with shop.db.transaction() as tx:
            if cause is None:
                await shop.payment.compensate(tx, intent.intent_id, amount, "could not deliver")
            else:
                await shop.payment.refund(tx, intent.intent_id, amount, "could not deliver", cause)
    for act in (shop.payment.compensate, shop.payment.refund):
        with pytest.raises(RefundExceedsCapture):
            async with shop.db.transaction() as tx:
                await act(tx, intent.intent_id, 1, "one too many")
    await shop.settle()
    look = await shop.look(intent)
    assert (look.refunded, {each.state for each in look.refunds}) == (10_000, {RefundState.CONFIRMED})
    assert harbour.totals()["refunded"] - before == 20_000
    assert (await shop.balance("channel:harbour"), await shop.balance("compensation")) == (-10_000, 10_000)
    await shop.hold()


async def test_only_a_captured_deposit_is_forfeited(shop: World) -> None:
    intent = await shop.open(10_000)
    await shop.pay(intent)
    with pytest.raises(NothingCaptured):
        async with shop.db.transaction() as tx:
            await shop.payment.forfeit_deposits(tx, [intent.intent_id])
    assert await shop.balance("forfeits") == 0
    await shop.hold()


async def test_what_was_not_paid_cannot_be_refunded(shop: World) -> None:
    intent = await shop.open()
    with pytest.raises(NothingCaptured):
        async with shop.db.transaction() as tx:
            await shop.payment.refund(tx, intent.intent_id, 1, "never paid")
    with pytest.raises(IntentUnknown):
        async with shop.db.transaction() as tx:
            await shop.payment.refund(tx, uuid4(), 1, "no such payment")
    await shop.pay(intent)
    with pytest.raises(RefundExceedsCapture):
        async with shop.db.transaction() as tx:
            await shop.payment.refund(tx, intent.intent_id, 0, "nothing")
    assert (await shop.look(intent)).refunds == ()


async def test_refunds_asked_for_at_once_stay_within_the_capture(shop: World) -> None:
    intent = await shop.open(1_000)
    await shop.pay(intent)

    async def ask() -> bool:
        try:
            async with shop.db.transaction() as tx:
                await shop.payment.refund(tx, intent.intent_id, 400, "again")
        except RefundExceedsCapture:
            return False
        return True

    assert sum(await asyncio.gather(*[ask() for _ in range(8)])) == 2
    await shop.settle()
    await shop.hold()


async def test_attempts_are_counted_by_channel_and_outcome(shop: World, harbour: SandboxProcess) -> None:
    since = shop.clock.now()
    harbour.order(refuse_share=1)
    await shop.pay(await shop.open(), "harbour")
    await shop.pay(await shop.open(), "lantern")
    async with shop.db.transaction() as tx:
        counted = await shop.payment.attempts_between(tx, since, since + timedelta(seconds=1))
        captured = await shop.payment.captured_fingerprint(tx)
    assert counted == {"harbour": {"declined": 1}, "lantern": {"captured": 1}}
    assert (captured.count, captured.total) == (1, 12_900)


async def test_the_books_agree_and_a_report_is_kept(shop: World) -> None:
    for intent in await shop.open_many(20, 500):
        await shop.pay(intent, "harbour")
    now = shop.clock.now()
    async with shop.db.transaction() as tx:
        (name,) = [each.name for each in await shop.payment.channels(tx) if each.name == "harbour"]
    report = await shop.payment.reconcile(name, now - timedelta(hours=1), now + timedelta(minutes=1))
    assert report.matched == 20
    assert report.missing_there_count == report.amount_differs_count == report.duplicated_count == 0
    async with shop.db.transaction() as tx:
        assert [each.report_id for each in await shop.payment.reports(tx)] == [report.report_id]
