"""What channels report: twice, out of order, lost, with another amount, unsigned, stale, malformed, or of strangers."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from tests.faults.payment_books import until
from tests.sale.payment.harness import SandboxProcess, World
from tidegate.sale.payment.adapters.signature import sign
from tidegate.sale.payment.contracts import AttemptState, IntentState

pytestmark = pytest.mark.slow


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


async def test_another_amount_in_a_callback_is_never_applied(hasty: World, harbour: SandboxProcess) -> None:
    harbour.order(timeout_share=1, wrong_amount_share=1)
    intent = await hasty.open(5_000)
    assert (await hasty.pay(intent, "harbour")).state is IntentState.CONFIRMING
    await until(lambda: harbour.totals()["letters"] == 0)
    assert (await hasty.look(intent)).state is IntentState.CONFIRMING
    async with hasty.db.transaction() as tx:
        (found,) = await hasty.payment.discrepancies(tx, hasty.clock.now() - timedelta(hours=1))
    assert (found.kind, found.detail) == ("amount-differs", "5001 instead of 5000")
    assert await hasty.balance("sales") == 0
    harbour.order()
    await hasty.settle()
    assert (await hasty.look(intent)).state is IntentState.CAPTURED
    await hasty.hold()


async def test_a_lost_callback_is_made_up_for_by_asking(shop: World, harbour: SandboxProcess) -> None:
    harbour.order(answer="pending", confirm_ms=50, lost_share=1)
    intent = await shop.open()
    await shop.pay(intent, "harbour")
    await asyncio.sleep(0.3)
    await shop.settle()
    assert (await shop.look(intent)).state is IntentState.CAPTURED
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
