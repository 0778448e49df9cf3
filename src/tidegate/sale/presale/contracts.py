"""Words of presale: the command to reserve, what a reservation is, and what becomes of it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.offer.campaign.contracts import Words

QUANTITY_MAX = 99
REASON_MAX = 500

Sku = Annotated[str, Meta(min_length=1, max_length=64, examples=["TG-0001"])]
Amount = Annotated[int, Meta(ge=0, le=10**12, description="Minor units.", examples=[9900])]


class ReservationState(StrEnum):
    """Where a reservation stands."""

    RESERVED = "reserved"
    DEPOSITED = "deposited"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FORFEITED = "forfeited"
    COMPENSATED = "compensated"


class Reserve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a shopper asks for, with the amounts that were shown for all units: others are refused."""

    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX, examples=[1])]
    expected_deposit: Amount
    expected_balance: Amount


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation as it stands. Prices in minor units, per unit.

    Its id is also the id of its order, once it is completed, and of the balance's payment; `deposit_id` is the
    deposit's payment. The deposit is paid before `deposit_due_at`.
    """

    reservation_id: UUID
    buyer_id: UUID
    campaign_id: str
    campaign_version: int
    sku: str
    quantity: int
    state: ReservationState
    currency: str
    list_price: int
    price: int
    deposit: int
    counts_for: int
    deposit_id: UUID
    deposit_due_at: datetime
    balance_from_at: datetime
    balance_until_at: datetime
    ships_by_at: datetime
    reserved_at: datetime
    deposited_at: datetime | None
    balance_asked_at: datetime | None
    completed_at: datetime | None
    ended_at: datetime | None
    address_id: UUID | None = None
    reason: str = ""

    @property
    def deposit_total(self) -> int:
        """The deposit of all units."""
        return self.deposit * self.quantity

    @property
    def balance_total(self) -> int:
        """The balance of all units."""
        return (self.price - self.counts_for) * self.quantity


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the life of a reservation: by whom (empty: by itself), and why."""

    state: ReservationState
    at: datetime
    by: str
    reason: str


class ReservationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which reservations a list shows. `text` is the beginning of an id, or a SKU."""

    state: ReservationState | None = None
    text: str = ""
    limit: int = 50
    offset: int = 0


class ReservationPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, newest first, with the count, units and deposits of everything that the filter finds."""

    rows: tuple[Reservation, ...]
    count: int
    units: int
    deposits: int


class PresaleNow(msgspec.Struct, frozen=True, kw_only=True):
    """A presale as it stands: its terms, in minor units per unit, and how many units are free."""

    sku: str
    name: Words
    label: Words
    currency: str
    list_price: int
    price: int
    deposit: int
    counts_for: int
    balance: int
    in_all: int
    quota: int
    per_buyer: int
    left: int
    deposit_from_at: datetime
    deposit_until_at: datetime
    balance_from_at: datetime
    balance_until_at: datetime
    ships_by_at: datetime


class PayBalance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to send the goods, and which channel to pay by; without a channel the best one that works."""

    address_id: Annotated[UUID, Meta(description="One of the shopper's own addresses.")]
    channel: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$", examples=["harbour"])] | None = None


class GiveUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Giving a reservation up. `lose_deposit` must be true where the deposit is paid: it does not come back."""

    lose_deposit: bool = False
