"""Each thing that a payment channel can do wrong: slow, refusing, silent, late, twice, out of order, gone, killed."""

import asyncio
import time
from datetime import timedelta
from functools import partial

import pytest

from tests.faults.payment_books import charged, close_when_possible, until
from tests.sale.payment.harness import BUYER, SandboxProcess, World, world
from tidegate.base.batch import Overloaded
from tidegate.base.cache import Cache
from tidegate.base.db import Database
from tidegate.sale.payment.contracts import AttemptState, IntentState, PaymentView, RefundCause, RefundState
from tidegate.sale.payment.errors import NoChannelAvailable

pytestmark = pytest.mark.slow


async def test_a_refused_connection_is_left_for_the_other_channel_at_once(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(outage="refused")
    intents = await shop.open_many(60, 700)
    began = time.monotonic()
    views = await asyncio.gather(*[shop.pay(each) for each in intents])
    assert time.monotonic() - began < 12  # nobody waits for a time-out
    assert {(view.state, view.channel) for view in views} == {(IntentState.CAPTURED, "lantern")}
    assert sum(charged(harbour, each.intent_id) for each in intents) == 0
    assert all(charged(lantern, each.intent_id) == 1 for each in intents)
    async with shop.db.transaction() as tx:
        (health,) = [each for each in await shop.payment.channels(tx) if each.name == "harbour"]
    assert (health.state, health.outstanding) == ("open", 0)
    harbour.order()
    await shop.hold()


async def test_a_channel_that_says_it_did_not_process_is_left_at_once(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(outage="declared")
    intents = await shop.open_many(10)
    views = [await shop.pay(each) for each in intents]
    assert {(view.state, view.channel) for view in views} == {(IntentState.CAPTURED, "lantern")}
    await shop.hold()


async def test_a_channel_chosen_by_the_buyer_is_not_left_for_another(shop: World, harbour: SandboxProcess) -> None:
    harbour.order(outage="refused")
    intent = await shop.open()
    view = await shop.pay(intent, "harbour")
    assert (view.state, view.reason) == (IntentState.OPEN, "connection-refused")
    assert [each.state for each in (await shop.look(intent)).attempts] == [AttemptState.UNREACHED]
    harbour.order()


async def test_charged_and_never_answered_is_found_out_and_not_charged_again(
    hasty: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(timeout_share=1, lost_share=1)
    intent = await hasty.open()
    view = await hasty.pay(intent, "harbour")
    assert view.state is IntentState.CONFIRMING
    assert await hasty.close(intent) == set()
    assert (await hasty.pay(intent)).state is IntentState.CONFIRMING
    harbour.order()
    await hasty.settle()
    assert (await hasty.look(intent)).state is IntentState.CAPTURED
    assert (charged(harbour, intent.intent_id), charged(lantern, intent.intent_id)) == (1, 0)
    await hasty.hold()


async def test_an_error_after_charging_is_not_taken_for_a_failure(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(error_after_share=1, lost_share=1)
    intents = await shop.open_many(5)
    for each in intents:
        await shop.payment.pay(each.intent_id, BUYER, "harbour")
    harbour.order()
    await shop.settle()
    for each in intents:
        assert (charged(harbour, each.intent_id), charged(lantern, each.intent_id)) == (1, 0)
        assert (await shop.look(each)).state is IntentState.CAPTURED
    await shop.hold()


async def test_an_error_before_charging_is_closed_there_and_paid_elsewhere(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(error_share=1)
    intents = await shop.open_many(4)
    views = [await shop.pay(each) for each in intents]
    lost = [each for each, view in zip(intents, views, strict=True) if view.state is IntentState.CONFIRMING]
    assert lost
    harbour.order()
    await shop.settle()
    for each in intents:
        assert charged(harbour, each.intent_id) + charged(lantern, each.intent_id) == 1
    for each in lost:
        look = await shop.look(each)
        assert look.attempts[0].state is AttemptState.CLOSED
        assert look.state is IntentState.CAPTURED
    await shop.hold()


async def test_a_slow_charge_that_was_closed_meanwhile_never_charges(
    hasty: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(slow_ms=2_500)
    intent = await hasty.open()
    view = await hasty.pay(intent)
    while view.state is not IntentState.CONFIRMING:
        intent = await hasty.open()
        view = await hasty.pay(intent)
    harbour.order()
    await hasty.settle()
    look = await hasty.look(intent)
    assert (look.state, look.channel) == (IntentState.CAPTURED, "lantern")
    await asyncio.sleep(2.5)
    assert (charged(harbour, intent.intent_id), charged(lantern, intent.intent_id)) == (0, 1)
    await hasty.hold()


async def test_a_pending_charge_is_confirmed_by_callback(shop: World, harbour: SandboxProcess) -> None:
    harbour.order(answer="pending", confirm_ms=100)
    intent = await shop.open()
    assert (await shop.pay(intent, "harbour")).state is IntentState.CONFIRMING

    async def captured() -> bool:
        return (await shop.look(intent)).state is IntentState.CAPTURED

    await until(captured)
    await shop.hold()


async def test_a_charge_that_stays_pending_is_closed_and_paid_elsewhere(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(answer="pending", confirm_ms=100_000)
    intents = await shop.open_many(6)
    await asyncio.gather(*[shop.pay(each) for each in intents])
    harbour.order()
    await shop.settle()
    for each in intents:
        assert (await shop.look(each)).state is IntentState.CAPTURED
        assert charged(harbour, each.intent_id) + charged(lantern, each.intent_id) == 1
    await shop.hold()


async def test_money_for_a_closed_intent_goes_back_by_itself(shop: World, harbour: SandboxProcess) -> None:
    intent = await shop.open()
    harbour.order(answer="pending", confirm_ms=4_000, close_ignored=True)
    assert (await shop.pay(intent, "harbour")).state is IntentState.CONFIRMING
    await close_when_possible(shop, intent)

    async def arrived() -> bool:
        return (await shop.look(intent)).attempts[0].state is AttemptState.SURPLUS

    await until(arrived)
    harbour.order()
    await shop.settle()
    look = await shop.look(intent)
    assert (look.state, look.refunded) == (IntentState.CLOSED, 0)
    ((refund),) = look.refunds
    assert (refund.amount, refund.cause, refund.state) == (12_900, RefundCause.SURPLUS, RefundState.CONFIRMED)
    assert await shop.net_of(intent) == 0
    assert (await shop.balance("channel:harbour"), await shop.balance("surplus")) == (0, 0)
    async with shop.db.transaction() as tx:
        (found,) = await shop.payment.discrepancies(tx, shop.clock.now() - timedelta(hours=1))
    assert found.kind == "charged-after-end"
    await shop.hold()


async def test_refunds_are_repeated_through_an_outage_and_given_once(hasty: World, harbour: SandboxProcess) -> None:
    intent = await hasty.open(9_000)
    await hasty.pay(intent, "harbour")
    before = harbour.totals()["refunded"]
    async with hasty.db.transaction() as tx:
        await hasty.payment.refund(tx, intent.intent_id, 4_000, "came back")
    for faults in ({"timeout_share": 1, "lost_share": 1}, {"error_share": 1}, {"outage": "refused"}, {"outage": "503"}):
        harbour.order(**faults)
        await hasty.work(400)
        assert (await hasty.look(intent)).refunds[0].state is RefundState.REQUESTED
    harbour.order()
    await hasty.settle()
    look = await hasty.look(intent)
    assert (look.refunded, look.refunds[0].state) == (4_000, RefundState.CONFIRMED)
    assert harbour.totals()["refunded"] - before == 4_000
    await hasty.hold()


async def test_when_every_channel_is_gone_paying_says_so_and_recovers(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(outage="refused")
    lantern.order(outage="refused")
    first, *others = await shop.open_many(12)
    assert ((view := await shop.pay(first)).state, view.reason) == (IntentState.OPEN, "connection-refused")
    answers = await asyncio.gather(*[shop.pay(each) for each in others[:6]], return_exceptions=True)
    assert {type(each) for each in answers} <= {PaymentView, NoChannelAvailable}
    with pytest.raises(NoChannelAvailable):
        await shop.pay(others[-1])
    assert (await shop.look(others[-1])).attempts == ()
    harbour.order()
    lantern.order()
    waiting = await shop.open()

    async def paid() -> bool:
        await shop.payment.refresh()
        try:
            return (await shop.pay(waiting)).state is IntentState.CAPTURED
        except NoChannelAvailable:
            return False

    await until(paid)
    await shop.hold()


async def test_health_is_shared_by_processes_and_survives_without_valkey(
    db: Database, cache: Cache, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    async with world(db, cache, harbour, lantern) as one, world(db, cache, harbour, lantern) as other:
        harbour.order(outage="refused")
        for intent in await one.open_many(30):
            await one.pay(intent)
        await one.payment.refresh()
        await other.payment.refresh()
        async with db.transaction() as tx:
            (seen,) = [each for each in await other.payment.channels(tx) if each.name == "harbour"]
        assert seen.state == "open"
    dead = Cache("redis://127.0.0.1:1", timeout_seconds=0.2)
    async with world(db, dead, harbour, lantern) as alone:
        await alone.payment.refresh()
        views = [await alone.pay(each) for each in await alone.open_many(20)]
        await alone.payment.refresh()
        assert {view.channel for view in views} == {"lantern"}
        async with db.transaction() as tx:
            (seen,) = [each for each in await alone.payment.channels(tx) if each.name == "harbour"]
        assert seen.state == "open"
    await dead.close()
    harbour.order()


async def test_a_channel_killed_in_a_flood_loses_nothing_that_it_acknowledged(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    intents = await shop.open_many(600, 300)
    flood = asyncio.gather(*[shop.pay(each) for each in intents], return_exceptions=True)
    await asyncio.sleep(0.12)
    harbour.kill()
    await asyncio.sleep(0.3)
    harbour.start()
    # A machine with much else to do may be late with some: they are told so, and are paid in the end as all are.
    assert {type(each) for each in await flood} <= {PaymentView, Overloaded}
    await shop.settle()
    for each in intents:
        await until(partial(shop.pays_in_the_end, each))
    looks = [await shop.look(each) for each in intents]
    assert {each.state for each in looks} == {IntentState.CAPTURED}
    for each, look in zip(intents, looks, strict=True):
        by_channel = {"harbour": charged(harbour, each.intent_id), "lantern": charged(lantern, each.intent_id)}
        assert by_channel == {"harbour": 0, "lantern": 0, look.channel: 1}
    await shop.hold()


async def test_a_payment_process_that_dies_between_the_call_and_the_record_loses_nothing(
    shop: World, harbour: SandboxProcess
) -> None:
    harbour.order(slow_ms=200, lost_share=1)
    intent = await shop.open()
    paying = asyncio.get_running_loop().create_task(shop.pay(intent, "harbour"))
    await asyncio.sleep(0.1)
    paying.cancel()
    await asyncio.sleep(0.3)
    assert (await shop.look(intent)).attempts[0].state is AttemptState.STARTED
    assert await shop.close(intent) == set()
    harbour.order()
    await shop.settle()
    assert (await shop.look(intent)).state is IntentState.CAPTURED
    assert charged(harbour, intent.intent_id) == 1
    await shop.hold()


async def test_reconciliation_finds_money_of_which_nobody_told_us(shop: World, harbour: SandboxProcess) -> None:
    paid, broken = await shop.open_many(2, 800)
    await shop.pay(paid, "harbour")
    harbour.order(answer="pending", confirm_ms=4_000, close_ignored=True, lost_share=1)
    await shop.pay(broken, "harbour")
    await close_when_possible(shop, broken)
    await until(lambda: charged(harbour, broken.intent_id) == 1)
    harbour.order()
    now = shop.clock.now()
    first = await shop.payment.reconcile("harbour", now - timedelta(hours=1), now + timedelta(minutes=1))
    theirs = [each for each in first.missing_here if each.theirs == 800]
    assert len(theirs) == 1
    assert (await shop.look(broken)).attempts[0].state is AttemptState.SURPLUS
    await shop.settle()
    assert await shop.net_of(broken) == 0
    second = await shop.payment.reconcile("harbour", now - timedelta(hours=1), now + timedelta(hours=1))
    assert not [each for each in second.missing_here if each.theirs == 800]
    await shop.hold()
