"""HTTP words that every door shares: problem documents (RFC 9457), validators, negotiation."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, ip_network
from socket import AF_INET, AF_INET6, inet_pton

import msgspec

from tidegate.base.crypto import digest
from tidegate.base.errors import Refusal

PROBLEM = "application/problem+json"
KEY_PATTERN = r"^[A-Za-z0-9_-]{8,64}$"
"""An idempotency key: who asks chooses one for each thing that is made, and sends it again with the same request."""

_UNKNOWN_ADDRESS = b"unknown"
_MAPPED = bytes(10) + b"\xff\xff"
_LOOPBACK_V4, _LOOPBACK_V6 = 127, bytes(15) + b"\x01"
_V4_BYTES = 4


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document: `type` names the kind, `detail` says what was wrong, what was left untouched, what to do."""

    type: str
    title: str
    status: int
    detail: str = ""


def problem(refusal: Refusal) -> bytes:
    """Return the refusal as a problem document, its fields as members beside the standard ones."""
    document = {
        **refusal.fields,
        "type": f"/problems/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    return msgspec.json.encode(document)


def retry_after(fields: Mapping[str, object]) -> str | None:
    """Return the value of a Retry-After header, in seconds, where the refusal names one."""
    seconds = fields.get("retry_after")
    return str(seconds) if seconds is not None else None


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """Return what the refusal's fields say in headers: `Retry-After`, and where a rate limit is reached `RateLimit` and
    `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, from its eighth version on).

    A `rate_limit` field holds name, quota (acts), window_seconds, and remaining (acts) where it is known.
    """
    headers = {}
    wait = retry_after(refusal.fields)
    if wait is not None:
        headers["Retry-After"] = wait
    match refusal.fields.get("rate_limit"):
        case {"name": name, "quota": quota, "window_seconds": window, "remaining": remaining}:
            headers["RateLimit-Policy"] = f'"{name}";q={quota};w={window}'
            headers["RateLimit"] = f'"{name}";r={remaining};t={wait or 0}'
    return headers


def with_mapped(networks: Iterable[str]) -> list[str]:
    """Return the addresses and networks, those of IPv4 also as a socket that serves both families names them.

    That is ::ffff:10.0.0.1 for 10.0.0.1 (RFC 4291, section 2.5.5.2). Raises ValueError for a text that is neither.
    """
    read = [ip_network(text) for text in networks]
    mapped = [f"::ffff:{each.network_address}/{96 + each.prefixlen}" for each in read if isinstance(each, IPv4Network)]
    return [*(str(each) for each in read), *mapped]


def cookie_of(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """Return a cookie in a request's raw ASGI headers, whose names are in lower case; None where it was not sent."""
    cookies = b";".join([value for header, value in headers if header == b"cookie"])
    wanted = name.encode() + b"="
    for pair in cookies.split(b";"):
        pair_text = pair.strip()
        if pair_text.startswith(wanted):
            return pair_text[len(wanted) :].strip(b'"').decode("latin-1")
    return None


def etag(body: bytes) -> str:
    """Return a strong validator for `body` (RFC 9110, section 8.8.3)."""
    return f'"{digest(body)[:27]}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Return whether a client that sent `If-None-Match` holds the body that `tag` names (weak comparison)."""
    if not if_none_match:
        return False
    held = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in held or tag.removeprefix("W/") in held


def network_of(text: str, *, bytes_v4: int, bytes_v6: int) -> bytes | None:
    """Return the first bytes of an address; `unknown` for a text that is no address, None for this machine itself."""
    # inet_pton: the same answer as the module ipaddress gives, in a twentieth of its time. Each order asks twice.
    try:
        address = inet_pton(AF_INET, text)
    except (OSError, ValueError):
        address = _unusual(text)
    if not address:
        return _UNKNOWN_ADDRESS
    address = address.removeprefix(_MAPPED)
    if address == _LOOPBACK_V6 or (len(address) == _V4_BYTES and address[0] == _LOOPBACK_V4):
        return None
    return address[: bytes_v4 if len(address) == _V4_BYTES else bytes_v6]


def _unusual(text: str) -> bytes:
    """Return the address in a text that is no plain IPv4 address, empty for none. Some proxies add a port to it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    for family in (AF_INET6, AF_INET):
        try:
            return inet_pton(family, text.partition("%")[0])
        except (OSError, ValueError):
            continue
    return b""
