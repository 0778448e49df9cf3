"""The words of limits: who asks for what, and what the answer is."""

from uuid import UUID

import msgspec

from tidegate.offer.campaign.contracts import LimitedAct, LimitScope, RateLimit, WhenDown

__all__ = [
    "Admitted",
    "Ask",
    "Asker",
    "Decision",
    "LimitScope",
    "LimitedAct",
    "RateLimit",
    "Reached",
    "Unknown",
    "WhenDown",
]


class Asker(msgspec.Struct, frozen=True):
    """Who asks: by network address (text, from the connection or a trusted proxy), and as far as known by account and
    by browser.
    """

    address: str
    account_id: UUID | None = None
    device: UUID | None = None


class Ask(msgspec.Struct, frozen=True):
    """One act that somebody is about to do."""

    act: LimitedAct
    asker: Asker


class Admitted(msgspec.Struct, frozen=True):
    """No limit is in the way; the act is counted."""


class Reached(msgspec.Struct, frozen=True):
    """A limit, as lowered as it is now, is in the way for another `wait_seconds`, at least 1; nothing is counted."""

    limit: RateLimit
    wait_seconds: int


class Unknown(msgspec.Struct, frozen=True):
    """Valkey cannot be asked, and this limit refuses then."""

    limit: RateLimit


Decision = Admitted | Reached | Unknown
