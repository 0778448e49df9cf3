"""An SMS gateway over HTTP: one signed JSON message, accepted with 2xx.

`POST <url>` with `{"id", "to", "template": "sign-in-code", "parameters": {"code", "minutes"}}`, and the headers
`Tidegate-Timestamp` (seconds since 1970) and `Tidegate-Signature` (hexadecimal HMAC-SHA256 of timestamp, a dot and the
body). The gateway must take a message with a known id only once. Most providers' own protocols need a relay of a few
lines; the demo of one is the server in tests/trust/identity/test_http_sms.py.
"""

import hmac

import httpx
import msgspec

from tidegate.base.clock import Clock
from tidegate.trust.identity.errors import SmsNotSent
from tidegate.trust.identity.ports import Sms

_TIMEOUT_SECONDS = 4.0
_CONNECTIONS_MAX = 50


class HttpSms:
    """Speaks to the gateway at `url`, signing with `secret`. One client, kept open for its connections."""

    is_sandbox = False

    def __init__(self, url: str, secret: bytes, clock: Clock, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=_CONNECTIONS_MAX, max_keepalive_connections=10),
        )

    async def send(self, sms: Sms) -> None:
        """Deliver once. Raises SmsNotSent for no answer and for every answer but 2xx."""
        body = self._body(sms)
        try:
            answer = await self._client.post(self._url, content=body, headers=self._headers(body))
        except httpx.HTTPError as fault:
            raise SmsNotSent("The SMS gateway does not answer; the code was not sent. Try again.") from fault
        if not answer.is_success:
            raise SmsNotSent(
                f"The SMS gateway refused the message (HTTP {answer.status_code}); the code was not sent. Try again.",
                gateway_status=answer.status_code,
            )

    async def last_code(self, phone: str) -> str | None:
        """Return None: a code that was really sent is shown to nobody."""
        del phone
        return None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _body(self, sms: Sms) -> bytes:
        life = sms.expires_at - self._clock.now()
        minutes = max(1, round(life.total_seconds() / 60))
        return msgspec.json.encode(
            {
                "id": sms.message_id,
                "to": sms.phone,
                "template": "sign-in-code",
                "parameters": {"code": sms.code, "minutes": minutes},
            }
        )

    def _headers(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._clock.now().timestamp()))
        signature = hmac.digest(self._secret, f"{timestamp}.".encode() + body, "sha256").hex()
        return {
            "Content-Type": "application/json",
            "Tidegate-Timestamp": timestamp,
            "Tidegate-Signature": signature,
        }
