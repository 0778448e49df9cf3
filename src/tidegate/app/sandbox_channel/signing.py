"""Signatures of requests, answers and callbacks: HMAC-SHA256 over time, nonce and content.

A header `Channel-Signature: t=SECONDS,n=NONCE,s=HEX` covers `t`, `n`, what the message is about and its body.
"""

import hmac
import re
import secrets
from collections import OrderedDict

SKEW_SECONDS_MAX = 300
_NONCES_MAX = 200_000
_HEADER = re.compile(r"t=(\d{1,12}),n=([0-9a-f]{16,64}),s=([0-9a-f]{64})")


def sign(secret: bytes, about: str, body: bytes, *, now_seconds: int, nonce: str = "") -> str:
    """Return the header's value for a message about `about` with `body`; an answer repeats its request's nonce."""
    nonce = nonce or secrets.token_hex(16)
    return f"t={now_seconds},n={nonce},s={_tag(secret, about, body, str(now_seconds), nonce)}"


def nonce_of(header: str) -> str:
    """Return the nonce that the header names, or an empty string."""
    found = _HEADER.fullmatch(header)
    return found[2] if found else ""


class Verifier:
    """Tells whether a request is the merchant's, fresh, and not seen before."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._seen: OrderedDict[str, None] = OrderedDict()

    def fault(self, header: str, about: str, body: bytes, *, now_seconds: int) -> str:
        """Return why the request is not accepted, or an empty string."""
        found = _HEADER.fullmatch(header)
        if found is None:
            return "signature-missing"
        stamp, nonce, tag = found.groups()
        if not hmac.compare_digest(tag, _tag(self._secret, about, body, stamp, nonce)):
            return "signature-wrong"
        if abs(now_seconds - int(stamp)) > SKEW_SECONDS_MAX:
            return "signature-stale"
        if nonce in self._seen:
            return "nonce-seen"
        self._seen[nonce] = None
        if len(self._seen) > _NONCES_MAX:
            self._seen.popitem(last=False)
        return ""


def _tag(secret: bytes, about: str, body: bytes, stamp: str, nonce: str) -> str:
    return hmac.digest(secret, f"{stamp}\n{nonce}\n{about}\n".encode() + body, "sha256").hex()
