"""What is told of orders as they move: the events, from an order and the moment."""

from datetime import datetime

from tidegate.sale.ordering.contracts import Order, OrderCancelled, OrderExpired, OrderPaid
from tidegate.sale.ordering.rules import shares_of, units_of


def paid_of(order: Order, at: datetime) -> OrderPaid:
    """Tell that an order is paid."""
    return OrderPaid(
        order_id=order.order_id,
        buyer_id=order.buyer_id,
        campaign_id=order.campaign_id,
        total=order.total,
        currency=order.currency,
        lines=units_of(order.priced),
        shares=shares_of(order.priced),
        points=order.priced.points_earned,
        paid_at=at,
    )


def cancelled_of(order: Order, at: datetime) -> OrderCancelled:
    """Tell that an unpaid order was given up."""
    return OrderCancelled(
        order_id=order.order_id,
        campaign_id=order.campaign_id,
        total=order.total,
        lines=units_of(order.priced),
        cancelled_at=at,
    )


def expired_of(order: Order, at: datetime) -> OrderExpired:
    """Tell that an order was not paid in time."""
    return OrderExpired(
        order_id=order.order_id,
        campaign_id=order.campaign_id,
        total=order.total,
        lines=units_of(order.priced),
        expired_at=at,
    )
