"""What paid and refunded orders mean for their buyers' points: ordering knows the orders, points keep the ledger.

Holding, spending and releasing points is ordering's own, in the transaction of the order. What an order earns follows
its events, after the hot lane is done with it.
"""

from collections.abc import Sequence

from tidegate.base.db import Tx
from tidegate.base.outbox import Outbox
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import Order, OrderPaid, OrderRefunded, Refund, UnitsReturned
from tidegate.sale.points.api import Points, taken_back
from tidegate.sale.points.contracts import Earned, Settled


class Loyalty:
    """Takes each paid and each refunded order from the outbox; whatever is taken twice changes nothing more."""

    def __init__(self, ordering: Ordering, points: Points) -> None:
        self._ordering = ordering
        self._points = points

    def subscribe(self, outbox: Outbox) -> None:
        """Hear of paid and refunded orders."""
        outbox.subscribe(
            "points", {OrderPaid: self.take_paid, UnitsReturned: self.take_back, OrderRefunded: self.take_back}
        )

    async def take_paid(self, tx: Tx, paid: list[OrderPaid]) -> None:
        """Credit what the orders earn by the rules that priced them."""
        await self._points.earn(tx, [Earned(each.buyer_id, each.order_id, each.points) for each in paid])

    async def take_back(self, tx: Tx, back: Sequence[UnitsReturned | OrderRefunded]) -> None:
        """Give back and take back the points of what came back, by how the orders stand now.

        Units that bring no money are refunded as they return; of all others the money is confirmed later.
        """
        settled = {}
        for order_id in {each.order_id for each in back}:
            order = await self._ordering.order(tx, order_id)
            if order.priced.points_used or order.priced.points_earned:
                settled[order_id] = settled_of(order, await self._ordering.refunds_of(tx, order_id))
        await self._points.settle(tx, list(settled.values()))


def settled_of(order: Order, refunds: list[Refund]) -> Settled:
    """Return how many of an order's points are given back and taken back in all, by its confirmed refunds."""
    priced = order.priced
    return Settled(
        account_id=order.buyer_id,
        order_id=order.order_id,
        given_back=sum(refund.points for refund in refunds if refund.confirmed_at is not None),
        taken_back=taken_back(priced.points_earned, priced.total - priced.shipping, order.refunded),
    )
