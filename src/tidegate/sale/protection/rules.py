"""Decisions of price protection, pure: how each kept line stands, and whether anything is due."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import PriceProtection
from tidegate.offer.pricing.api import Lowered, protect
from tidegate.offer.pricing.contracts import PricedOrder
from tidegate.sale.ordering.contracts import Kept, RefundReason
from tidegate.sale.protection.contracts import LineLooked, Look, Standing
from tidegate.sale.protection.errors import (
    DifferenceGiven,
    NothingCheaper,
    NothingToCompare,
    ProtectionNotPromised,
    ProtectionOver,
)


def protected_until(promise: PriceProtection, paid_at: datetime) -> datetime:
    """Return the moment before which the difference can be asked for."""
    return paid_at + timedelta(days=promise.days)


def lines_of(kept: Kept, promised: Collection[str], today: PricedOrder | None) -> tuple[LineLooked, ...]:
    """Compare each kept line with today's price; what is not in it is not on sale."""
    compared = {each.sku: each for each in protect(kept.priced, today, kept.back)} if today else {}
    lines = []
    for line in kept.priced.lines:
        first = kept.back.get(line.sku, 0)
        units = line.quantity - line.gifts - first
        if units <= 0:
            continue
        found = compared.get(line.sku)
        due = found.refund if found and line.sku in promised else 0
        lines.append(
            LineLooked(
                sku=line.sku,
                first=first,
                units=units,
                paid=found.paid if found else line.paid_for(first, units),
                today=found.today if found else None,
                due=due,
                standing=_standing(promised=line.sku in promised, on_sale=found is not None, due=due),
            )
        )
    return tuple(lines)


def _standing(*, promised: bool, on_sale: bool, due: int) -> Standing:
    if not promised:
        return Standing.NOT_PROMISED
    if not on_sale:
        return Standing.NOT_ON_SALE
    return Standing.CHEAPER if due else Standing.NOT_CHEAPER


def look_of(kept: Kept, until: datetime | None, lines: Sequence[LineLooked], now: datetime) -> Look:
    """Return what price protection would do for an order at `now`."""
    is_open = until is not None and now < until
    return Look(
        order_id=kept.order.order_id,
        until=until,
        open=is_open,
        due=sum(line.due for line in lines) if is_open else 0,
        given=sum(refund.amount for refund in kept.refunds if refund.cause is RefundReason.PROTECTION),
        currency=kept.order.currency,
        lines=tuple(lines),
    )


def refusal_of(look: Look) -> Refusal | None:
    """Return why nothing is given back, or None: a ladder of promise, time, comparison and what was given."""
    standings = {line.standing for line in look.lines}
    if look.until is None or standings <= {Standing.NOT_PROMISED}:
        return ProtectionNotPromised(
            "The rules of this order promise no price protection for what you keep of it. Nothing was given back."
        )
    if not look.open:
        return ProtectionOver(f"It ended at {look.until:%Y-%m-%d %H:%M} UTC. Nothing was given back.", until=look.until)
    if look.due:
        return None
    if Standing.NOT_CHEAPER not in standings:
        return NothingToCompare(
            "None of these goods can be bought now in your quantity, so there is no price to compare with. "
            "Nothing was given back. Ask again when they are on sale."
        )
    if look.given:
        return DifferenceGiven(
            "The difference was given back before, and the goods have not become cheaper since. "
            "Nothing more was given back.",
            given=look.given,
        )
    return NothingCheaper("You would not pay less for these goods today. Nothing was given back.")


def lowered_of(look: Look) -> list[Lowered]:
    """Return what makes the kept units cheaper."""
    return [Lowered(line.sku, line.first, line.units, line.due) for line in look.lines if line.due]
