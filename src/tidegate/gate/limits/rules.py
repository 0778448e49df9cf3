"""Decisions of limits that need no I/O: who counts as whom, at which pace, and what stands where nobody can count."""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address

import msgspec

from tidegate.gate.limits.contracts import Admitted, Asker, Decision, LimitScope, RateLimit, Reached, Unknown, WhenDown
from tidegate.gate.limits.errors import RateLimitReached, RateLimitUnknown

_MICROSECONDS = 1_000_000
_SUBJECT_BYTES = 12
_UNKNOWN_ADDRESS = "unknown"
_AGAIN_SECONDS = 2
_REMEMBERED_MAX = 20_000


def subject_of(scope: LimitScope, asker: Asker) -> str | None:
    """Return whose acts are counted together in this scope, or None where the scope does not know the asker.

    This machine itself is counted in no address and no network: behind a proxy that is not declared everybody comes
    from it, and one limit for all of them would shut the shop.
    """
    match scope:
        case LimitScope.ACCOUNT:
            return asker.account_id.hex if asker.account_id else None
        case LimitScope.DEVICE:
            return asker.device.hex if asker.device else None
        case LimitScope.ADDRESS:
            return network_of(asker.address, 32, 64)
        case LimitScope.NETWORK:
            return network_of(asker.address, 24, 48)


@lru_cache(maxsize=_REMEMBERED_MAX)
def network_of(text: str, bits_v4: int, bits_v6: int) -> str | None:
    """Return the network of that length; `unknown` for a text that is no address, None for this machine itself."""
    try:
        address: IPv4Address | IPv6Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return _UNKNOWN_ADDRESS
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    shift = address.max_prefixlen - (bits_v4 if address.version == 4 else bits_v6)
    return f"{address.version}:{int(address) >> shift:x}"


def key_of(secret: bytes, name: str, subject: str) -> str:
    """Return where the number of a subject of the limit of that name is kept.

    The digest keeps addresses and accounts out of Valkey. All keys carry one hash tag, so that a batch is one call in a
    cluster too.
    """
    digest = blake2b(f"{name}:{subject}".encode(), key=secret, digest_size=_SUBJECT_BYTES).hexdigest()
    return f"{{limits}}:{digest}"


def lowered(limit: RateLimit, factor: float) -> RateLimit:
    """Return the limit with quota and burst times `factor` (above 0, at most 1); one act always stays possible."""
    return msgspec.structs.replace(
        limit, quota=max(1, int(limit.quota * factor)), burst=max(1, int(limit.burst * factor))
    )


def interval_of(limit: RateLimit) -> int:
    """Return the microseconds from one act to the next, rounded up."""
    return -(-limit.window_seconds * _MICROSECONDS // limit.quota)


def while_down(limits: Iterable[RateLimit]) -> Decision:
    """Return what stands for an ask while Valkey is down: each limit's stated answer, and a refusal goes before."""
    refusing = next((limit for limit in limits if limit.when_down is WhenDown.REFUSE), None)
    return Unknown(refusing) if refusing else Admitted()


def decision_of(limits: Sequence[RateLimit], refused: int, wait_microseconds: int) -> Decision:
    """Return the decision that a count stands for: `refused` is the place of the refusing limit from 1 on, or 0."""
    if refused == 0:
        return Admitted()
    return Reached(limits[refused - 1], max(1, -(-wait_microseconds // _MICROSECONDS)))


def refusal_of(decision: Reached | Unknown) -> RateLimitReached | RateLimitUnknown:
    """Return the refusal that says which limit, what was left untouched and when to come back."""
    limit = decision.limit
    facts = {
        "name": limit.name,
        "scope": limit.scope,
        "quota": limit.quota,
        "window_seconds": limit.window_seconds,
    }
    if isinstance(decision, Unknown):
        return RateLimitUnknown(
            "Requests cannot be counted now, so this one was not looked at and changed nothing. "
            f"Try again in {_AGAIN_SECONDS} seconds.",
            rate_limit=facts,
            retry_after=_AGAIN_SECONDS,
        )
    return RateLimitReached(
        f"Too many requests from {_WHOSE[limit.scope]}: the limit is {limit.quota} in {limit.window_seconds} s. This "
        f"request was not looked at and changed nothing. Try again in {decision.wait_seconds} s.",
        rate_limit={**facts, "remaining": 0},
        retry_after=decision.wait_seconds,
    )


_WHOSE = {
    LimitScope.ACCOUNT: "your account",
    LimitScope.DEVICE: "this device",
    LimitScope.ADDRESS: "your network address",
    LimitScope.NETWORK: "your network",
}
