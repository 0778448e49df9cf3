"""Speaks to `tidegate sandbox-channel` over HTTP, on one connection pool that is kept open.

Only a connection that was never made, or an answer that the channel signed, says anything for certain; whatever
else happens on the wire is Unknown. aiohttp because it costs 0.13 ms of CPU a call (decision 0006).
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import aiohttp
import msgspec

from tidegate.base.clock import Clock, SystemClock
from tidegate.base.config import ChannelSetting
from tidegate.base.crypto import blind_index
from tidegate.sale.payment.adapters.signature import SKEW_SECONDS_MAX, is_answer, is_fresh, sign
from tidegate.sale.payment.contracts import CALLBACK_PATH
from tidegate.sale.payment.errors import CallbackMalformed, CallbackNotSigned, ChannelSilent
from tidegate.sale.payment.ports import (
    Captured,
    ChargeAnswer,
    ChargeHeard,
    ChargeRequest,
    CloseAnswer,
    Closed,
    NotFound,
    Pending,
    QueryAnswer,
    RefundAnswer,
    RefundConfirmed,
    RefundHeard,
    RefundRefused,
    RefundRequest,
    Refused,
    StatementLine,
    Unknown,
    Unreached,
)

_CONNECTIONS_MAX = 512
_KEEP_SECONDS = 10  # less than servers keep an idle connection: a request on a closed one has no certain outcome
_CONNECT_SHARE = 1 / 3  # of the time for a call; a channel that takes no connection by then is left for the next one
_NOT_CERTAIN = (401, 409)  # another message under the same nonce or reference may have been carried out
_STATEMENT_LINES = 2_000
_STATEMENT_SECONDS_MAX = 30
_encode = msgspec.json.Encoder().encode


class _Charge(msgspec.Struct):
    attempt_id: UUID
    charge_id: str
    amount: int
    currency: str
    state: str
    reason: str
    payer: str = ""


class _Refund(msgspec.Struct):
    refund_id: UUID
    amount: int
    currency: str
    state: str
    reason: str


class _Line(msgspec.Struct):
    kind: str
    reference: str
    amount: int
    currency: str
    booked_ms: int


class _Statement(msgspec.Struct):
    lines: list[_Line]
    next_line: int | None


class _Callback(msgspec.Struct):
    event: str
    charge: _Charge | None = None
    refund: _Refund | None = None


class _Code(msgspec.Struct):
    code: str = ""


class _Answer(NamedTuple):
    """A status and body that the channel signed as its answer to this very request."""

    status: int
    body: bytes


_charge = msgspec.json.Decoder(_Charge).decode
_refund = msgspec.json.Decoder(_Refund).decode
_statement = msgspec.json.Decoder(_Statement).decode
_callback = msgspec.json.Decoder(_Callback).decode
_code = msgspec.json.Decoder(_Code).decode


class SandboxAdapter:
    """One channel of the sandbox kind; fulfils `ports.Channel`."""

    def __init__(
        self, setting: ChannelSetting, *, callback_url: str, call_seconds_max: float = 3.0, clock: Clock | None = None
    ) -> None:
        self._setting = setting
        self._key = setting.secret.encode()
        self._callback_url = callback_url
        self._timeout = aiohttp.ClientTimeout(total=call_seconds_max, sock_connect=call_seconds_max * _CONNECT_SHARE)
        self._wall = clock or SystemClock()
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """Its name in our configuration."""
        return self._setting.name

    async def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """Ask for a charge."""
        body = _encode({
            "attempt_id": request.attempt_id,
            "amount": request.amount,
            "currency": request.currency,
            "subject": str(request.subject),
            "callback_url": self._callback_url,
        })  # fmt: skip
        answer = await self._call("POST", "/v1/charges", body)
        match answer:
            case Unknown() | Unreached():
                return answer
            case _Answer(status=200, body=told):
                return _read_charge(self._key, told)
            case _Answer(status=503, body=told) if _read_code(told) == "not-processed":
                return Unreached(reason="not-processed")
            case _Answer(status=status, body=told) if 400 <= status < 500 and status not in _NOT_CERTAIN:
                return Refused(reason=_read_code(told) or f"status-{status}")
            case _Answer(status=status):
                return Unknown(reason=f"status-{status}")

    async def query(self, attempt_id: UUID) -> QueryAnswer:
        """Ask what became of an attempt."""
        match await self._told("GET", f"/v1/charges/{attempt_id}"):
            case Unknown() as silence:
                return silence
            case _Answer(status=200, body=told):
                return _read_charge(self._key, told)
            case _Answer(status=404, body=told) if _read_code(told) == "charge-unknown":
                return NotFound()
            case _Answer(status=status):
                return Unknown(reason=f"status-{status}")

    async def close(self, attempt_id: UUID) -> CloseAnswer:
        """Ask that an attempt never charges."""
        match await self._told("POST", f"/v1/charges/{attempt_id}/close"):
            case Unknown() as silence:
                return silence
            case _Answer(status=200, body=told):
                said = _read_charge(self._key, told)
                return Unknown(reason="still-pending") if isinstance(said, Pending) else said
            case _Answer(status=status):
                return Unknown(reason=f"status-{status}")

    async def refund(self, request: RefundRequest) -> RefundAnswer:
        """Ask for money to be given back."""
        return await self._give("/v1/refunds", request)

    async def pay_out(self, request: RefundRequest) -> RefundAnswer:
        """Ask for our own money to be paid to whoever paid the attempt, beyond what was charged."""
        return await self._give("/v1/payouts", request)

    async def _give(self, path: str, request: RefundRequest) -> RefundAnswer:
        body = _encode({
            "refund_id": request.refund_id,
            "attempt_id": request.attempt_id,
            "amount": request.amount,
            "currency": request.currency,
            "callback_url": self._callback_url,
        })  # fmt: skip
        match await self._told("POST", path, body):
            case Unknown() as silence:
                return silence
            case _Answer(status=200, body=told):
                return _read_refund(told)
            case _Answer(status=status):
                return Unknown(reason=f"status-{status}")

    async def statement(self, from_at: datetime, to_at: datetime) -> AsyncIterator[list[StatementLine]]:
        """Give the channel's books of a time range, page by page."""
        first_line: int | None = 0
        while first_line is not None:
            page = await self._statement_page(from_at, to_at, first_line)
            yield [_read_line(line) for line in page.lines]
            first_line = page.next_line

    def read_callback(self, signature: str, body: bytes) -> ChargeHeard | RefundHeard:
        """Check and read a callback; nothing is parsed before the signature holds."""
        if not is_fresh(self._key, signature, f"callback {self.name}", body, now=self._wall.now()):
            raise CallbackNotSigned(
                f"The message is not signed by channel {self.name} within {SKEW_SECONDS_MAX} seconds of now. "
                "It was not read. Sign it anew and send it again."
            )
        try:
            return _read_callback(self._key, _callback(body))
        except (msgspec.DecodeError, ValueError) as fault:
            raise CallbackMalformed(f"The message cannot be read: {fault}. Nothing was changed.") from fault

    async def disconnect(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _statement_page(self, from_at: datetime, to_at: datetime, first_line: int) -> _Statement:
        span = f"from={_milliseconds(from_at)}&to={_milliseconds(to_at)}"
        answer = await self._call(
            "GET",
            "/v1/statement",
            query=f"{span}&first_line={first_line}&lines={_STATEMENT_LINES}",
            limit=aiohttp.ClientTimeout(total=_STATEMENT_SECONDS_MAX),
        )
        match answer:
            case _Answer(status=200, body=told):
                return _statement(told)
            case _Answer(status=status):
                reason = f"status-{status}"
            case Unknown(reason=reason) | Unreached(reason=reason):
                pass
        raise ChannelSilent(
            f"Channel {self.name} did not give its statement ({reason}). Nothing was compared; try again later.",
            channel=self.name,
        )

    async def _told(self, method: str, path: str, body: bytes = b"") -> _Answer | Unknown:
        """Send what may be sent again: that it was never reached says no more than silence."""
        answer = await self._call(method, path, body)
        return Unknown(reason=answer.reason) if isinstance(answer, Unreached) else answer

    async def _call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: str = "",
        limit: aiohttp.ClientTimeout | None = None,
    ) -> _Answer | Unreached | Unknown:
        """Send one signed request. Only a failed connect is Unreached: afterwards bytes may have arrived."""
        target = f"{path}?{query}" if query else path
        header, nonce = sign(self._key, f"{method} {target}", body, now=self._wall.now())
        try:
            async with self._connected().request(
                method,
                self._setting.url + target,
                data=body or None,
                headers={"Channel-Signature": header, "Content-Type": "application/json"},
                timeout=limit or self._timeout,
                allow_redirects=False,
            ) as response:
                told, seal = await response.read(), response.headers.get("Channel-Signature", "")
        except aiohttp.ConnectionTimeoutError:
            return Unreached(reason="connect-timeout")
        except aiohttp.ClientConnectorError:
            return Unreached(reason="connection-refused")
        except TimeoutError:
            return Unknown(reason="timeout")
        except (aiohttp.ClientError, OSError):
            return Unknown(reason="connection-lost")
        if not is_answer(self._key, seal, f"{response.status} {method} {path}", told, nonce=nonce):
            return Unknown(reason=f"unsigned-{response.status}")
        return _Answer(response.status, told)

    def _connected(self) -> aiohttp.ClientSession:
        """Return the session, made when first needed because it belongs to the running event loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS_MAX, keepalive_timeout=_KEEP_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


def sandbox_adapters(
    settings: Sequence[ChannelSetting], *, public_url: str, call_seconds_max: float
) -> list[SandboxAdapter]:
    """Return an adapter for each channel; they are told to call back below `public_url`, or not at all without one."""
    return [
        SandboxAdapter(
            each,
            callback_url=f"{public_url}{CALLBACK_PATH}{each.name}" if public_url else "",
            call_seconds_max=call_seconds_max,
        )
        for each in settings
    ]


def _read_charge(key: bytes, body: bytes) -> Captured | Pending | Refused | Closed | Unknown:
    try:
        return _charge_answer(key, _charge(body))
    except (msgspec.DecodeError, ValueError):
        return Unknown(reason="unreadable")


def _charge_answer(key: bytes, charge: _Charge) -> Captured | Pending | Refused | Closed:
    match charge.state:
        case "succeeded":
            # Whose account it is stays with the channel: limits need to know only that two are the same.
            payer = blind_index(key, f"payer:{charge.payer}").hex() if charge.payer else ""
            return Captured(amount=charge.amount, currency=charge.currency, reference=charge.charge_id, payer=payer)
        case "pending":
            return Pending(reference=charge.charge_id)
        case "refused":
            return Refused(reason=charge.reason or "refused")
        case "closed":
            return Closed()
        case other:
            raise ValueError(f"state {other!r} is not known")


def _read_refund(body: bytes) -> RefundAnswer:
    try:
        return _refund_answer(_refund(body))
    except (msgspec.DecodeError, ValueError):
        return Unknown(reason="unreadable")


def _refund_answer(refund: _Refund) -> RefundConfirmed | RefundRefused:
    match refund.state:
        case "succeeded":
            return RefundConfirmed(amount=refund.amount, currency=refund.currency)
        case "refused":
            return RefundRefused(reason=refund.reason or "refused")
        case other:
            raise ValueError(f"state {other!r} is not known")


def _read_callback(key: bytes, callback: _Callback) -> ChargeHeard | RefundHeard:
    if callback.charge is not None:
        return ChargeHeard(attempt_id=callback.charge.attempt_id, answer=_charge_answer(key, callback.charge))
    if callback.refund is not None:
        return RefundHeard(refund_id=callback.refund.refund_id, answer=_refund_answer(callback.refund))
    raise ValueError("it names neither a charge nor a refund")


def _read_code(body: bytes) -> str:
    try:
        return _code(body).code
    except msgspec.DecodeError:
        return ""


def _read_line(line: _Line) -> StatementLine:
    return StatementLine(
        kind=line.kind,
        reference=line.reference,
        amount=line.amount,
        currency=line.currency,
        booked_at=datetime.fromtimestamp(line.booked_ms / 1000, UTC),
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
