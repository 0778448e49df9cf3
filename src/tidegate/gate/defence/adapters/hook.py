"""The operator's hook over HTTP: one signed JSON message, taken with 2xx.

`POST <url>` with the fields of HookCall, and the headers `Tidegate-Timestamp` (seconds since 1970),
`Tidegate-Signature` (hexadecimal HMAC-SHA256 of timestamp, a dot and the body) and `Idempotency-Key` (the call's id: a
call may come more than once). The operator's end checks signature and age, and switches scrubbing or the CDN's attack
mode on or off.
"""

import hmac

import httpx
import msgspec

from tidegate.base.clock import Clock
from tidegate.gate.defence.contracts import HookCall
from tidegate.gate.defence.errors import HookRefused

_TIMEOUT_SECONDS = 5.0


class HttpHook:
    """Speaks to the hook at `url`, signing with `secret`; without a `url` every call is refused and so on record."""

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        self._url = url
        self._secret = secret.encode()
        self._clock = clock

    async def call(self, call: HookCall) -> None:
        """Deliver once. Raises HookRefused for no answer and for every answer but 2xx."""
        if not self._url:
            raise HookRefused("No hook is set; nobody was told. Set TIDEGATE_DEFENCE_HOOK_URL and start it again.")
        body = msgspec.json.encode(call)
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
                answer = await client.post(self._url, content=body, headers=self._headers(call, body))
        except httpx.HTTPError as fault:
            raise HookRefused("The hook does not answer; it is tried again.") from fault
        if not answer.is_success:
            raise HookRefused(
                f"The hook answered HTTP {answer.status_code}; it is tried again.", hook_status=answer.status_code
            )

    def _headers(self, call: HookCall, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._clock.now().timestamp()))
        signed = hmac.digest(self._secret, timestamp.encode() + b"." + body, "sha256").hex()
        return {
            "Content-Type": "application/json",
            "Tidegate-Timestamp": timestamp,
            "Tidegate-Signature": signed,
            "Idempotency-Key": str(call.id),
        }
