"""Words of ordering: the command to place an order, what an order is, and what happens to it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tidegate.base.outbox import Event
from tidegate.gate.limits.contracts import Asker
from tidegate.offer.pricing.api import GiftBack, Lowered
from tidegate.offer.pricing.contracts import LINES_MAX, QUANTITY_MAX, Cart, PricedOrder, ScopedUse
from tidegate.sale.points.contracts import POINTS_MAX

TOTAL_MAX = 10**12

Sku = Annotated[str, Meta(min_length=1, max_length=64, examples=["TG-0001"])]
Quantity = Annotated[int, Meta(ge=1, le=QUANTITY_MAX, examples=[1])]


class OrderState(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class OrderLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many units of one SKU."""

    sku: Sku
    quantity: Quantity


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a shopper asks for. `expected_total` is the price that was shown, in minor units: another one is refused."""

    lines: Annotated[
        tuple[OrderLine, ...],
        Meta(min_length=1, max_length=LINES_MAX, examples=[[{"sku": "TG-0001", "quantity": 1}]]),
    ]
    address_id: Annotated[UUID, Meta(description="One of the shopper's own addresses.")]
    expected_total: Annotated[int, Meta(ge=0, le=TOTAL_MAX, description="Minor units.", examples=[9900])]
    coupon: Annotated[str, Meta(min_length=1, max_length=32, examples=["SAVE50"])] | None = None
    points: Annotated[int, Meta(ge=0, le=POINTS_MAX, description="Spend at most so many points.")] | UnsetType = UNSET
    """Left out of the command's hash where it is not said."""
    expected_gifts: (
        Annotated[
            tuple[Sku, ...],
            Meta(
                max_length=LINES_MAX,
                description="SKUs of the gifts that were shown: the answer names those that are gone meanwhile.",
                examples=[["TG-0002"]],
            ),
        ]
        | UnsetType
    ) = UNSET
    """Left out of the hash, too."""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a placed order: the same for every repetition of its idempotency key."""

    order_id: UUID
    state: OrderState = OrderState.PLACED
    total: Annotated[int, Meta(description="Minor units.", examples=[9900])]
    currency: Annotated[str, Meta(examples=["CNY"])]
    placed_at: datetime
    expires_at: Annotated[datetime, Meta(description="Pay before this moment; then the units go back on sale.")]
    gifts_left_off: Annotated[
        tuple[str, ...],
        Meta(description="SKUs of gifts that were gone: the order comes without them, at the same price."),
    ] = ()


class Terms(msgspec.Struct, frozen=True, order=True):
    """What all orders of one part of a batch have in common."""

    campaign_id: str
    currency: str
    payment_seconds: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A priced order on its way into the hot lane.

    `scoped` is what it uses of limits by device and address, whose counters the lane completes; mostly nothing.
    """

    buyer_id: UUID
    key: str
    request_hash: bytes
    address_id: UUID
    terms: Terms
    cart: Cart
    priced: PricedOrder
    own_coupon: str | None = None
    """The code of a claimed coupon, which the order freezes; None for a shared code or none."""
    asker: Asker | None = None
    """Who asks, where the lane counts the order against the rate limits; None where the door has done so."""
    session_id: UUID | None = None
    scoped: tuple[ScopedUse, ...] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it stands. Amounts in minor units."""

    order_id: UUID
    buyer_id: UUID
    campaign_id: str
    address_id: UUID
    state: OrderState
    total: int
    currency: str
    refunded: int
    coupon: str | None
    priced: PricedOrder
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None
    own_coupon: str | None = None
    """The claimed coupon that it freezes while unpaid and uses once paid; none after that came back with a refund."""
    deposit: int = 0
    """The part of the total that was paid before it was ordered."""
    deposit_id: UUID | None = None
    """The payment of that part; the order's own payment took the rest."""


class ReservedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was reserved and whose deposit and balance are paid: it is an order from now on.

    Its units are held by a reservation of the same id, which is also the id of the balance's payment.
    """

    order_id: UUID
    buyer_id: UUID
    campaign_id: str
    address_id: UUID
    priced: PricedOrder
    deposit: int
    deposit_id: UUID


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list."""

    order_id: UUID
    buyer_id: UUID
    state: OrderState
    total: int
    currency: str
    refunded: int
    placed_at: datetime
    paid_at: datetime | None


class OrderSort(StrEnum):
    """How a list of orders is sorted."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders a list shows: all conditions hold together. `text` is the beginning of an order's id, or a SKU."""

    state: OrderState | None = None
    text: str = ""
    buyer_ids: tuple[UUID, ...] | None = None
    sort: OrderSort = OrderSort.NEWEST
    limit: int = 50
    offset: int = 0


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, with the count and sum of everything that the filter finds."""

    rows: tuple[OrderRow, ...]
    count: int
    total: int


class RefundLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of one SKU that go back."""

    sku: Sku
    quantity: Quantity


class RefundReason(StrEnum):
    """Why money of an order goes back."""

    RETURNED = "returned"
    """Units were given back."""
    CANCELLED = "cancelled"
    """All that was left of a paid order was given up, with its gifts."""
    PROTECTION = "protection"
    """The goods cost less now; their units stay sold."""
    SHORTFALL = "shortfall"
    """The shop does not have the units, or has them later than the buyer would wait."""


class RefundUnits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a shopper gives back of a paid order."""

    lines: Annotated[
        tuple[RefundLine, ...],
        Meta(min_length=1, max_length=LINES_MAX, examples=[[{"sku": "TG-0001", "quantity": 1}]]),
    ]
    reason: Annotated[str, Meta(max_length=200)] = ""
    expected_amount: Annotated[int, Meta(ge=0, le=TOTAL_MAX, description="Minor units, as previewed.")] | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way back, or back when `confirmed_at` is set. Amounts in minor units.

    The amount is with `shipping` and without what was `withheld` for `gifts` that are kept; below 0 is withheld where a
    gift came back whose price had been kept. `points` go back beside it. `lowered` says which units, still sold, it
    makes cheaper. `asked_by` names the member of staff who acted; empty: the buyer, or the shop by itself.
    """

    refund_id: UUID
    order_id: UUID
    lines: tuple[RefundLine, ...]
    amount: int
    reason: str
    requested_at: datetime
    confirmed_at: datetime | None
    cause: RefundReason = RefundReason.RETURNED
    points: int = 0
    shipping: int = 0
    withheld: int = 0
    gifts: tuple[GiftBack, ...] = ()
    lowered: tuple[Lowered, ...] = ()
    asked_by: str = ""


class Left(msgspec.Struct, frozen=True):
    """Units of one line that can still be given back: bought ones, and gifts, which come last."""

    sku: str
    bought: int
    gifts: int

    @property
    def units(self) -> int:
        """All of them."""
        return self.bought + self.gifts


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What an order's buyer still has: the order, its price with the shares as they stand after all that was given
    back of units that stay sold, and how many units of each SKU are back."""

    order: Order
    priced: PricedOrder
    back: Mapping[str, int]
    refunds: tuple[Refund, ...]


class OrderPlaced(Event, frozen=True, kw_only=True):
    """An order is durable and holds its units."""

    order_id: UUID
    buyer_id: UUID
    campaign_id: str
    total: int
    currency: str
    lines: tuple[tuple[str, int], ...]
    placed_at: datetime


class OrderPaid(Event, frozen=True, kw_only=True):
    """An order's money is captured and its units are sold.

    ``shares`` are (SKU, units, what each of them was paid with), after every reduction was split over the units.
    """

    order_id: UUID
    buyer_id: UUID
    campaign_id: str
    total: int
    currency: str
    lines: tuple[tuple[str, int], ...]
    shares: tuple[tuple[str, int, int], ...] = ()
    points: int = 0
    """What the payment earns."""
    paid_at: datetime


class OrderExpired(Event, frozen=True, kw_only=True):
    """An order was not paid in time; its units are free again."""

    order_id: UUID
    campaign_id: str
    total: int
    lines: tuple[tuple[str, int], ...]
    expired_at: datetime


class OrderCancelled(Event, frozen=True, kw_only=True):
    """An unpaid order was given up by its buyer; its units are free again."""

    order_id: UUID
    campaign_id: str
    total: int
    lines: tuple[tuple[str, int], ...]
    cancelled_at: datetime


class PaidOrder(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a paid order as tells which rules priced it, and when it was paid."""

    order_id: UUID
    campaign_id: str
    rules_version: int
    paid_at: datetime


class PastOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer paid for: units bought by SKU, gifts not among them, whatever came back later."""

    buyer_id: UUID
    placed_at: datetime
    units: Mapping[str, int]


class UnitsReturned(Event, frozen=True, kw_only=True):
    """Units of a paid order were given back, and so much money and so many points for them."""

    order_id: UUID
    buyer_id: UUID
    campaign_id: str
    refund_id: UUID
    lines: tuple[tuple[str, int], ...]
    amount: int
    points: int
    returned_at: datetime


class OrderRefunded(Event, frozen=True, kw_only=True):
    """Money of a paid order is back; `complete` when it is all of it."""

    order_id: UUID
    campaign_id: str
    amount: int
    complete: bool
    refunded_at: datetime
