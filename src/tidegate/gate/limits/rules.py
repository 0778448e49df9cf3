"""Decisions of limits that need no I/O: who counts as whom, at which pace, and what stands where nobody can count."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from tidegate.base.http import network_of
from tidegate.gate.limits.contracts import Admitted, Asker, Decision, LimitScope, RateLimit, Reached, Unknown, WhenDown
from tidegate.gate.limits.errors import RateLimitReached, RateLimitUnknown

_MICROSECONDS = 1_000_000
_TAG = b"{limits}:"
_SUBJECT_BYTES = 16
_AGAIN_SECONDS = 2

OWN_SCOPES = frozenset({LimitScope.ACCOUNT, LimitScope.DEVICE})
"""Scopes that only one person's acts are counted in."""


SUBJECTS: Mapping[LimitScope, Callable[[Asker], bytes | None]] = {
    LimitScope.ACCOUNT: lambda asker: asker.account_id.bytes if asker.account_id else None,
    LimitScope.DEVICE: lambda asker: asker.device.bytes if asker.device else None,
    LimitScope.ADDRESS: lambda asker: network_of(asker.address, bytes_v4=4, bytes_v6=8),
    LimitScope.NETWORK: lambda asker: network_of(asker.address, bytes_v4=3, bytes_v6=6),
}
"""Whose acts are counted together in each scope, or None where the scope does not know the asker.

This machine itself is counted in no address and no network: behind a proxy that is not declared everybody comes from
it, and one limit for all of them would shut the shop.
"""


def keys_of(secret: bytes, limit: RateLimit) -> Callable[[bytes], bytes]:
    """Return what tells where the number of a subject of this limit is kept.

    `limit` is the limit as stated, not as lowered: lowering goes on with what was counted, and a campaign that states
    other figures begins anew, so that two processes of which one knows them a moment earlier never share a number.
    The keyed digest keeps addresses and accounts out of Valkey. All keys carry one hash tag, so that a batch is one
    call in a cluster too.
    """
    stated = f"{limit.name}:{limit.act}:{limit.scope}:{limit.quota}:{limit.window_seconds}:{limit.burst}:"
    begun = blake2b(stated.encode(), key=secret, digest_size=_SUBJECT_BYTES)

    def key_of(subject: bytes) -> bytes:
        digest = begun.copy()
        digest.update(subject)
        return _TAG + digest.digest()

    return key_of


SUSPECT_BURST_MIN = 3
"""Acts at once that suspicion leaves a person: to ask for a place, for the work that it costs, and with that again."""


def lowered(limit: RateLimit, factor: float, *, burst_min: int = 1) -> RateLimit:
    """Return the limit with quota and burst times `factor` (above 0, at most 1); one act always stays possible, and
    `burst_min` at once where the limit allows so many.
    """
    return msgspec.structs.replace(
        limit,
        quota=max(1, int(limit.quota * factor)),
        burst=max(min(burst_min, limit.burst), int(limit.burst * factor)),
    )


def interval_of(limit: RateLimit) -> int:
    """Return the microseconds from one act to the next, rounded up."""
    return -(-limit.window_seconds * _MICROSECONDS // limit.quota)


def ahead_most_of(stated: RateLimit, now: RateLimit) -> int:
    """Return the microseconds that a subject's number can lie ahead: a full burst as stated or, where that is more (it
    rounds), as lowered now.

    By the stated one also while lowered: a process that lowers earlier than others must not forget what they counted.
    """
    return max(interval_of(limit) * limit.burst for limit in (stated, now))


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
