"""What a shopper is told beside a price: its gifts, what a little more would bring, why other offers do not apply."""

from collections.abc import Collection, Mapping

import msgspec

from tidegate.offer.campaign.contracts import Measure, Words
from tidegate.offer.pricing.api import PERSONAL_FACTS, SHORTFALLS
from tidegate.offer.pricing.contracts import Hint, NotApplied, PricedOrder, Shortfall, Trace

HINTS_SHOWN = 3
"""The nearest ones; what else is not reached stands among the reasons."""
SIGN_IN = Words(zh="登录后才知道您能否享受", en="Sign in to see whether it is for you")


class NamedGift(msgspec.Struct, frozen=True):
    """So many units of a gift, by the name that shoppers know."""

    name: Words
    units: int


class NotUsed(msgspec.Struct, frozen=True):
    """An offer that concerns the goods and does nothing, and why."""

    label: Words
    why: Words


class Advice(msgspec.Struct, frozen=True):
    """A price with what is told beside it; `slot_note` is why the slot that is on is no price of the cart."""

    priced: PricedOrder
    gifts: tuple[NamedGift, ...]
    hints: tuple[Hint, ...]
    not_used: tuple[NotUsed, ...]
    slot_note: Words | None = None


def advice_of(trace: Trace, names: Mapping[str, Words], slots: Collection[str]) -> Advice:
    """Return what shoppers are told of an explained price.

    `names` are those of all goods by SKU, `slots` the ids of the slots that are on.
    """
    hints = nearest(trace)[:HINTS_SHOWN]
    hinted = {each.promotion for each in hints}
    return Advice(
        priced=trace.order,
        gifts=tuple(NamedGift(names[each.sku], each.units) for each in trace.order.gifts),
        hints=hints,
        not_used=tuple(NotUsed(each.label, _why(each)) for each in trace.not_applied if each.promotion not in hinted),
        slot_note=next((each.words for each in trace.not_applied if each.promotion in slots), None),
    )


def nearest(trace: Trace) -> tuple[Hint, ...]:
    """Return the hints, those first that cost least: one more piece costs what the cheapest in the cart does."""
    piece = min((line.unit_price for line in trace.order.lines if line.quantity > line.gifts), default=0)

    def cost(hint: Hint) -> int:
        return hint.missing if hint.measure is Measure.AMOUNT else hint.missing * piece

    return tuple(sorted(trace.hints, key=cost))


def _why(each: NotApplied) -> Words:
    """The reason without the names that rules have for facts."""
    if each.reason is not Shortfall.FACT_MISSING:
        return each.words
    return SHORTFALLS[each.reason] if PERSONAL_FACTS.isdisjoint(each.facts) else SIGN_IN
