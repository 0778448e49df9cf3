"""Ids, states, commands, views and events of payment. Amounts are integers of the currency's minor unit."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

import msgspec

from tidegate.base.outbox import Event

IntentId = NewType("IntentId", UUID)
AttemptId = NewType("AttemptId", UUID)
RefundId = NewType("RefundId", UUID)

AMOUNT_MAX = 10**12
"""Largest amount of one intent, minor units; beyond any order, and far from overflowing a bigint's sum."""

CALLBACK_PATH = "/api/v1/payments/callbacks/"
"""Below the shop's public address; the channel's name follows."""

Amount = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX, description="Amount in minor units", examples=[12900])]
ChannelName = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="Name of a channel", examples=["harbour"])
]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code", examples=["CNY"])]


class IntentState(StrEnum):
    """Where an intent stands."""

    OPEN = "open"
    CONFIRMING = "confirming"
    CAPTURED = "captured"
    CLOSED = "closed"


class AttemptState(StrEnum):
    """Where an attempt stands."""

    STARTED = "started"
    """Recorded; the call to the channel may be under way."""
    PENDING = "pending"
    """The channel has it and has not decided."""
    UNKNOWN = "unknown"
    """The call ended without an answer that says what happened."""
    CAPTURED = "captured"
    """The channel has the money, and it pays the intent."""
    SURPLUS = "surplus"
    """The channel has the money, but the intent could not use it; it is refunded by itself."""
    REFUSED = "refused"
    """The channel said no; nothing was charged."""
    UNREACHED = "unreached"
    """The channel never got the request, or said that it did not process it; nothing was charged."""
    CLOSED = "closed"
    """Closed at the channel; it can never charge."""


OUTSTANDING = frozenset({AttemptState.STARTED, AttemptState.PENDING, AttemptState.UNKNOWN})


class RefundState(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """The channel will not do it; a person has to. It stays reserved and is listed as a discrepancy."""


class Purpose(StrEnum):
    """What an intent is paid for."""

    ORDER = "order"
    DEPOSIT = "deposit"
    """A deposit (定金) on goods that are ordered later: owed to the buyer until it is applied or forfeited."""
    BALANCE = "balance"
    """What is left to pay beside an applied deposit."""


class RefundCause(StrEnum):
    """Why money goes back."""

    ASKED = "asked"
    """An order asked for it."""
    SURPLUS = "surplus"
    """It arrived for an intent that could not use it."""
    DEPOSIT = "deposit"
    """A deposit that was neither applied nor forfeited goes back."""
    COMPENSATION = "compensation"
    """Our own money, paid beyond what was charged: the second half of a deposit returned double."""


class HandRemedy(StrEnum):
    """What staff decide about a charge of another amount than was asked."""

    ACCEPT = "accept"
    """It pays the order, and what is beyond goes back."""
    REFUND = "refund"
    """All of it goes back, and the order is to be paid."""


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel says that it took for an attempt, beside what was asked; minor units."""

    attempt_id: UUID
    order_id: UUID
    channel: str
    asked: int
    taken: int
    currency: str

    @property
    def remedies(self) -> tuple[HandRemedy, ...]:
        """What can be decided: less than the price pays for nothing."""
        return (HandRemedy.ACCEPT, HandRemedy.REFUND) if self.taken > self.asked else (HandRemedy.REFUND,)


class SettledByHand(msgspec.Struct, frozen=True, kw_only=True):
    """What staff decided about a charge of another amount than was asked: by whom, when and why. Minor units."""

    attempt_id: UUID
    remedy: HandRemedy
    asked: int
    taken: int
    reason: str
    settled_by: str
    settled_at: datetime


class OpenIntent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Command: an order has to be paid until `expires_at`."""

    intent_id: UUID
    order_id: UUID
    buyer_id: UUID
    amount: int
    currency: str
    expires_at: datetime
    purpose: Purpose = Purpose.ORDER


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as people see it."""

    attempt_id: UUID
    number: int
    channel: str
    state: AttemptState
    amount: int
    started_at: datetime
    ended_at: datetime | None
    reason: str = ""


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """One refund as people see it."""

    refund_id: UUID
    attempt_id: UUID
    amount: int
    cause: RefundCause
    reason: str
    state: RefundState
    requested_at: datetime
    ended_at: datetime | None


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """An order's payment as people see it.

    `state` `confirming` means that a channel has been asked and the outcome is not known yet: show it as under way,
    never as failed. `reason` is the last attempt's, for example `insufficient-funds`.
    """

    intent_id: UUID
    order_id: UUID
    state: IntentState
    amount: int
    currency: str
    expires_at: datetime
    channel: str = ""
    reason: str = ""
    refunded: int = 0
    attempts: tuple[AttemptView, ...] = ()
    refunds: tuple[RefundView, ...] = ()


class PayOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of a request to pay: a channel by name, or none to let the shop choose."""

    channel: ChannelName | None = None


class PaymentCaptured(Event, frozen=True, kw_only=True):
    """The intent's money has been taken, once."""

    intent_id: UUID
    order_id: UUID
    attempt_id: UUID
    channel: str
    amount: int
    currency: str
    captured_at: datetime
    payer: str = ""
    """A digest of the account that it was paid from; empty where the channel does not tell."""


class PartCaptured(Event, frozen=True, kw_only=True):
    """The money of a deposit, or of the balance beside it, has been taken, once; told apart from orders' payments."""

    intent_id: UUID
    order_id: UUID
    attempt_id: UUID
    channel: str
    amount: int
    currency: str
    purpose: Purpose
    captured_at: datetime


class PaymentClosed(Event, frozen=True, kw_only=True):
    """The intent will not be paid any more; money that arrives all the same goes back."""

    intent_id: UUID
    order_id: UUID
    closed_at: datetime


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The channel confirmed a refund. `cause` tells an order's refund from surplus money sent back."""

    intent_id: UUID
    order_id: UUID
    refund_id: UUID
    attempt_id: UUID
    channel: str
    amount: int
    currency: str
    cause: RefundCause
    refunded_at: datetime


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's health over the last seconds, as its circuit breaker sees it."""

    name: str
    weight: int
    state: str
    calls: int
    failures: int
    outstanding: int = 0
    oldest_outstanding_at: datetime | None = None


class AccountBalance(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger account's sums, in minor units; `balance` is debits less credits."""

    account: str
    currency: str
    debits: int
    credits: int

    @property
    def balance(self) -> int:
        """Debits less credits."""
        return self.debits - self.credits


class DiscrepancyView(msgspec.Struct, frozen=True, kw_only=True):
    """Something a channel said that does not fit our books; about which order, where it is about a payment of one."""

    discrepancy_id: UUID
    channel: str
    kind: str
    reference: str
    detail: str
    found_at: datetime
    order_id: UUID | None = None
