"""Price protection (价保): what a line paid, compared with the price that can be reached today."""

from collections.abc import Mapping

import msgspec

from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder


class Protected(msgspec.Struct, frozen=True):
    """What one line paid for its units that are kept, and would pay for them today, in minor units.

    Points count as the money that they paid; shipping is no part of it.
    """

    sku: str
    units: int
    paid: int
    today: int

    @property
    def refund(self) -> int:
        """What the buyer gets back: the difference, never below 0."""
        return max(self.paid - self.today, 0)


def cart_kept(order: PricedOrder, back: Mapping[str, int]) -> Cart | None:
    """The goods that were bought and kept, as a cart to price today; None when nothing is left."""
    lines = []
    for line in order.lines:
        kept = line.quantity - line.gifts - back.get(line.sku, 0)
        if kept > 0:
            lines.append(CartLine(line.sku, kept))
    return Cart(tuple(lines)) if lines else None


def facts_of_today(order: PricedOrder, today: Facts) -> Facts:
    """Today's facts for the comparison: no points are spent, and the coupons of the purchase are shown again."""
    coupons = order.facts.coupons if order.facts else ()
    return msgspec.structs.replace(today, points=0, coupons=(*today.coupons, *coupons))


def protect(order: PricedOrder, today: PricedOrder, back: Mapping[str, int]) -> tuple[Protected, ...]:
    """Compare each kept line of an order with today's price of the goods kept (`cart_kept`), both after allocation."""
    now = {line.sku: line for line in today.lines}
    by_points = _paid_by_points(order)
    compared = []
    for line in order.lines:
        start, bought = back.get(line.sku, 0), line.quantity - line.gifts
        units = bought - start
        if units > 0 and line.sku in now:
            paid = line.paid_for(start, units) + by_points.get(line.sku, 0) * units // bought
            compared.append(Protected(line.sku, units, paid, now[line.sku].payable))
    return tuple(compared)


def _paid_by_points(order: PricedOrder) -> dict[str, int]:
    """What points paid of each line."""
    if not order.points_used:
        return {}
    return next(dict(each.lines) for each in order.reductions if each.promotion == order.steps[-1].rule)
