"""Limits over the whole promotion by what an account shares with others: device, delivery address, payment account.

Pricing does not know who is on a device or lives at an address. It says how much an order uses of such a limit; whoever
takes the order names the subject, and the use becomes a counter like any other: exact, in the order's own transaction.
"""

from collections.abc import Sequence

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.pricing.contracts import CartLine, CounterUse, PricedLine, ScopedLimit, ScopedUse, SharedScope
from tidegate.offer.pricing.errors import SharedLimitReached

_WORDS = {
    SharedScope.DEVICE: "ordered on one device",
    SharedScope.ADDRESS: "sent to one address",
    SharedScope.INSTRUMENT: "paid from one payment account",
}


def compile_scoped(definition: CampaignDefinition) -> tuple[ScopedLimit, ...]:
    """Return the limits of a definition that are by device, address or payment account; mostly none."""
    return tuple(
        ScopedLimit(scope, f"{definition.id}/{scope}:{limit.name}:", cap, frozenset(limit.skus))
        for limit in definition.limits
        for scope, cap in (
            (SharedScope.DEVICE, limit.per_device),
            (SharedScope.ADDRESS, limit.per_address),
            (SharedScope.INSTRUMENT, limit.per_instrument),
        )
        if cap
    )


def scoped_uses(limits: Sequence[ScopedLimit], lines: Sequence[PricedLine | CartLine]) -> tuple[ScopedUse, ...]:
    """Return how much these lines use of each limit. Raises SharedLimitReached where alone they are too many."""
    uses = []
    for limit in limits:
        amount = sum(line.quantity for line in lines if not limit.skus or line.sku in limit.skus)
        if amount:
            use = ScopedUse(limit.scope, limit.head, amount, limit.cap)
            if amount > limit.cap:
                raise shared_limit_reached(use_of(use, ""))
            uses.append(use)
    return tuple(uses)


def use_of(use: ScopedUse, subject: str) -> CounterUse:
    """Return the counter of one device, address or payment account."""
    return CounterUse(f"{use.head}{subject}", use.amount, use.cap)


def shared_limit_reached(use: CounterUse) -> Refusal:
    """Return the refusal to answer when a use would exceed a limit by device, address or payment account."""
    scope, _, rest = use.key.partition("/")[2].partition(":")
    name = rest.partition(":")[0]
    return SharedLimitReached(
        f"{use.cap} of these goods may be {_WORDS[SharedScope(scope)]}, all accounts, orders and reservations "
        "together. Nothing was ordered; lower the quantity.",
        rule=name,
        scope=scope,
        limit=use.cap,
    )
