"""Limits of one buyer over the whole promotion, and what a reservation uses of them before it is an order.

A reservation of goods in presale takes its units from the same counters as an order. Which address it goes to and
which payment account pays the whole of it is not known yet, so that it counts by buyer and by device alone.
"""

from collections.abc import Sequence
from uuid import UUID

from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.pricing.carts import buyer_uses
from tidegate.offer.pricing.contracts import CartLine, CounterUse, ScopedUse, SharedScope
from tidegate.offer.pricing.counting import refusal_of
from tidegate.offer.pricing.scoped import compile_scoped, scoped_uses

BuyerLimit = tuple[str, int, frozenset[str]]
"""The head of its counters, what one buyer may have, and its SKUs; none named means everything."""


def buyer_limits(definition: CampaignDefinition) -> list[BuyerLimit]:
    """The limits of a definition that are by buyer."""
    return [
        (f"{definition.id}/limit:{each.name}:", each.per_buyer, frozenset(each.skus))
        for each in definition.limits
        if each.per_buyer
    ]


def counters_of_sku(limits: Sequence[BuyerLimit], sku: str) -> list[tuple[str, int]]:
    """The heads and caps of those limits that count this SKU."""
    return [(head, cap) for head, cap, skus in limits if not skus or sku in skus]


def reserved_uses(definition: CampaignDefinition, sku: str, units: int, buyer: UUID) -> list[CounterUse]:
    """What reserving so many units uses of the limits by buyer.

    Raises BuyerLimitReached for more than any buyer may have.
    """
    counters = [(head, units, cap) for head, cap in counters_of_sku(buyer_limits(definition), sku)]
    for head, amount, cap in counters:
        if amount > cap:
            raise refusal_of(CounterUse(head, amount, cap))
    return buyer_uses(counters, buyer)


def reserved_device_uses(definition: CampaignDefinition, sku: str, units: int) -> tuple[ScopedUse, ...]:
    """What reserving so many units uses of the limits by device.

    Raises SharedLimitReached for more than one device may have.
    """
    by_device = [limit for limit in compile_scoped(definition) if limit.scope is SharedScope.DEVICE]
    return scoped_uses(by_device, [CartLine(sku, units)])
