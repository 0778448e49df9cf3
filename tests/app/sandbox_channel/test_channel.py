"""The sandbox channel as a merchant meets it: idempotent, fenced, signed, durable."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from tests.ports import installation_port
from tests.sale.payment.harness import SandboxProcess, sandbox
from tidegate.app.sandbox_channel.signing import Verifier, sign


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox channel as a process."""
    with sandbox("harbour", tmp_path_factory.mktemp("channel")) as process:
        yield process


@pytest.fixture
def channel(running: SandboxProcess) -> SandboxProcess:
    """The channel without faults."""
    running.order()
    return running


class Merchant:
    """Sends signed requests."""

    def __init__(self, channel: SandboxProcess) -> None:
        self._channel = channel

    def send(self, method: str, target: str, document: object = None, **changes: Any) -> httpx.Response:
        """Send one request; `changes` spoil it."""
        body = json.dumps(document).encode() if document is not None else b""
        now_seconds = int(time.time()) - changes.get("late_seconds", 0)
        key = changes.get("key", b"sandbox-harbour")
        header = changes.get("header") or sign(key, f"{method} {target}", body, now_seconds=now_seconds)
        body = changes.get("body", body)
        return httpx.request(
            method, self._channel.url + target, content=body, headers={"Channel-Signature": header}, timeout=5
        )

    def charge(self, attempt_id: str, **changes: Any) -> httpx.Response:
        """Ask for a charge."""
        order = {"attempt_id": attempt_id, "amount": 500, "currency": "CNY", "subject": attempt_id, **changes}
        return self.send("POST", "/v1/charges", order)

    def refund(self, refund_id: str, attempt_id: str, amount: int, currency: str = "CNY") -> httpx.Response:
        """Ask for money back."""
        order = {"refund_id": refund_id, "attempt_id": attempt_id, "amount": amount, "currency": currency}
        return self.send("POST", "/v1/refunds", order)


@pytest.fixture
def merchant(channel: SandboxProcess) -> Merchant:
    """The merchant of the channel."""
    return Merchant(channel)


def test_one_attempt_is_charged_once_whatever_is_repeated(merchant: Merchant, channel: SandboxProcess) -> None:
    before, attempt_id = channel.totals(), str(uuid4())
    first, again = merchant.charge(attempt_id), merchant.charge(attempt_id)
    assert (first.status_code, first.json()["state"]) == (200, "succeeded")
    assert first.json() == again.json()
    other = merchant.charge(attempt_id, amount=501)
    assert (other.status_code, other.json()) == (409, {"code": "attempt-differs"})
    after = channel.totals()
    assert (after["charges"] - before["charges"], after["charged"] - before["charged"]) == (1, 500)
    assert merchant.send("GET", f"/v1/charges/{attempt_id}").json() == first.json()


def test_a_close_is_final_before_and_after_the_charge(merchant: Merchant, channel: SandboxProcess) -> None:
    never, late = str(uuid4()), str(uuid4())
    assert merchant.send("GET", f"/v1/charges/{never}").status_code == 404
    assert merchant.send("POST", f"/v1/charges/{never}/close").json()["state"] == "closed"
    assert merchant.charge(never).json()["state"] == "closed"
    channel.order(answer="pending", confirm_ms=60_000)
    assert merchant.charge(late).json()["state"] == "pending"
    assert merchant.send("POST", f"/v1/charges/{late}/close").json()["state"] == "closed"
    assert merchant.charge(late).json()["state"] == "closed"
    channel.order()
    paid = str(uuid4())
    merchant.charge(paid)
    assert merchant.send("POST", f"/v1/charges/{paid}/close").json()["state"] == "succeeded"


def test_refunds_are_given_once_and_never_beyond_the_charge(merchant: Merchant, channel: SandboxProcess) -> None:
    attempt_id, part = str(uuid4()), str(uuid4())
    assert merchant.refund(str(uuid4()), attempt_id, 1).json()["reason"] == "charge-not-succeeded"
    merchant.charge(attempt_id)
    before = channel.totals()["refunded"]
    assert merchant.refund(part, attempt_id, 300).json()["state"] == "succeeded"
    assert merchant.refund(part, attempt_id, 300).json()["state"] == "succeeded"
    assert merchant.refund(part, attempt_id, 200).status_code == 409
    assert merchant.refund(str(uuid4()), attempt_id, 201).json()["reason"] == "refund-exceeds-charge"
    assert merchant.refund(str(uuid4()), attempt_id, 1, "USD").json()["reason"] == "currency-differs"
    assert merchant.refund(str(uuid4()), attempt_id, 200).json()["state"] == "succeeded"
    assert channel.totals()["refunded"] - before == 500
    assert merchant.send("GET", f"/v1/refunds/{part}").json()["amount"] == 300
    assert merchant.send("GET", f"/v1/refunds/{uuid4()}").status_code == 404


def test_the_statement_is_paged_and_complete(merchant: Merchant) -> None:
    from_ms = int(time.time() * 1000)
    attempts = [str(uuid4()) for _ in range(7)]
    for each in attempts:
        merchant.charge(each)
    merchant.refund(str(uuid4()), attempts[0], 100)
    lines: list[dict[str, Any]] = []
    first_line: int | None = 0
    while first_line is not None:
        target = f"/v1/statement?from={from_ms}&to={from_ms + 60_000}&first_line={first_line}&lines=3"
        page = merchant.send("GET", target).json()
        assert len(page["lines"]) <= 3
        lines += page["lines"]
        first_line = page["next_line"]
    assert [each["reference"] for each in lines if each["kind"] == "charge"] == attempts
    assert [(each["attempt_id"], each["amount"]) for each in lines if each["kind"] == "refund"] == [(attempts[0], 100)]


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ({"key": b"another"}, "signature-wrong"),
        ({"header": "nonsense"}, "signature-missing"),
        ({"late_seconds": 400}, "signature-stale"),
        ({"body": b'{"amount": 1}'}, "signature-wrong"),
    ],
)
def test_only_the_merchants_own_fresh_requests_are_taken(
    merchant: Merchant, channel: SandboxProcess, spoilt: dict[str, object], code: str
) -> None:
    before = channel.totals()["charges"]
    order = {"attempt_id": str(uuid4()), "amount": 5, "currency": "CNY"}
    answer = merchant.send("POST", "/v1/charges", order, **spoilt)
    assert (answer.status_code, answer.json()) == (401, {"code": code})
    assert channel.totals()["charges"] == before


def test_a_request_cannot_be_played_again() -> None:
    verifier = Verifier(b"key")
    header = sign(b"key", "POST /v1/charges", b"{}", now_seconds=1_000)
    assert verifier.fault(header, "POST /v1/charges", b"{}", now_seconds=1_000) == ""
    assert verifier.fault(header, "POST /v1/charges", b"{}", now_seconds=1_000) == "nonce-seen"


@pytest.mark.parametrize(
    "order",
    [
        {},
        [],
        {"attempt_id": "a b", "amount": 5, "currency": "CNY"},
        {"attempt_id": "a", "amount": 0, "currency": "CNY"},
        {"attempt_id": "a", "amount": -5, "currency": "CNY"},
        {"attempt_id": "a", "amount": 10**13, "currency": "CNY"},
        {"attempt_id": "a", "amount": 5.5, "currency": "CNY"},
        {"attempt_id": "a", "amount": 5, "currency": "yuan"},
        {"attempt_id": "a", "amount": 5, "currency": "CNY", "callback_url": "file:///etc/passwd"},
    ],
)
def test_malformed_orders_are_refused(merchant: Merchant, order: object) -> None:
    answer = merchant.send("POST", "/v1/charges", order)
    assert (answer.status_code, answer.json()) == (422, {"code": "malformed"})


def test_too_much_and_nowhere_are_refused(merchant: Merchant) -> None:
    assert merchant.send("POST", "/v1/charges", {"subject": "x" * 20_000}).status_code == 413
    assert merchant.send("GET", "/v1/nothing").status_code == 404
    assert merchant.send("GET", "/v1/statement?from=yesterday&to=1").status_code == 422
    assert merchant.send("GET", "/v1/statement?from=0&to=1&lines=999999").status_code == 422


def test_answers_are_signed_for_their_own_request(merchant: Merchant, channel: SandboxProcess) -> None:
    answer = merchant.charge(str(uuid4()))
    assert answer.headers["channel-signature"].startswith("t=")
    channel.order(outage="503")
    assert (lost := merchant.charge(str(uuid4()))).status_code == 503
    assert "channel-signature" not in lost.headers
    channel.order(outage="declared")
    assert merchant.charge(str(uuid4())).headers["channel-signature"].startswith("t=")


def test_an_outage_refuses_connections_until_it_is_lifted(merchant: Merchant, channel: SandboxProcess) -> None:
    attempt_id = str(uuid4())
    channel.order(outage="refused")
    with pytest.raises(httpx.ConnectError):
        merchant.charge(attempt_id)
    channel.order()
    assert merchant.charge(attempt_id).json()["state"] == "succeeded"


def test_unknown_faults_are_refused_and_change_nothing(channel: SandboxProcess) -> None:
    channel.order(slow_ms=7)
    for wrong in ({"slowness": 1}, {"error_share": 2}, {"outage": "total"}):
        assert httpx.put(f"{channel.admin}/faults", json=wrong).status_code == 422
    assert httpx.get(f"{channel.admin}/faults").json()["slow_ms"] == 7
    assert httpx.delete(f"{channel.admin}/faults").json()["slow_ms"] == 0


@pytest.mark.slow
async def test_what_was_acknowledged_before_a_kill_is_in_the_books(tmp_path: Path) -> None:
    with sandbox("lantern", tmp_path) as channel:
        acknowledged = await _charge_until_killed(channel)
        channel.start()
        assert len(acknowledged) > 50
        with closing(sqlite3.connect(tmp_path / "lantern.sqlite3")) as books:
            kept = {row[0] for row in books.execute("select attempt_id from charge where state = 'succeeded'")}
            booked = {row[0] for row in books.execute("select reference from booked where kind = 'charge'")}
        assert acknowledged <= kept
        assert kept == booked
        assert channel.stop() == 0


async def _charge_until_killed(channel: SandboxProcess) -> set[str]:
    acknowledged: set[str] = set()

    async def buyer(session: aiohttp.ClientSession) -> None:
        while True:
            attempt_id = str(uuid4())
            body = json.dumps({"attempt_id": attempt_id, "amount": 5, "currency": "CNY"}).encode()
            header = sign(b"sandbox-lantern", "POST /v1/charges", body, now_seconds=int(time.time()))
            try:
                async with session.post("/v1/charges", data=body, headers={"Channel-Signature": header}) as answer:
                    if answer.status == 200:
                        acknowledged.add(attempt_id)
            except aiohttp.ClientError:
                return

    async with aiohttp.ClientSession(channel.url) as session, asyncio.TaskGroup() as group:
        for _ in range(32):
            group.create_task(buyer(session))
        await asyncio.sleep(0.7)
        channel.kill()
    return acknowledged


class Shop:
    """A merchant's side that takes callbacks, after refusing the first ones."""

    def __init__(self, refuse: int) -> None:
        self.refuse = refuse
        self.taken: list[dict[str, Any]] = []
        self.headers: list[tuple[str, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        self.headers.append((dict(scope["headers"])[b"channel-signature"].decode(), body))
        self.refuse -= 1
        if self.refuse < 0:
            self.taken.append(json.loads(body))
        status = 503 if self.refuse >= 0 else 204
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def shop() -> AsyncIterator[tuple[Shop, str]]:
    """A shop that refuses two callbacks and then takes them, and its address."""
    app, port = Shop(refuse=2), installation_port()
    server = Server(app, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.get_running_loop().create_task(server.serve())
    yield app, f"http://127.0.0.1:{port}/told"
    server.stop()  # type: ignore[no-untyped-call]
    await serving


async def test_callbacks_are_signed_anew_and_repeated_until_they_are_taken_also_after_a_kill(
    tmp_path: Path, shop: tuple[Shop, str]
) -> None:
    app, address = shop
    with sandbox("harbour", tmp_path) as channel:
        attempt_id = str(uuid4())
        await asyncio.to_thread(Merchant(channel).charge, attempt_id, callback_url=address)
        await _until(lambda: len(app.headers) >= 1)
        channel.kill()
        await asyncio.to_thread(channel.start)
        await _until(lambda: len(app.taken) >= 1)
        assert app.taken[0]["event"] == "charge.succeeded"
        assert app.taken[0]["charge"]["attempt_id"] == attempt_id
        assert len({header for header, _ in app.headers}) == len(app.headers)
        verifier = Verifier(b"sandbox-harbour")
        for header, body in app.headers:
            assert verifier.fault(header, "callback harbour", body, now_seconds=int(time.time())) == ""
        for _ in range(400):
            if not (await asyncio.to_thread(channel.totals))["letters"]:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("a callback that was taken is still to be sent")


async def _until(holds: Any) -> None:
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.025)
    raise AssertionError("it did not come true in time")
