"""Decisions of presale, pure: how a reservation may move, what may be asked of it, and what its order costs."""

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b, sha256
from typing import NamedTuple
from uuid import UUID

import msgspec

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignVersion, GoodsEntry, Presale, Words
from tidegate.offer.pricing.contracts import CounterUse, PricedLine, PricedOrder, PriceStep, Share, StepKind
from tidegate.sale.ordering.errors import PriceChanged
from tidegate.sale.payment.contracts import OpenIntent, Purpose
from tidegate.sale.presale.contracts import PresaleNow, Reservation, ReservationState, Reserve
from tidegate.sale.presale.errors import (
    BalanceNotDue,
    PresaleLimitReached,
    PresaleNotOpen,
    ReservationEnded,
)

_MOVES: Mapping[ReservationState, Collection[ReservationState]] = {
    ReservationState.RESERVED: (
        ReservationState.DEPOSITED,
        ReservationState.EXPIRED,
        ReservationState.CANCELLED,
    ),
    ReservationState.DEPOSITED: (
        ReservationState.COMPLETED,
        ReservationState.FORFEITED,
        ReservationState.COMPENSATED,
    ),
    ReservationState.COMPLETED: (ReservationState.COMPENSATED,),
    ReservationState.EXPIRED: (),
    ReservationState.CANCELLED: (),
    ReservationState.FORFEITED: (),
    ReservationState.COMPENSATED: (),
}
HOLDING = (ReservationState.RESERVED, ReservationState.DEPOSITED)
"""States in which units are held."""
COUNTED = (*HOLDING, ReservationState.COMPLETED)
"""States in which units count against what one buyer may have."""

_PRICE = Words("预售价", "Presale price")
_LIST = Words("原价", "List price")
_GROWN = Words("定金膨胀", "Deposit counts for more")
_SHIPPING = Words("运费（已含）", "Delivery (included)")
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def may_move(present: ReservationState, to: ReservationState) -> bool:
    """Return whether a reservation may go from one state to the other."""
    return to in _MOVES[present]


def request_hash(command: Reserve) -> bytes:
    """Return 16 bytes that differ for commands that differ: the same key must come with the same command."""
    return blake2b(_encode(command), digest_size=16).digest()


def window_refusal(presale: Presale, now: datetime) -> Refusal | None:
    """Return why nothing is reserved at `now`, or None."""
    if presale.deposit_from_at <= now < presale.deposit_until_at:
        return None
    opens_at, closes_at = presale.deposit_from_at, presale.deposit_until_at
    when = f"It begins at {opens_at:%Y-%m-%d %H:%M} UTC." if now < opens_at else "It is over."
    return PresaleNotOpen(f"{when} Nothing was reserved.", opens_at=opens_at, closes_at=closes_at)


def price_refusal(presale: Presale, command: Reserve) -> Refusal | None:
    """Return a refusal where the amounts that were shown are not those of the presale, or None."""
    deposit, balance = presale.deposit * command.quantity, presale.balance * command.quantity
    if (deposit, balance) == (command.expected_deposit, command.expected_balance):
        return None
    return PriceChanged(
        "The price is not the one that you were shown. Nothing was reserved. Look at it again and reserve then.",
        deposit=deposit,
        balance=balance,
    )


def limit_refusal(presale: Presale, reserved: int, quantity: int) -> Refusal | None:
    """Return why a buyer who has `reserved` units cannot have `quantity` more, or None."""
    if not presale.per_buyer or reserved + quantity <= presale.per_buyer:
        return None
    return PresaleLimitReached(
        f"Each buyer may reserve {presale.per_buyer}; you have {reserved}. Nothing more was reserved.",
        cap=presale.per_buyer,
        reserved=reserved,
    )


def balance_refusal(reservation: Reservation, now: datetime) -> Refusal | None:
    """Return why the balance cannot be paid at `now`, or None; a completed reservation answers as paid."""
    if reservation.state is ReservationState.COMPLETED:
        return None
    if reservation.state is ReservationState.RESERVED:
        return BalanceNotDue("The deposit is not paid yet. Nothing was charged. Pay the deposit first.")
    if reservation.state is not ReservationState.DEPOSITED:
        return ReservationEnded("The reservation is over. Nothing was charged.", state=reservation.state)
    if now < reservation.balance_from_at:
        return BalanceNotDue(
            f"The balance is paid from {reservation.balance_from_at:%Y-%m-%d %H:%M} UTC on. Nothing was charged.",
            opens_at=reservation.balance_from_at,
        )
    if now >= reservation.balance_until_at:
        return ReservationEnded("The time for the balance is over. Nothing was charged.", state=reservation.state)
    return None


class _Deal(NamedTuple):
    """What makes the price of a completed reservation. Prices in minor units, per unit."""

    sku: str
    units: int
    list_price: int
    price: int
    deposit: int
    counts_for: int
    currency: str
    version: int


def priced(reservation: Reservation, uses: tuple[CounterUse, ...] = ()) -> PricedOrder:
    """Return what the order of a completed reservation costs, step by step: deposit and balance together.

    Every unit has the same share, so that whatever goes back later is exact. What the reservation used of counters
    is handed on to the order.
    """
    made = _priced(
        _Deal(
            sku=reservation.sku,
            units=reservation.quantity,
            list_price=reservation.list_price,
            price=reservation.price,
            deposit=reservation.deposit,
            counts_for=reservation.counts_for,
            currency=reservation.currency,
            version=reservation.campaign_version,
        )
    )
    return msgspec.structs.replace(made, counters=uses) if uses else made


def priced_by(version: CampaignVersion, sku: str, units: int) -> PricedOrder | None:
    """Return what `priced` says of so many units reserved by a published version; None where it has no such presale."""
    definition = version.definition
    presale = next((each for each in definition.presales if each.sku == sku), None)
    if presale is None:
        return None
    return _priced(
        _Deal(
            sku=sku,
            units=units,
            list_price=next(each.list_price for each in definition.goods if each.sku == sku),
            price=presale.price,
            deposit=presale.deposit,
            counts_for=presale.counts_for,
            currency=definition.currency,
            version=version.version,
        )
    )


def _priced(deal: _Deal) -> PricedOrder:
    units = deal.units
    goods_total = deal.price * units
    grown = (deal.counts_for - deal.deposit) * units
    total = goods_total - grown
    steps = [
        PriceStep(StepKind.LIST_PRICE, "list", _LIST, deal.list_price * units),
        PriceStep(StepKind.OFFER, "presale", _PRICE, goods_total - deal.list_price * units),
    ]
    if grown:
        steps.append(PriceStep(StepKind.PROMOTION, "deposit", _GROWN, -grown))
    steps.append(PriceStep(StepKind.SHIPPING, "included", _SHIPPING, 0))
    line = PricedLine(
        sku=deal.sku,
        quantity=units,
        list_price=deal.list_price,
        unit_price=deal.price,
        discount=grown,
        payable=total,
        shares=(Share(units, total // units),),
    )
    terms = (deal.sku, units, deal.price, deal.deposit, deal.counts_for)
    return PricedOrder(
        lines=(line,),
        steps=tuple(steps),
        goods_total=goods_total,
        discount_total=grown,
        shipping=0,
        total=total,
        currency=deal.currency,
        counters=(),
        rules_version=deal.version,
        trace_hash=sha256(_encode(terms)).hexdigest(),
    )


def presale_now(presale: Presale, goods: GoodsEntry, currency: str, left: int) -> PresaleNow:
    """Return a presale as it stands."""
    return PresaleNow(
        sku=presale.sku,
        name=goods.name,
        label=presale.label,
        currency=currency,
        list_price=goods.list_price,
        price=presale.price,
        deposit=presale.deposit,
        counts_for=presale.counts_for,
        balance=presale.balance,
        in_all=presale.in_all,
        quota=presale.quota,
        per_buyer=presale.per_buyer,
        left=left,
        deposit_from_at=presale.deposit_from_at,
        deposit_until_at=presale.deposit_until_at,
        balance_from_at=presale.balance_from_at,
        balance_until_at=presale.balance_until_at,
        ships_by_at=presale.ships_by_at,
    )


def open_payment(found: Reservation) -> list[UUID]:
    """Return the payment that a reservation waits for; none where the balance was not asked for yet."""
    if found.state is ReservationState.RESERVED:
        return [found.deposit_id]
    return [found.reservation_id] if found.balance_asked_at is not None else []


def deposit_intent(made: Reservation) -> OpenIntent:
    """Return what the deposit of all units has to pay, under its own id."""
    return OpenIntent(
        intent_id=made.deposit_id,
        order_id=made.deposit_id,
        buyer_id=made.buyer_id,
        amount=made.deposit_total,
        currency=made.currency,
        expires_at=made.deposit_due_at,
        purpose=Purpose.DEPOSIT,
    )


def balance_intent(found: Reservation) -> OpenIntent:
    """Return what the balance of all units has to pay, under the reservation's id, until its window ends."""
    return OpenIntent(
        intent_id=found.reservation_id,
        order_id=found.reservation_id,
        buyer_id=found.buyer_id,
        amount=found.balance_total,
        currency=found.currency,
        expires_at=found.balance_until_at,
        purpose=Purpose.BALANCE,
    )
