"""Decisions of repricing, pure: how an order was made, and what differs between what it keeps and what it comes to."""

from collections.abc import Iterator, Mapping

from tidegate.offer.pricing.contracts import GivenGift, PricedLine, PricedOrder, RuleSet
from tidegate.sale.ordering.contracts import Order
from tidegate.sale.repricing.contracts import Difference, Making, What

NONE = "–"
"""Stands where there is nothing to compare with."""
_SUMS = (What.GOODS_TOTAL, What.DISCOUNT_TOTAL, What.SHIPPING, What.POINTS_USED, What.TRACE_HASH)


def making_of(order: Order, ordinary: RuleSet) -> Making:
    """Return how an order without a deposit came to its price. Goods sold to groups are on no other offer."""
    on_offer = any(line.sku in ordinary.offers for line in order.priced.lines)
    return Making.ORDINARY if on_offer else Making.GROUP


def differences(order: Order, again: PricedOrder) -> tuple[Difference, ...]:
    """Return everything in which an order differs from its price computed again; amounts in minor units."""
    kept = order.priced
    found = list(_unlike(What.LINE, _lines(kept), _lines(again)))
    found += _unlike(What.GIFT, _gifts(kept), _gifts(again))
    found += [
        Difference(what=what, kept=str(ours), again=str(theirs))
        for what in _SUMS
        if (ours := getattr(kept, what)) != (theirs := getattr(again, what))
    ]
    # Its own total is what was charged; the price beside it, which orders share, says the same or it is one more fault.
    for total in dict.fromkeys((order.total, kept.total)):
        if total != again.total:
            found.append(Difference(what=What.TOTAL, kept=str(total), again=str(again.total)))
    return tuple(found)


def _unlike(what: What, kept: Mapping[str, object], again: Mapping[str, object]) -> Iterator[Difference]:
    for sku in sorted(kept.keys() | again.keys()):
        if kept.get(sku) != again.get(sku):
            yield Difference(what=what, of=sku, kept=str(kept.get(sku, NONE)), again=str(again.get(sku, NONE)))


def _lines(order: PricedOrder) -> dict[str, str]:
    return {line.sku: _line(line) for line in order.lines}


def _line(line: PricedLine) -> str:
    shares = " + ".join(f"{share.units} * {share.paid}" for share in line.shares)
    return f"{line.quantity} * {line.unit_price} - {line.discount} = {line.payable} (list {line.list_price}; {shares})"


def _gifts(order: PricedOrder) -> dict[str, str]:
    return {f"{gift.sku} of {gift.promotion}": _gift(gift) for gift in order.gifts}


def _gift(gift: GivenGift) -> str:
    return f"{gift.units} * {gift.value}"
