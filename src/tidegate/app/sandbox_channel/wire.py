"""The channel's two doors as bare ASGI functions: the merchant's API, signed, and the admin's, on a port of its own."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from tidegate.app.sandbox_channel.channel import SandboxChannel
from tidegate.app.sandbox_channel.contracts import Charge, ChargeOrder, Faults, RefundOrder
from tidegate.app.sandbox_channel.signing import Verifier, nonce_of, sign

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
FaultsOrdered = Callable[[Faults], Awaitable[None]]

_BODY_BYTES_MAX = 16_384
_LINES_MAX = 5_000
_NEVER_SECONDS = 60
_CHARGE = re.compile(r"/v1/charges/([0-9A-Za-z-]{1,64})")
_CLOSE = re.compile(r"/v1/charges/([0-9A-Za-z-]{1,64})/close")
_REFUND = re.compile(r"/v1/refunds/([0-9A-Za-z-]{1,64})")
_encode = msgspec.json.Encoder().encode
_charge_order = msgspec.json.Decoder(ChargeOrder).decode
_refund_order = msgspec.json.Decoder(RefundOrder).decode
_faults = msgspec.json.Decoder(Faults).decode


class Answer(NamedTuple):
    """A status and a body in JSON; `silent` answers are never sent, and `foreign` ones not signed."""

    status: int
    body: bytes
    foreign: bool = False
    silent: bool = False


class Request(NamedTuple):
    """What arrived."""

    method: str
    path: str
    query: str
    signature: str
    body: bytes


def problem(status: int, code: str) -> Answer:
    """Return an answer that names what was wrong."""
    return Answer(status, _encode({"code": code}))


class MerchantDoor:
    """The API that merchants call. Every request and every answer of ours is signed."""

    def __init__(self, channel: SandboxChannel, secret: bytes) -> None:
        self._channel = channel
        self._secret = secret
        self._verifier = Verifier(secret)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        answer = await self._answer(request)
        if answer.silent:
            await asyncio.sleep(_NEVER_SECONDS)
        about = f"{answer.status} {request.method} {request.path}"
        nonce = nonce_of(request.signature)
        signed = bool(nonce) and not answer.foreign
        header = sign(self._secret, about, answer.body, now_seconds=int(time.time()), nonce=nonce) if signed else ""
        await _write(send, answer, header)

    async def _answer(self, request: Request) -> Answer:
        """Outage, slowness, size, signature, then the request itself."""
        faults = self._channel.faults
        if faults.outage != "none":
            return Answer(503, b'{"code": "not-processed"}', foreign=faults.outage != "declared")
        if faults.slow_ms and self._channel.draw("slow") < faults.slow_share:
            await asyncio.sleep(faults.slow_ms / 1000)
        if faults.error_share and self._channel.draw("error") < faults.error_share:
            return Answer(500, b"Internal Server Error", foreign=True)
        if len(request.body) > _BODY_BYTES_MAX:
            return problem(413, "too-large")
        target = f"{request.path}?{request.query}" if request.query else request.path
        why = self._verifier.fault(
            request.signature, f"{request.method} {target}", request.body, now_seconds=int(time.time())
        )
        if why:
            return problem(401, why)
        return self._spoil(await self._route(request), request)

    def _spoil(self, answer: Answer, request: Request) -> Answer:
        """After the work was done: perhaps an error, perhaps silence."""
        faults = self._channel.faults
        if request.method != "POST":
            return answer
        if faults.timeout_share and self._channel.draw("timeout") < faults.timeout_share:
            return answer._replace(silent=True)
        if faults.error_after_share and self._channel.draw("error-after") < faults.error_after_share:
            return Answer(500, b"Internal Server Error", foreign=True)
        return answer

    async def _route(self, request: Request) -> Answer:
        match request.method, request.path:
            case "POST", "/v1/charges":
                return await self._charge(request.body)
            case "POST", "/v1/refunds" | "/v1/payouts":
                return await self._refund(request.body, payout=request.path == "/v1/payouts")
            case "POST", path if found := _CLOSE.fullmatch(path):
                return Answer(200, _encode(await self._channel.close_charge(found[1])))
            case "GET", _:
                return self._look(request)
            case _:
                return problem(404, "no-such-address")

    def _look(self, request: Request) -> Answer:
        match request.path:
            case "/v1/statement":
                return self._statement(request.query)
            case path if found := _CHARGE.fullmatch(path):
                charge = self._channel.find_charge(found[1])
                return Answer(200, _encode(charge)) if charge else problem(404, "charge-unknown")
            case path if found := _REFUND.fullmatch(path):
                refund = self._channel.find_refund(found[1])
                return Answer(200, _encode(refund)) if refund else problem(404, "refund-unknown")
            case _:
                return problem(404, "no-such-address")

    async def _charge(self, body: bytes) -> Answer:
        try:
            order = _charge_order(body)
        except msgspec.DecodeError:
            return problem(422, "malformed")
        charge = await self._channel.charge(order)
        if _differs(order, charge) and not self._channel.faults.charge_more:
            return problem(409, "attempt-differs")
        return Answer(200, _encode(charge))

    async def _refund(self, body: bytes, *, payout: bool) -> Answer:
        try:
            order = _refund_order(body)
        except msgspec.DecodeError:
            return problem(422, "malformed")
        refund = await self._channel.refund(order, payout=payout)
        if (refund.attempt_id, refund.amount, refund.currency) != (order.attempt_id, order.amount, order.currency):
            return problem(409, "refund-differs")
        return Answer(200, _encode(refund))

    def _statement(self, query: str) -> Answer:
        asked = dict(parse_qsl(query))
        try:
            from_ms, to_ms = int(asked["from"]), int(asked["to"])
            first_line, lines_max = int(asked.get("first_line", "0")), int(asked.get("lines", "1000"))
        except (KeyError, ValueError):
            return problem(422, "malformed")
        if not 1 <= lines_max <= _LINES_MAX:
            return problem(422, "malformed")
        return Answer(200, _encode(self._channel.statement(from_ms, to_ms, first_line, lines_max)))


class AdminDoor:
    """Orders faults and shows the books; listens on its own port, so that an outage can be lifted."""

    def __init__(self, channel: SandboxChannel, ordered: FaultsOrdered) -> None:
        self._channel = channel
        self._ordered = ordered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await _write(send, await self._answer(await _read(scope, receive)), "")

    async def _answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/health":
                return Answer(200, _encode({"name": self._channel.name}))
            case "GET", "/faults":
                return Answer(200, _encode(self._channel.faults))
            case "PUT", "/faults":
                return await self._order(request.body)
            case "DELETE", "/faults":
                return await self._order(b"{}")
            case "GET", "/totals":
                return Answer(200, _encode(self._channel.totals()))
            case _:
                return problem(404, "no-such-address")

    async def _order(self, body: bytes) -> Answer:
        try:
            faults = _faults(body)
        except msgspec.DecodeError as fault:
            return Answer(422, _encode({"code": "malformed", "detail": str(fault)}))
        await self._ordered(faults)
        return Answer(200, _encode(faults))


def _differs(order: ChargeOrder, charge: Charge) -> bool:
    """Return whether the attempt id was used for another charge before; a close that came first has no amount."""
    return charge.amount > 0 and (charge.amount, charge.currency) != (order.amount, order.currency)


async def _read(scope: Scope, receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > _BODY_BYTES_MAX:
            break
    headers = dict(scope["headers"])
    signature = headers.get(b"channel-signature", b"").decode("latin-1")
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), signature, body)


async def _write(send: Send, answer: Answer, signature: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer.body)).encode())]
    if signature:
        headers.append((b"channel-signature", signature.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
