"""Orders that were reservations with a deposit: what is told of them when they become orders."""

from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from tidegate.sale.ordering.contracts import OrderPaid, OrderPlaced, ReservedOrder
from tidegate.sale.ordering.rules import shares_of, units_of


def request_hash_of(order_id: UUID) -> bytes:
    """Return 16 bytes that stand where the hash of a shopper's command does: no command was given."""
    return blake2b(order_id.bytes, digest_size=16, person=b"reservation").digest()


def told_of(reserved: ReservedOrder, at: datetime) -> tuple[OrderPlaced, OrderPaid]:
    """Return the events of a reservation that became an order and was paid at the same moment."""
    placed = OrderPlaced(
        order_id=reserved.order_id,
        buyer_id=reserved.buyer_id,
        campaign_id=reserved.campaign_id,
        total=reserved.priced.total,
        currency=reserved.priced.currency,
        lines=units_of(reserved.priced),
        placed_at=at,
    )
    paid = OrderPaid(
        order_id=reserved.order_id,
        buyer_id=reserved.buyer_id,
        campaign_id=reserved.campaign_id,
        total=reserved.priced.total,
        currency=reserved.priced.currency,
        lines=units_of(reserved.priced),
        shares=shares_of(reserved.priced),
        paid_at=at,
    )
    return placed, paid
