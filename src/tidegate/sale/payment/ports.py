"""A channel as payment sees it, and the answers that it can give.

What an answer means is the whole safety of paying: only `Refused`, `Unreached` and `Closed` say for certain that
nothing was and will be charged; `Unknown` says nothing at all.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

import msgspec


class ChargeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Charge `amount` under our reference `attempt_id`; repeated, it charges once."""

    attempt_id: UUID
    amount: int
    currency: str
    subject: UUID


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give back `amount` of an attempt under our reference `refund_id`; repeated, it gives back once."""

    refund_id: UUID
    attempt_id: UUID
    amount: int
    currency: str


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """The channel has the money."""

    amount: int
    currency: str
    reference: str = ""
    payer: str = ""
    """A digest of the account that it was paid from, the same for the same account; empty where it is not told."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """The channel has the request and has not decided."""

    reference: str = ""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The channel said no, for certain."""

    reason: str


class Unreached(msgspec.Struct, frozen=True, kw_only=True):
    """The request was never sent, or the channel states that it did not process it."""

    reason: str


class Closed(msgspec.Struct, frozen=True):
    """The channel will never charge this attempt."""


class NotFound(msgspec.Struct, frozen=True):
    """The channel does not have this reference; it may still be on its way there."""


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """No answer that says what happened: silence, a broken connection, an error, a missing signature."""

    reason: str


ChargeAnswer: TypeAlias = Captured | Pending | Refused | Unreached | Closed | Unknown
QueryAnswer: TypeAlias = Captured | Pending | Refused | Closed | NotFound | Unknown
CloseAnswer: TypeAlias = Captured | Refused | Closed | Unknown


class RefundConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """The channel gave the money back."""

    amount: int
    currency: str


class RefundRefused(msgspec.Struct, frozen=True, kw_only=True):
    """The channel will not give it back."""

    reason: str


RefundAnswer: TypeAlias = RefundConfirmed | RefundRefused | Unknown


class ChargeHeard(msgspec.Struct, frozen=True, kw_only=True):
    """A callback about a charge."""

    attempt_id: UUID
    answer: Captured | Pending | Refused | Closed


class RefundHeard(msgspec.Struct, frozen=True, kw_only=True):
    """A callback about a refund."""

    refund_id: UUID
    answer: RefundConfirmed | RefundRefused


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """A movement in the channel's books; `reference` is our attempt's or refund's id."""

    kind: str
    reference: str
    amount: int
    currency: str
    booked_at: datetime


class Channel(Protocol):
    """An outside payment institution. No method raises for what the institution or the network does."""

    @property
    def name(self) -> str:
        """Its name in our configuration."""
        ...

    async def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """Ask for a charge."""
        ...

    async def query(self, attempt_id: UUID) -> QueryAnswer:
        """Ask what became of an attempt."""
        ...

    async def close(self, attempt_id: UUID) -> CloseAnswer:
        """Ask that an attempt never charges; final at the channel, also for a reference that it has not seen."""
        ...

    async def refund(self, request: RefundRequest) -> RefundAnswer:
        """Ask for money to be given back."""
        ...

    async def pay_out(self, request: RefundRequest) -> RefundAnswer:
        """Ask for our own money to be paid to whoever paid the attempt, beyond what was charged."""
        ...

    def statement(self, from_at: datetime, to_at: datetime) -> AsyncIterator[list[StatementLine]]:
        """Give the channel's books of a time range, page by page. Raises ChannelSilent when it does not answer."""
        ...

    def read_callback(self, signature: str, body: bytes) -> ChargeHeard | RefundHeard:
        """Check and read a callback. Raises CallbackNotSigned before anything is parsed, or CallbackMalformed."""
        ...

    async def disconnect(self) -> None:
        """Close the connections."""
        ...
