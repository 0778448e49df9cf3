"""An order's whole story for staff: what was bought, why it costs what it costs, its holds, attempts and moments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tidegate.base.db import Tx
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId, Words
from tidegate.sale.ordering.api import Ordering, left_of, units_back
from tidegate.sale.ordering.contracts import Left, Order, OrderState, Refund
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import AttemptState, PaymentView, RefundView, SettledByHand
from tidegate.sale.payment.errors import IntentUnknown
from tidegate.sale.shortfall.api import Shortfalls
from tidegate.sale.shortfall.contracts import Line
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import Hold
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, AccountView, AddressId, PersonalDataView, SavedAddress


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. The words belong to `kind`; `channel`, `number` and `amount` fill them."""

    at: datetime
    kind: str
    mark: str = ""
    channel: str = ""
    number: int = 0
    amount: int | None = None
    reason: str = ""
    seconds: float | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one order's page shows."""

    order: Order
    names: Mapping[str, Words]
    holds: tuple[Hold, ...]
    payment: PaymentView | None
    refunds: tuple[Refund, ...]
    account: AccountView | None
    masked_address: str
    views: tuple[PersonalDataView, ...]
    moments: tuple[Moment, ...]
    left: tuple[Left, ...]
    """What can still be given back, line by line; nothing unless it is paid."""
    shortfalls: tuple[Line, ...]
    """What became of units of it that were not there."""
    odd: frozenset[UUID]
    """Attempts of which the channel took another amount than was asked: they wait for a person."""
    settlements: tuple[SettledByHand, ...]
    """What staff decided about such attempts."""


class Stories:
    """Gathers orders' stories from the modules. One a process, given to the handlers as `stories`."""

    def __init__(
        self,
        *,
        ordering: Ordering,
        stock: Stock,
        payment: Payment,
        identity: Identity,
        campaign: Campaign,
        shortfalls: Shortfalls,
    ) -> None:
        self._ordering, self._stock, self._payment = ordering, stock, payment
        self._identity, self._campaign = identity, campaign
        self._shortfalls = shortfalls

    async def tell(self, tx: Tx, order_id: UUID) -> Story:
        """Gather an order's story. Raises OrderUnknown."""
        order = await self._ordering.order(tx, order_id)
        holds = await self._stock.holds_of(tx, order_id, [line.sku for line in order.priced.lines])
        paid = await self._paid(tx, order)
        refunds = tuple(await self._ordering.refunds_of(tx, order_id))
        attempts = [each.attempt_id for each in paid.attempts] if paid else []
        account = AccountId(order.buyer_id)
        saved = await address(tx, self._identity, account, AddressId(order.address_id))
        return Story(
            order=order,
            names=await self._names(tx, order),
            holds=tuple(holds),
            payment=paid,
            refunds=refunds,
            account=await self._account(tx, account),
            masked_address=masked(saved),
            views=tuple(await self._identity.views(tx, subject=f"order:{order_id}", limit=20)),
            moments=moments(order, holds, paid),
            left=left_of(order, units_back(refunds)) if order.state is OrderState.PAID else (),
            shortfalls=tuple(await self._shortfalls.lines_of(tx, order_id)),
            odd=frozenset(await self._payment.odd_among(tx, attempts)),
            settlements=tuple(await self._payment.settlements_of(tx, order_id)),
        )

    async def _paid(self, tx: Tx, order: Order) -> PaymentView | None:
        try:
            return await self._payment.view(tx, order.order_id, deposit_id=order.deposit_id)
        except IntentUnknown:
            return None

    async def _account(self, tx: Tx, account: AccountId) -> AccountView | None:
        """Return the buyer's account, or None where it is gone: the order stays."""
        try:
            return await self._identity.account(tx, account)
        except Refusal:
            return None

    async def _names(self, tx: Tx, order: Order) -> dict[str, Words]:
        """Return the goods' names in the version that priced the order."""
        try:
            version = await self._campaign.version(tx, CampaignId(order.campaign_id), order.priced.rules_version)
        except Refusal:
            return {}
        wanted = {*(line.sku for line in order.priced.lines), *order.priced.gifts_left_off}
        return {entry.sku: entry.name for entry in version.definition.goods if entry.sku in wanted}


async def address(tx: Tx, identity: Identity, account: AccountId, address_id: AddressId) -> SavedAddress | None:
    """Return the order's address, or None where its owner has removed it since."""
    try:
        return await identity.address(tx, account, address_id)
    except Refusal:
        return None


def masked(saved: SavedAddress | None) -> str:
    """Return as much of an address as anybody on the staff may see: the city, and whose first character."""
    if saved is None:
        return ""
    return f"{saved.address.province} {saved.address.city} · {saved.address.name[:1]}**"


_ENDS = {
    OrderState.CANCELLED: "cancelled",
    OrderState.EXPIRED: "expired",
    OrderState.REFUNDED: "refunded",
    OrderState.REFUNDING: "refunding",
}
_ATTEMPT_MARKS = {
    AttemptState.CAPTURED: "now",
    AttemptState.SURPLUS: "act",
    AttemptState.REFUSED: "act",
    AttemptState.UNREACHED: "act",
    AttemptState.UNKNOWN: "act",
}


def moments(order: Order, holds: Sequence[Hold], payment: PaymentView | None) -> tuple[Moment, ...]:
    """Return what happened to an order, in the order of time."""
    told = [Moment(at=order.placed_at, kind="placed", amount=order.total)]
    if holds:
        told.append(Moment(at=min(hold.held_at for hold in holds), kind="held", number=sum(h.quantity for h in holds)))
    if payment is not None:
        told += _payment_moments(payment)
    if order.paid_at is not None:
        told.append(Moment(at=order.paid_at, kind="paid", mark="now", amount=order.total))
    if order.state in _ENDS and order.ended_at is not None:
        told.append(Moment(at=order.ended_at, kind=_ENDS[order.state]))
    if order.state is OrderState.PLACED:
        told.append(Moment(at=order.expires_at, kind="due"))
    return tuple(sorted(told, key=lambda moment: moment.at))


def _payment_moments(payment: PaymentView) -> list[Moment]:
    told = []
    for attempt in payment.attempts:
        told.append(Moment(at=attempt.started_at, kind="attempt", channel=attempt.channel, number=attempt.number))
        if attempt.ended_at is not None:
            told.append(
                Moment(
                    at=attempt.ended_at,
                    kind=f"attempt-{attempt.state.value}",
                    mark=_ATTEMPT_MARKS.get(attempt.state, ""),
                    channel=attempt.channel,
                    number=attempt.number,
                    reason=attempt.reason,
                    seconds=(attempt.ended_at - attempt.started_at).total_seconds(),
                )
            )
    return told + [each for refund in payment.refunds for each in _refund_moments(refund)]


def _refund_moments(refund: RefundView) -> list[Moment]:
    told = [Moment(at=refund.requested_at, kind="refund-asked", amount=refund.amount, reason=refund.reason)]
    if refund.ended_at is not None:
        told.append(Moment(at=refund.ended_at, kind=f"refund-{refund.state.value}", amount=refund.amount))
    return told
