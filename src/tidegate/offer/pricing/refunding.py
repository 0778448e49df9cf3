"""What goes back when units of an order come back: money, points and gifts, by what was fixed at purchase.

The policy, as published: each unit that comes back is refunded with its frozen share, whatever else was returned before
or is returned later, and a threshold that is lost changes nothing of that. A gift comes back with the goods that earned
it, in proportion to them and rounded down, or its price, stated before the purchase, is kept from the refund (7-day
return measures; order 56 of SAMR, article 18). Points that paid for a unit come back as points. Shipping goes back with
the last unit.
"""

from collections.abc import Mapping, Sequence

import msgspec

from tidegate.offer.pricing.contracts import GivenGift, PricedLine, PricedOrder, StepKind


class GiftBack(msgspec.Struct, frozen=True):
    """So many units of a gift that must come back, or whose price is kept: ``value`` is the price of one."""

    promotion: str
    sku: str
    units: int
    value: int


class RefundPlan(msgspec.Struct, frozen=True):
    """What a return gives back: money in minor units, shipping within it, points, and the gifts that are due."""

    amount: int
    points: int
    gifts: tuple[GiftBack, ...]
    shipping: int

    def amount_without(self, kept: Mapping[str, int]) -> int:
        """What is refunded when so many units of gifts (by SKU) are kept: their prices go off, never below 0."""
        prices = {gift.sku: gift.value for gift in self.gifts}
        return max(self.amount - sum(prices.get(sku, 0) * units for sku, units in kept.items()), 0)


def plan_refund(order: PricedOrder, before: Mapping[str, int], units: Mapping[str, int]) -> RefundPlan:
    """What `units` (by SKU) give back after `before` came back already; gifts count as units of their own SKU.

    The sum over all returns of an order is the same in any order and portions. Raises ValueError for more units than
    remain.
    """
    amount = points = 0
    lines = {line.sku: line for line in order.lines}
    points_of = _points_of(order)
    for sku, count in units.items():
        line = lines.get(sku)
        start = before.get(sku, 0)
        if line is None or count < 0 or start + count > line.quantity:
            raise ValueError(f"{count} of {sku} should come back, but fewer remain of this order")
        amount += line.paid_for(start, count)
        part = points_of.get(sku, 0)
        points += _points_for(line, part, start + count) - _points_for(line, part, start)
    after = {line.sku: before.get(line.sku, 0) + units.get(line.sku, 0) for line in order.lines}
    shipping = order.shipping if _is_whole(order, after) and not _is_whole(order, before) else 0
    return RefundPlan(amount + shipping, points, _gifts(order, before, after), shipping)


def _is_whole(order: PricedOrder, back: Mapping[str, int]) -> bool:
    """Whether every paid unit is back."""
    return all(back.get(line.sku, 0) >= line.quantity - line.gifts for line in order.lines)


def _points_for(line: PricedLine, points: int, units: int) -> int:
    """The points that the first units of a line were paid with: a share of the line's, whole with the last one."""
    paying = line.quantity - line.gifts
    return points * min(units, paying) // paying if points else 0


def _points_of(order: PricedOrder) -> dict[str, int]:
    """The points of each line, by SKU: as the money that they paid."""
    if not order.points_used:
        return {}
    rule = next(step.rule for step in order.steps if step.kind is StepKind.POINTS)
    reduction = next(each for each in order.reductions if each.promotion == rule)
    for_one = order.points_used // reduction.amount
    return {sku: amount * for_one for sku, amount in reduction.lines}


def _gifts(order: PricedOrder, before: Mapping[str, int], after: Mapping[str, int]) -> tuple[GiftBack, ...]:
    """The gifts that this return makes due."""
    due = []
    for gift in order.gifts:
        units = _due(order, gift, after) - _due(order, gift, before)
        if units:
            due.append(GiftBack(gift.promotion, gift.sku, units, gift.value))
    return tuple(due)


def _due(order: PricedOrder, gift: GivenGift, back: Mapping[str, int]) -> int:
    lines: Sequence[PricedLine] = [line for line in order.lines if line.sku in gift.earned_by]
    bought = sum(line.quantity - line.gifts for line in lines)
    gone = sum(min(back.get(line.sku, 0), line.quantity - line.gifts) for line in lines)
    return gift.units * gone // bought if bought else 0
