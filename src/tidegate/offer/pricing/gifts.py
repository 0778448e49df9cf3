"""Gifts never keep an order: what is out of stock is left off, and the order says so."""

from hashlib import sha256

import msgspec

from tidegate.offer.pricing.contracts import CounterUse, PricedLine, PricedOrder


def without_gift(order: PricedOrder, sku: str) -> PricedOrder | None:
    """The order without its gifts of this SKU, at the same price; None when it has none.

    The counters of their promotions are not used then. The trace hash is another one, derived from the first.
    """
    lost = {gift.promotion for gift in order.gifts if gift.sku == sku}
    if not lost:
        return None
    lines = [line if line.sku != sku else _without(line) for line in order.lines]
    return msgspec.structs.replace(
        order,
        lines=tuple(line for line in lines if line is not None),
        gifts=tuple(gift for gift in order.gifts if gift.sku != sku),
        counters=tuple(use for use in order.counters if not _is_of(use, lost)),
        gifts_left_off=(*order.gifts_left_off, sku),
        trace_hash=sha256(f"{order.trace_hash} without {sku}".encode()).hexdigest(),
    )


def _without(line: PricedLine) -> PricedLine | None:
    """The line without its free units, which come last; None when it has no others."""
    if line.gifts == line.quantity:
        return None
    paid = line.shares[:-1] if line.gifts else line.shares
    return msgspec.structs.replace(line, quantity=line.quantity - line.gifts, gifts=0, shares=paid)


def _is_of(use: CounterUse, promotions: set[str]) -> bool:
    kind, _, rest = use.key.partition("/")[2].partition(":")
    return kind in {"promotion", "period", "budget"} and rest.partition(":")[0] in promotions
