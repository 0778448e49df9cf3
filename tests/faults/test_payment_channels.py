"""Each thing that a payment channel can do wrong: slow, refusing, silent, late, twice, out of order, gone, killed."""

import asyncio
import sqlite3
import time
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from tests.sale.payment.harness import BUYER, SandboxProcess, World, world
from tidegate.base.cache import Cache
from tidegate.base.db import Database
from tidegate.sale.payment.adapters.signature import sign
from tidegate.sale.payment.contracts import AttemptState, IntentState, OpenIntent, RefundCause, RefundState
from tidegate.sale.payment.errors import NoChannelAvailable

pytestmark = pytest.mark.slow


def charges_of(channel: SandboxProcess, subject: UUID) -> list[tuple[str, str, int]]:
    """Return attempt, state and amount of an intent's charges, from the channel's own file."""
    with sqlite3.connect(channel.data / f"{channel.name}.sqlite3") as books:
        rows = books.execute("select attempt_id, state, amount from charge where subject = ?", (str(subject),))
        return rows.fetchall()


def charged(channel: SandboxProcess, subject: UUID) -> int:
    """Return how many charges of an intent succeeded, by the channel's own books."""
    return sum(state == "succeeded" for _, state, _ in charges_of(channel, subject))


async def until(holds: object, seconds: float = 5) -> None:
    """Wait until `holds()` is true."""
    assert callable(holds)
    for _ in range(int(seconds / 0.02)):
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true in time")


async def close_when_possible(shop: World, intent: OpenIntent) -> None:
    """Let the worker close the attempt at the channel, then close the intent."""

    async def closed() -> bool:
        await shop.work(20)
        return await shop.close(intent) == {intent.intent_id}

    await until(closed)
    assert (await shop.look(intent)).attempts[0].state is AttemptState.CLOSED


async def test_a_refused_connection_is_left_for_the_other_channel_at_once(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(outage="refused")
    intents = await shop.open_many(60, 700)
    began = time.monotonic()
    views = await asyncio.gather(*[shop.pay(each) for each in intents])
    assert time.monotonic() - began < 2
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
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(timeout_share=1, lost_share=1)
    intent = await shop.open()
    view = await shop.pay(intent, "harbour")
    assert view.state is IntentState.CONFIRMING
    assert await shop.close(intent) == set()
    assert (await shop.pay(intent)).state is IntentState.CONFIRMING
    harbour.order()
    await shop.settle()
    assert (await shop.look(intent)).state is IntentState.CAPTURED
    assert (charged(harbour, intent.intent_id), charged(lantern, intent.intent_id)) == (1, 0)
    await shop.hold()


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
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(slow_ms=2_500)
    intent = await shop.open()
    view = await shop.pay(intent)
    while view.state is not IntentState.CONFIRMING:
        intent = await shop.open()
        view = await shop.pay(intent)
    harbour.order()
    await shop.settle()
    look = await shop.look(intent)
    assert (look.state, look.channel) == (IntentState.CAPTURED, "lantern")
    await asyncio.sleep(2.5)
    assert (charged(harbour, intent.intent_id), charged(lantern, intent.intent_id)) == (0, 1)
    await shop.hold()


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


async def test_duplicate_and_out_of_order_callbacks_change_nothing(shop: World, harbour: SandboxProcess) -> None:
    harbour.order(duplicate_share=1, shuffle_ms=300)
    intents = await shop.open_many(40)
    await asyncio.gather(*[shop.pay(each, "harbour") for each in intents])
    await until(lambda: harbour.totals()["letters"] == 0)
    for each in intents:
        look = await shop.look(each)
        assert [attempt.state for attempt in look.attempts] == [AttemptState.CAPTURED]
        assert look.refunds == ()
    assert await shop.balance("sales") == -40 * 12_900
    async with shop.db.transaction() as tx:
        assert await shop.payment.discrepancies(tx, shop.clock.now() - timedelta(hours=1)) == []
    await shop.hold()


async def test_money_for_a_closed_intent_goes_back_by_itself(shop: World, harbour: SandboxProcess) -> None:
    intent = await shop.open()
    harbour.order(answer="pending", confirm_ms=4_000, close_ignored=True)
    assert (await shop.pay(intent, "harbour")).state is IntentState.CONFIRMING
    await close_when_possible(shop, intent)

    async def arrived() -> bool:
        return (await shop.look(intent)).attempts[0].state is AttemptState.SURPLUS

    await until(arrived, 10)
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


async def test_another_amount_in_a_callback_is_recorded_and_never_applied(shop: World, harbour: SandboxProcess) -> None:
    harbour.order(timeout_share=1, wrong_amount_share=1)
    intent = await shop.open(5_000)
    assert (await shop.pay(intent, "harbour")).state is IntentState.CONFIRMING
    await until(lambda: harbour.totals()["letters"] == 0)
    assert (await shop.look(intent)).state is IntentState.CONFIRMING
    async with shop.db.transaction() as tx:
        (found,) = await shop.payment.discrepancies(tx, shop.clock.now() - timedelta(hours=1))
    assert (found.kind, found.detail) == ("amount-differs", "5001 instead of 5000")
    assert await shop.balance("sales") == 0
    harbour.order()
    await shop.settle()
    assert (await shop.look(intent)).state is IntentState.CAPTURED
    await shop.hold()


async def test_a_lost_callback_is_made_up_for_by_asking(shop: World, harbour: SandboxProcess) -> None:
    harbour.order(answer="pending", confirm_ms=50, lost_share=1)
    intent = await shop.open()
    await shop.pay(intent, "harbour")
    await asyncio.sleep(0.3)
    await shop.settle()
    assert (await shop.look(intent)).state is IntentState.CAPTURED
    await shop.hold()


async def test_refunds_are_repeated_through_an_outage_and_given_once(shop: World, harbour: SandboxProcess) -> None:
    intent = await shop.open(9_000)
    await shop.pay(intent, "harbour")
    before = harbour.totals()["refunded"]
    async with shop.db.transaction() as tx:
        await shop.payment.refund(tx, intent.intent_id, 4_000, "came back")
    for faults in ({"timeout_share": 1, "lost_share": 1}, {"error_share": 1}, {"outage": "refused"}, {"outage": "503"}):
        harbour.order(**faults)
        await shop.work(400)
        assert (await shop.look(intent)).refunds[0].state is RefundState.REQUESTED
    harbour.order()
    await shop.settle()
    look = await shop.look(intent)
    assert (look.refunded, look.refunds[0].state) == (4_000, RefundState.CONFIRMED)
    assert harbour.totals()["refunded"] - before == 4_000
    await shop.hold()


async def test_when_every_channel_is_gone_paying_says_so_and_recovers(
    shop: World, harbour: SandboxProcess, lantern: SandboxProcess
) -> None:
    harbour.order(outage="refused")
    lantern.order(outage="refused")
    first, *others = await shop.open_many(12)
    assert ((view := await shop.pay(first)).state, view.reason) == (IntentState.OPEN, "connection-refused")
    with pytest.raises(NoChannelAvailable):
        for intent in others:
            await shop.pay(intent)
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
    flood = asyncio.gather(*[shop.pay(each) for each in intents])
    await asyncio.sleep(0.12)
    harbour.kill()
    await asyncio.sleep(0.3)
    harbour.start()
    await flood
    await shop.settle()
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
    await until(lambda: charged(harbour, broken.intent_id) == 1, 10)
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


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({}, b"not json", 401, "callback-not-signed"),
        ({"Channel-Signature": "t=1,n=00,s=00"}, b"{}", 401, "callback-not-signed"),
        ({"Channel-Signature": f"t=1,n={'0' * 32},s={'0' * 64}"}, b"{}", 401, "callback-not-signed"),
    ],
)
async def test_unsigned_callbacks_are_refused_before_they_are_read(
    shop: World, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    async with httpx.AsyncClient() as client:
        url = f"{shop.url}/api/v1/payments/callbacks/harbour"
        answer = await client.post(url, content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")


async def test_signed_callbacks_that_are_stale_malformed_or_elsewhere_are_refused(shop: World) -> None:
    key = b"sandbox-harbour"
    now = shop.clock.now()

    async def send(channel: str, body: bytes, header: str) -> tuple[int, str]:
        async with httpx.AsyncClient() as client:
            url = f"{shop.url}/api/v1/payments/callbacks/{channel}"
            answer = await client.post(url, content=body, headers={"Channel-Signature": header})
        return answer.status_code, answer.json()["type"] if answer.content else ""

    stale, _ = sign(key, "callback harbour", b"{}", now=now - timedelta(minutes=6))
    assert await send("harbour", b"{}", stale) == (401, "/problems/callback-not-signed")
    fresh, _ = sign(key, "callback harbour", b"{}", now=now)
    assert await send("harbour", b"{}", fresh) == (422, "/problems/callback-malformed")
    assert await send("lantern", b"{}", fresh) == (401, "/problems/callback-not-signed")
    assert await send("nowhere", b"{}", fresh) == (404, "/problems/channel-unknown")
    body = b'{"event": "charge.succeeded", "charge": {"attempt_id": "nonsense"}}'
    malformed, _ = sign(key, "callback harbour", body, now=now)
    assert await send("harbour", body, malformed) == (422, "/problems/callback-malformed")


async def test_a_callback_about_an_attempt_that_is_not_ours_is_recorded(shop: World) -> None:
    stranger = shop.ids.new()
    body = (
        f'{{"event": "charge.succeeded", "charge": {{"attempt_id": "{stranger}", "charge_id": "1", "amount": 5,'
        ' "currency": "CNY", "state": "succeeded", "reason": ""}}}'.replace("}}}", "}}")
    ).encode()
    header, _ = sign(b"sandbox-harbour", "callback harbour", body, now=shop.clock.now())
    for _ in range(2):
        await shop.payment.take_callback("harbour", header, body)
    async with shop.db.transaction() as tx:
        (found,) = await shop.payment.discrepancies(tx, shop.clock.now() - timedelta(hours=1))
    assert (found.kind, found.reference) == ("unknown-attempt", str(stranger))
    assert await shop.balance("sales") == 0


async def test_one_channel_cannot_speak_of_anothers_attempt(shop: World) -> None:
    intent = await shop.open()
    await shop.pay(intent, "harbour")
    (attempt,) = (await shop.look(intent)).attempts
    body = (
        f'{{"event": "charge.closed", "charge": {{"attempt_id": "{attempt.attempt_id}", "charge_id": "1",'
        ' "amount": 12900, "currency": "CNY", "state": "closed", "reason": ""}}'
    ).encode()
    header, _ = sign(b"sandbox-lantern", "callback lantern", body, now=shop.clock.now())
    await shop.payment.take_callback("lantern", header, body)
    assert (await shop.look(intent)).state is IntentState.CAPTURED
    async with shop.db.transaction() as tx:
        (found,) = await shop.payment.discrepancies(tx, shop.clock.now() - timedelta(hours=1))
    assert found.kind == "channel-differs"


