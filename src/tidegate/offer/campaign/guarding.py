"""Words of what guards a sale: defences against attacks, and rate limits."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

QUANTITY_MAX = 1_000_000_000


class Defence(StrEnum):
    """What can be done against an attack."""

    WORK_FOR_ALL = "work_for_all"
    """Everybody proves work, not only who is suspect."""
    LOWER_LIMITS = "lower_limits"
    """Every limit is multiplied by the rule's factor."""
    STATIC_ONLY = "static_only"
    """Only what is cached, and the money path."""
    HOOK = "hook"
    """The operator's scrubbing service or CDN is told."""


class WorkAsked(StrEnum):
    """Of whom a waiting room asks work, or a wait, for a place; while `work_for_all` is on, of everybody."""

    ATTACK = "attack"
    """Of nobody else."""
    SUSPECTS = "suspects"
    """Of visits that look like a program's."""
    ALWAYS = "always"
    """Of everybody."""


class Signal(StrEnum):
    """What an attack shows in."""

    REQUESTS = "requests"  # a second
    FAILURES = "failures"  # share of all requests, basis points
    FAILED_SIGN_INS = "failed_sign_ins"  # a minute
    FAILED_PAYMENTS = "failed_payments"  # a minute
    NEW_DEVICES = "new_devices"  # a second


class Threshold(Struct, frozen=True, kw_only=True):
    """A signal speaks of an attack from ``start_at`` on, and of calm below ``stop_below``."""

    signal: Signal
    start_at: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    stop_below: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]


class DefenceRule(Struct, frozen=True, kw_only=True):
    """When a defence starts by itself, and how long it stays: both signals must agree, as means over the window."""

    name: str
    starts: Defence
    trigger: Threshold
    second: Threshold
    window_seconds: Annotated[int, Meta(ge=5, le=60)]
    stay_seconds: Annotated[int, Meta(ge=10, le=3_600)]
    expiry_seconds: Annotated[int, Meta(ge=10, le=86_400)]
    factor: Annotated[int, Meta(ge=100, le=10_000)] = 10_000  # basis points, of LOWER_LIMITS


class LimitedAct(StrEnum):
    """What can be asked too often."""

    ASK_CODE = "ask_code"
    SIGN_IN = "sign_in"
    TAKE_PLACE = "take_place"
    TAKE_PASS = "take_pass"  # noqa: S105  an act, not a secret
    SEARCH = "search"
    PLACE_ORDER = "place_order"
    CLAIM_COUPON = "claim_coupon"


class LimitScope(StrEnum):
    """Whose acts are counted together."""

    ACCOUNT = "account"
    DEVICE = "device"  # one browser, known by the cookie of its first sign-in, whichever accounts use it
    ADDRESS = "address"  # one IPv4 address, or one /64 of IPv6: what one line is given
    NETWORK = "network"  # one /24 of IPv4, or one /48 of IPv6


class WhenDown(StrEnum):
    """What a limit answers while nobody can count."""

    ALLOW = "allow"
    REFUSE = "refuse"


class RateLimit(Struct, frozen=True, kw_only=True):
    """At most ``quota`` acts a window, evenly spread, and ``burst`` of them at once: quota + burst in any window."""

    name: str
    act: LimitedAct
    scope: LimitScope
    quota: Annotated[int, Meta(ge=1, le=1_000_000)]
    window_seconds: Annotated[int, Meta(ge=1, le=86_400)]
    burst: Annotated[int, Meta(ge=1, le=1_000_000)]
    when_down: WhenDown = WhenDown.ALLOW
