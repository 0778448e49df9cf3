"""What goes back when units of an order come back: money, points and gifts, by what was fixed at purchase.

The policy, as published: each unit that comes back is refunded with its frozen share, whatever else was returned before
or is returned later, and a threshold that is lost changes nothing of that. Points that paid for a unit come back as
points. Shipping goes back with the last unit that was paid for.

Gifts are due with the goods that earned them, in proportion to their units and rounded down. What a campaign says of
one that is kept (7-day return measures; order 56 of SAMR, article 18) is its ``GiftPolicy``: the buyer may keep it, or
its price, stated before the purchase, is kept from the refund in proportion to the money of the goods that came back,
until the gift comes back too. What has been kept from refunds is a function of what is back, so that the sum of all
refunds of an order is the same on any path.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import floor

import msgspec

from tidegate.offer.campaign.contracts import GiftPolicy
from tidegate.offer.pricing.contracts import GivenGift, PricedLine, PricedOrder, StepKind


class GiftBack(msgspec.Struct, frozen=True):
    """So many units of a gift are due with this return, or their price is kept: ``value`` is the price of one."""

    promotion: str
    sku: str
    units: int
    value: int


class RefundPlan(msgspec.Struct, frozen=True):
    """What a return gives back: money in minor units, points, and the gifts that are due.

    ``shipping`` is within the amount. ``withheld`` was taken off it for gifts that are kept; below 0 where a gift came
    back whose price had been kept.
    """

    amount: int
    points: int
    gifts: tuple[GiftBack, ...]
    shipping: int
    withheld: int = 0


def plan_refund(
    order: PricedOrder,
    before: Mapping[str, int],
    units: Mapping[str, int],
    policy: GiftPolicy = GiftPolicy.KEEP,
    withheld: int | None = None,
) -> RefundPlan:
    """What `units` (by SKU) give back after `before` came back; gifts count as units of their own SKU, and last.

    `withheld` was kept for gifts so far (None: as these shares say; they say less once some of them were lowered).
    The amount is never below 0, and the sum over all returns of an order is the same in any order and portions. Raises
    ValueError for more units than remain.
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
    shipping = order.shipping if is_whole(order, after) and not is_whole(order, before) else 0
    amount += shipping
    less = 0
    if policy is GiftPolicy.PAY:
        so_far = _withheld(order, before) if withheld is None else withheld
        less = min(_withheld(order, after) - so_far, amount)
    return RefundPlan(amount - less, points, _gifts(order, before, after), shipping, less)


def is_whole(order: PricedOrder, back: Mapping[str, int]) -> bool:
    """Whether every unit that was bought is back; gifts are not asked for."""
    return all(back.get(line.sku, 0) >= line.quantity - line.gifts for line in order.lines)


def _points_for(line: PricedLine, points: int, units: int) -> int:
    """The points that the first units of a line were paid with: a share of the line's, whole with the last one."""
    paying = line.quantity - line.gifts
    return points * min(units, paying) // paying if points else 0


def _points_of(order: PricedOrder) -> dict[str, int]:
    """The points of each line, by SKU: as the money that they paid."""
    paid = paid_by_points(order)
    for_one = order.points_used // sum(paid.values()) if paid else 0
    return {sku: amount * for_one for sku, amount in paid.items()}


def paid_by_points(order: PricedOrder) -> dict[str, int]:
    """What points paid of each line, by SKU, in minor units."""
    if not order.points_used:
        return {}
    rule = next(step.rule for step in order.steps if step.kind is StepKind.POINTS)
    return next(dict(each.lines) for each in order.reductions if each.promotion == rule)


def _gifts(order: PricedOrder, before: Mapping[str, int], after: Mapping[str, int]) -> tuple[GiftBack, ...]:
    """The gifts that this return makes due."""
    due = []
    for gift in order.gifts:
        units = _due(order, gift, after) - _due(order, gift, before)
        if units:
            due.append(GiftBack(gift.promotion, gift.sku, units, gift.value))
    return tuple(due)


def _due(order: PricedOrder, gift: GivenGift, back: Mapping[str, int]) -> int:
    lines = _earning(order, gift)
    bought = sum(line.quantity - line.gifts for line in lines)
    gone = sum(min(back.get(line.sku, 0), line.quantity - line.gifts) for line in lines)
    return gift.units * gone // bought if bought else 0


def _earning(order: PricedOrder, gift: GivenGift) -> list[PricedLine]:
    return [line for line in order.lines if line.sku in gift.earned_by]


def _withheld(order: PricedOrder, back: Mapping[str, int]) -> int:
    """What is kept from the refunds of everything that is back: of each gift still with the buyer its price, in the
    proportion in which the money of the goods that earned it is back. Summed before it is rounded, and never more than
    these goods paid, so that no return brings less than nothing.
    """
    share_max = max((sum(line.sku in gift.earned_by for gift in order.gifts) for line in order.lines), default=0)
    left = _gifts_back(order, back)
    kept = Fraction(0)
    for gift in order.gifts:
        lines = _earning(order, gift)
        paid = sum(line.paid_for(0, line.quantity) for line in lines)
        gone = sum(line.paid_for(0, back.get(line.sku, 0)) for line in lines)
        came = min(left.get(gift.sku, 0), gift.units)
        left[gift.sku] = left.get(gift.sku, 0) - came
        if gone:
            value = min(Fraction(gift.units * gift.value), Fraction(paid, share_max))
            kept += value * (gift.units - came) / gift.units * gone / paid
    return floor(kept)


def _gifts_back(order: PricedOrder, back: Mapping[str, int]) -> dict[str, int]:
    """How many of the units that are back are gifts, by SKU."""
    return {line.sku: max(back.get(line.sku, 0) - (line.quantity - line.gifts), 0) for line in order.lines}
