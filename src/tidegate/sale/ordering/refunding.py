"""Decisions on what goes back of a paid order, pure: by the price engine's plan, from what is back already."""

from collections.abc import Mapping, Sequence

from tidegate.offer.campaign.contracts import GiftPolicy
from tidegate.offer.pricing.api import RefundPlan, is_whole, lowered, plan_refund
from tidegate.offer.pricing.contracts import PricedLine
from tidegate.sale.ordering.contracts import Kept, Left, Order, Refund, RefundLine
from tidegate.sale.ordering.errors import RefundChanged, RefundTooLarge


def kept_of(order: Order, refunds: Sequence[Refund]) -> Kept:
    """Return what the buyer still has after these refunds."""
    priced = lowered(order.priced, [each for refund in refunds for each in refund.lowered])
    return Kept(order=order, priced=priced, back=units_back(refunds), refunds=tuple(refunds))


def units_back(refunds: Sequence[Refund]) -> dict[str, int]:
    """Return the units of each SKU that these refunds took back."""
    return _units([line for refund in refunds for line in refund.lines])


def _units(lines: Sequence[RefundLine]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def plan_return(kept: Kept, lines: Sequence[RefundLine], policy: GiftPolicy) -> RefundPlan:
    """Return what these units bring back; gifts count as units of their own SKU. Raises RefundTooLarge."""
    units = _units(lines)
    bought = {line.sku: line for line in kept.priced.lines}
    for sku, quantity in units.items():
        before, line = kept.back.get(sku, 0), bought.get(sku)
        if line is None or before + quantity > line.quantity:
            raise _too_large(sku, quantity, line, before)
    withheld = sum(refund.withheld for refund in kept.refunds)
    return plan_refund(kept.priced, kept.back, units, policy, withheld)


def after(kept: Kept, lines: Sequence[RefundLine]) -> dict[str, int]:
    """Return how many units of each SKU are back once these are."""
    units = _units(lines)
    return {sku: kept.back.get(sku, 0) + units.get(sku, 0) for sku in {*kept.back, *units}}


def all_is_back(order: Order, back: Mapping[str, int]) -> bool:
    """Return whether every unit that was bought is back: then the order is given up, whatever gifts are kept."""
    return is_whole(order.priced, back)


def remaining(order: Order, back: Mapping[str, int]) -> tuple[RefundLine, ...]:
    """Return the units that were bought and are not back; gifts were not bought."""
    return tuple(
        RefundLine(line.sku, line.quantity - line.gifts - back.get(line.sku, 0))
        for line in order.priced.lines
        if line.quantity - line.gifts > back.get(line.sku, 0)
    )


def next_refund_key(refunds: Sequence[Refund]) -> str:
    """Return the key under which the next refund of an order is asked for by a form: one sent twice is one refund."""
    return f"refund-{len(refunds) + 1}"


def left_of(order: Order, back: Mapping[str, int]) -> tuple[Left, ...]:
    """Return the lines of which something can still be given back."""
    found = []
    for line in order.priced.lines:
        bought, came = line.quantity - line.gifts, back.get(line.sku, 0)
        found.append(Left(line.sku, max(bought - came, 0), line.quantity - max(came, bought)))
    return tuple(left for left in found if left.units)


def everything_left(order: Order, back: Mapping[str, int]) -> tuple[RefundLine, ...]:
    """Return all units that are not back, with the gifts: what a cancelled order gives up."""
    return tuple(
        RefundLine(line.sku, line.quantity - back.get(line.sku, 0))
        for line in order.priced.lines
        if line.quantity > back.get(line.sku, 0)
    )


def require_shown(plan: RefundPlan, expected: int | None) -> None:
    """Raise RefundChanged where another refund was shown than the plan gives now."""
    if expected is not None and plan.amount != expected:
        raise RefundChanged(
            "The refund is not the one that was shown: something of this order went back meanwhile. "
            "Nothing was refunded. Look at the new refund and ask again.",
            amount=plan.amount,
            expected_amount=expected,
        )


def _too_large(sku: str, quantity: int, line: PricedLine | None, before: int) -> RefundTooLarge:
    left = line.quantity - before if line else 0
    return RefundTooLarge(
        f"{quantity} of {sku} should go back, but {left} are left of this order. "
        "Nothing was refunded. Ask for no more than that.",
        sku=sku,
        left=left,
    )
