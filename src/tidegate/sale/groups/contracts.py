"""Words of group buying: groups, seats, the commands to open and join, and what happens to them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from tidegate.base.outbox import Event
from tidegate.sale.ordering.contracts import TOTAL_MAX, Placed, Quantity, Sku


class GroupState(StrEnum):
    """Where a group stands."""

    FORMING = "forming"
    FILLED = "filled"
    FAILED = "failed"


class SeatState(StrEnum):
    """Where a seat stands."""

    TAKEN = "taken"
    PAID = "paid"
    CONFIRMED = "confirmed"
    REFUNDED = "refunded"
    LEFT = "left"


class JoinGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a buyer asks for. `expected_total` is the price that was shown, in minor units: another one is refused."""

    address_id: Annotated[UUID, Meta(description="One of the shopper's own addresses.")]
    expected_total: Annotated[int, Meta(ge=0, le=TOTAL_MAX, description="Minor units.", examples=[5900])]
    quantity: Quantity = 1


class OpenGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a buyer asks for who opens a group for a product that is sold to groups."""

    sku: Sku
    address_id: Annotated[UUID, Meta(description="One of the shopper's own addresses.")]
    expected_total: Annotated[int, Meta(ge=0, le=TOTAL_MAX, description="Minor units.", examples=[5900])]
    quantity: Quantity = 1


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """A seat was taken: the group, and the order to pay for it. The same for every repetition of the key."""

    group_id: UUID
    order: Placed


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group as it stands. `taken` seats of `size` are taken, of them `paid` are paid."""

    group_id: UUID
    campaign_id: str
    sku: str
    size: int
    state: GroupState
    taken: int
    paid: int
    opened_at: datetime
    fills_by: datetime
    ended_at: datetime | None

    @property
    def places_left(self) -> int:
        """Seats that can still be taken, if the group is forming."""
        return self.size - self.taken


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer's seat in a group; without an order only while that is being placed."""

    seat_id: UUID
    group_id: UUID
    buyer_id: UUID
    key: str
    quantity: int
    order_id: UUID | None
    state: SeatState
    taken_at: datetime


class SeatView(msgspec.Struct, frozen=True, kw_only=True):
    """A seat as everybody may see it: whose it is, is told to nobody but its owner (`mine`)."""

    state: SeatState
    taken_at: datetime
    mine: bool = False


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A group as everybody who has its link may see it; `order_id` is the reader's own order in it."""

    group: Group
    places_left: int
    seats: tuple[SeatView, ...]
    order_id: UUID | None = None


class GroupOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A product that is sold to groups: the price of a unit in minor units, and on what terms.

    `left` units can still be ordered; `forming` groups can be joined by whoever has their link.
    """

    sku: str
    price: int
    list_price: int
    currency: str
    size: int
    fill_seconds: int
    quota: int
    per_buyer: int
    left: int = 0
    forming: int = 0


class GroupFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which groups a list for staff shows; all conditions hold together."""

    state: GroupState | None = None
    sku: str = ""
    limit: int = 50
    offset: int = 0


class GroupPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, newest first, with the count of everything that the filter finds."""

    rows: tuple[Group, ...]
    count: int


class GroupTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a campaign's groups and their seats, for one product."""

    sku: str
    forming: int
    filled: int
    failed: int
    paid: int
    confirmed: int
    refunded: int


class GroupFilled(Event, frozen=True, kw_only=True):
    """A group is filled: these orders are confirmed and may be fulfilled."""

    group_id: UUID
    campaign_id: str
    sku: str
    order_ids: tuple[UUID, ...]
    filled_at: datetime


class GroupFailed(Event, frozen=True, kw_only=True):
    """A group was not filled in time: these orders, all that had paid, are refunded."""

    group_id: UUID
    campaign_id: str
    sku: str
    order_ids: tuple[UUID, ...]
    failed_at: datetime
