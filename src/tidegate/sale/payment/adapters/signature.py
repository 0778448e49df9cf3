"""The sandbox channel's signatures: HMAC-SHA256 over time, nonce, what the message is about, and its body."""

import hmac
import re
import secrets
from datetime import datetime

SKEW_SECONDS_MAX = 300
"""A signed message older or newer than this is refused, so that an old one cannot be played again."""

_HEADER = re.compile(r"t=(\d{1,12}),n=([0-9a-f]{16,64}),s=([0-9a-f]{64})")


def sign(key: bytes, about: str, body: bytes, *, now: datetime) -> tuple[str, str]:
    """Return a header for a request about `about`, and the nonce that its answer must repeat."""
    stamp, nonce = str(int(now.timestamp())), secrets.token_hex(16)
    return f"t={stamp},n={nonce},s={_tag(key, about, body, stamp, nonce)}", nonce


def is_answer(key: bytes, header: str, about: str, body: bytes, *, nonce: str) -> bool:
    """Return whether the channel signed this answer to the request that carried `nonce`."""
    found = _HEADER.fullmatch(header)
    if found is None or found[2] != nonce:
        return False
    return hmac.compare_digest(found[3], _tag(key, about, body, found[1], nonce))


def is_fresh(key: bytes, header: str, about: str, body: bytes, *, now: datetime) -> bool:
    """Return whether the channel signed this message, within the allowed skew."""
    found = _HEADER.fullmatch(header)
    if found is None or not hmac.compare_digest(found[3], _tag(key, about, body, found[1], found[2])):
        return False
    return abs(now.timestamp() - int(found[1])) <= SKEW_SECONDS_MAX


def _tag(key: bytes, about: str, body: bytes, stamp: str, nonce: str) -> str:
    return hmac.digest(key, f"{stamp}\n{nonce}\n{about}\n".encode() + body, "sha256").hex()
