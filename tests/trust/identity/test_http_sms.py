"""The HTTP gateway adapter against a real small server that speaks its protocol."""

import hmac
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.trust.identity.adapters.http_sms import HttpSms
from tidegate.trust.identity.api import sms_gateway
from tidegate.trust.identity.errors import SmsNotSent
from tidegate.trust.identity.ports import Sms

SECRET = b"shared with the gateway"


class Gateway(ThreadingHTTPServer):
    """An SMS gateway: checks the signature and the age, takes each id once, and can be told to misbehave."""

    daemon_threads = True

    def __init__(self, now_seconds: int) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.now_seconds = now_seconds
        self.taken: dict[str, Any] = {}
        self.mood = "good"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/messages"


class Door(BaseHTTPRequestHandler):
    """One request to the gateway."""

    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match self.server.mood:
            case "slow":
                time.sleep(1.5)
            case "hangs up":
                self.connection.close()
                return
            case "broken":
                self.answer(500)
                return
            case "moved":
                self.answer(302)
                return
        self.answer(self.status(body))

    def status(self, body: bytes) -> int:
        timestamp = self.headers["Tidegate-Timestamp"]
        expected = hmac.digest(SECRET, f"{timestamp}.".encode() + body, "sha256").hex()
        if not hmac.compare_digest(expected, self.headers["Tidegate-Signature"]):
            return 401
        if abs(int(timestamp) - self.server.now_seconds) > 300:
            return 408
        message = msgspec.json.decode(body)
        self.server.taken.setdefault(message["id"], message)
        return 202

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def gateway(clock: ManualClock) -> Iterator[Gateway]:
    server = Gateway(int(clock.now().timestamp()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def message(clock: ManualClock) -> Sms:
    return Sms(
        message_id=UUID(int=7), phone="+8613800131234", code="402913", expires_at=clock.now() + timedelta(minutes=5)
    )


async def test_a_message_arrives_signed_and_once(gateway: Gateway, message: Sms, clock: ManualClock) -> None:
    sms = HttpSms(gateway.url, SECRET, clock)
    await sms.send(message)
    await sms.send(message)
    assert list(gateway.taken.values()) == [
        {
            "id": str(UUID(int=7)),
            "to": "+8613800131234",
            "template": "sign-in-code",
            "parameters": {"code": "402913", "minutes": 5},
        }
    ]
    assert await sms.last_code(message.phone) is None
    await sms.close()


async def test_a_wrong_secret_or_an_old_message_is_not_taken(
    gateway: Gateway, message: Sms, clock: ManualClock
) -> None:
    stranger = HttpSms(gateway.url, b"not the secret", clock)
    with pytest.raises(SmsNotSent) as refusal:
        await stranger.send(message)
    assert refusal.value.fields == {"gateway_status": 401}
    late = HttpSms(gateway.url, SECRET, clock)
    clock.advance(seconds=301)
    with pytest.raises(SmsNotSent) as refusal:
        await late.send(message)
    assert refusal.value.fields == {"gateway_status": 408}
    assert gateway.taken == {}
    await stranger.close()
    await late.close()


@pytest.mark.parametrize("mood", ["broken", "slow", "hangs up", "moved"])
async def test_a_bad_day_of_the_gateway_is_a_refusal(
    gateway: Gateway, message: Sms, clock: ManualClock, mood: str
) -> None:
    sms = HttpSms(gateway.url, SECRET, clock, timeout_seconds=0.3)
    gateway.mood = mood
    with pytest.raises(SmsNotSent):
        await sms.send(message)
    await sms.close()


async def test_a_gateway_that_is_gone_is_a_refusal(message: Sms, clock: ManualClock) -> None:
    sms = HttpSms("http://127.0.0.1:1/messages", SECRET, clock)
    with pytest.raises(SmsNotSent):
        await sms.send(message)
    await sms.close()


async def test_settings_choose_the_gateway(config: Config, clock: ManualClock) -> None:
    cache = Cache("valkey://127.0.0.1:1")
    assert sms_gateway(config, cache, clock).is_sandbox
    http = msgspec.structs.replace(config, sms="http", sms_url="https://sms.example.com/messages", sms_secret="s")
    gateway = sms_gateway(http, cache, clock)
    assert not gateway.is_sandbox
    await gateway.close()
    for wrong in (
        msgspec.structs.replace(http, sms_secret=""),
        msgspec.structs.replace(http, sms_url=""),
        msgspec.structs.replace(config, sms="pigeon"),
    ):
        with pytest.raises(ValueError, match="TIDEGATE_SMS"):
            sms_gateway(wrong, cache, clock)
