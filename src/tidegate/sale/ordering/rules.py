"""Decisions of ordering, pure: which orders of a batch are taken, and how an order may move from state to state."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec

from tidegate.base.errors import Refusal
from tidegate.offer.coupons.api import Wallet
from tidegate.offer.pricing.api import Counters, without_gift
from tidegate.offer.pricing.contracts import CounterUse, PricedOrder
from tidegate.sale.ordering.contracts import Asked, Order, OrderState, PlaceOrder
from tidegate.sale.ordering.errors import AddressUnknown, KeyReused, SlotEnded
from tidegate.sale.points.api import Purse
from tidegate.sale.stock.contracts import StockLedger
from tidegate.sale.stock.errors import SoldOut

_MOVES: Mapping[OrderState, Collection[OrderState]] = {
    OrderState.PLACED: (OrderState.PAID, OrderState.CANCELLED, OrderState.EXPIRED),
    OrderState.PAID: (OrderState.REFUNDING, OrderState.REFUNDED),
    OrderState.REFUNDING: (OrderState.REFUNDED,),
    OrderState.CANCELLED: (),
    OrderState.EXPIRED: (),
    OrderState.REFUNDED: (),
}
GIVEN_UP = frozenset({OrderState.REFUNDING, OrderState.REFUNDED})
"""Paid once; everything of it goes back."""

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def may_move(present: OrderState, to: OrderState) -> bool:
    """Return whether an order may go from one state to the other."""
    return to in _MOVES[present]


def request_hash(command: PlaceOrder) -> bytes:
    """Return 16 bytes that differ for commands that differ: the same key must come with the same command."""
    return blake2b(_encode(command), digest_size=16).digest()


class Earlier(msgspec.Struct, frozen=True):
    """An order that exists already under the key of one that is asked for."""

    order_id: UUID
    request_hash: bytes


class Taken(msgspec.Struct, frozen=True):
    """An order of the batch that is taken, under its new id."""

    order_id: UUID
    asked: Asked
    units: tuple[tuple[str, int], ...]
    """(SKU, quantity) of each line."""


Decision = Taken | Earlier | Refusal


def decide(
    batch: Sequence[tuple[UUID, Asked]],
    earlier: Mapping[tuple[UUID, str], Earlier],
    foreign: Collection[tuple[UUID, UUID]],
    counters: Counters,
    wallet: Wallet,
    purse: Purse,
    ledger: StockLedger,
    refusal_of: Callable[[CounterUse], Refusal],
    now: datetime,
) -> list[Decision]:
    """Decide each order of a batch in the order of asking; `batch` pairs a fresh id with each.

    A ladder for each: idempotency, address, the slot of its flash price, limits, its own coupon, points, stock. Only
    one that passes all of them takes anything. `foreign` are the (buyer, address) pairs that do not belong together;
    `now` judges whether the slot is still on.
    """
    taken: dict[tuple[UUID, str], Earlier] = dict(earlier)
    decisions: list[Decision] = []
    for order_id, asked in batch:
        known = taken.get((asked.buyer_id, asked.key))
        if known is not None:
            decisions.append(_repeated(known, asked))
            continue
        decision = _fresh(order_id, asked, foreign, counters, wallet, purse, ledger, refusal_of, now)
        if isinstance(decision, Taken):
            taken[asked.buyer_id, asked.key] = Earlier(order_id, asked.request_hash)
        decisions.append(decision)
    return decisions


def _repeated(known: Earlier, asked: Asked) -> Decision:
    if known.request_hash == asked.request_hash:
        return known
    return KeyReused(
        "This idempotency key belongs to an order that was asked for with another body. "
        "Nothing was ordered. Send the first body again, or use a new key.",
        order_id=known.order_id,
    )


def _fresh(
    order_id: UUID,
    asked: Asked,
    foreign: Collection[tuple[UUID, UUID]],
    counters: Counters,
    wallet: Wallet,
    purse: Purse,
    ledger: StockLedger,
    refusal_of: Callable[[CounterUse], Refusal],
    now: datetime,
) -> Taken | Refusal:
    """Take an order that was not asked for before, or refuse it. A gift without stock is left off."""
    if foreign and (asked.buyer_id, asked.address_id) in foreign:
        return AddressUnknown(
            "The address is not one of yours. Nothing was ordered. Choose another address or enter a new one.",
            address_id=asked.address_id,
        )
    ends_at = asked.priced.price_ends_at
    if ends_at is not None and now >= ends_at:
        return SlotEnded(
            "The slot of this flash price has just ended. Nothing was ordered. Look at the new price and order again.",
            ended_at=ends_at,
        )
    refusal = _use_means(order_id, asked, counters, wallet, purse, refusal_of)
    if refusal is not None:
        return refusal
    while (short := ledger.try_take(order_id, units := units_of(asked.priced))) is not None:
        less = without_gift(asked.priced, short)
        if less is None:
            _give_means_back(order_id, asked, counters, wallet, purse)
            return _sold_out(short, ledger.free(short))
        counters.give_back([use for use in asked.priced.counters if use not in less.counters])
        asked = msgspec.structs.replace(asked, priced=less)
    return Taken(order_id, asked, units)


def _use_means(
    order_id: UUID,
    asked: Asked,
    counters: Counters,
    wallet: Wallet,
    purse: Purse,
    refusal_of: Callable[[CounterUse], Refusal],
) -> Refusal | None:
    """Use what the order uses of limits, its own coupon and its points: all of it, or none and the reason."""
    exceeded = counters.try_use(asked.priced.counters)
    if exceeded is not None:
        return refusal_of(exceeded)
    code, points = asked.own_coupon, asked.priced.points_used
    if code is not None:
        unusable = wallet.try_freeze(code, order_id, asked.buyer_id, asked.terms.campaign_id)
        if unusable is not None:
            counters.give_back(asked.priced.counters)
            return unusable
    lacking = purse.try_hold(order_id, asked.buyer_id, points) if points else None
    if lacking is not None:
        counters.give_back(asked.priced.counters)
        if code is not None:
            wallet.give_back(code)
    return lacking


def _give_means_back(order_id: UUID, asked: Asked, counters: Counters, wallet: Wallet, purse: Purse) -> None:
    """Undo `_use_means`."""
    counters.give_back(asked.priced.counters)
    if asked.own_coupon is not None:
        wallet.give_back(asked.own_coupon)
    if asked.priced.points_used:
        purse.give_back(order_id)


def _sold_out(sku: str, left: int) -> SoldOut:
    if left == 0:
        return SoldOut("The last unit has just been taken. Nothing was ordered.", sku=sku, left=0)
    return SoldOut(f"Only {left} are left. Nothing was ordered. Ask for fewer.", sku=sku, left=left)


def units_of(priced: PricedOrder) -> tuple[tuple[str, int], ...]:
    """Return (SKU, quantity) of each line; a SKU stands once."""
    return tuple((line.sku, line.quantity) for line in priced.lines)


def shares_of(priced: PricedOrder) -> tuple[tuple[str, int, int], ...]:
    """Return (SKU, units, what each was paid with) of what was bought, in minor units; gifts were not bought."""
    return tuple((line.sku, share.units, share.paid) for line in priced.lines for share in line.bought())


def refund_parts(order: Order, back: int, amount: int) -> tuple[tuple[UUID, int], ...]:
    """Return (payment, amount) of each payment that a refund comes from: the order's own first, then its deposit.

    `back` is what went back before. All refunds of an order together take no more from a payment than it took.
    """
    own = order.total - order.deposit
    from_own = min(amount, max(own - back, 0))
    parts = [(order.order_id, from_own), (order.deposit_id or order.order_id, amount - from_own)]
    return tuple((payment, part) for payment, part in parts if part) or ((order.order_id, 0),)
