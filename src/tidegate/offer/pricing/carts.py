"""From a cart to the offers of its goods, and from what a line is paid with to the shares of its units."""

from collections.abc import Collection, Sequence
from operator import attrgetter
from uuid import UUID

from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.pricing.contracts import (
    LINES_MAX,
    QUANTITY_MAX,
    Cart,
    CounterUse,
    OfferRule,
    PricedLine,
    RuleSet,
    Share,
)
from tidegate.offer.pricing.counting import refusal_of
from tidegate.offer.pricing.errors import CartFaulty, NotOnOffer, UnknownGoods


class BuyerLimits:
    """How many units of goods one buyer may have: by the limits of a definition, and of one SKU."""

    def __init__(self, definition: CampaignDefinition) -> None:
        self._head = definition.id
        self._limits = [
            (f"{definition.id}/limit:{each.name}:", each.per_buyer, frozenset(each.skus))
            for each in definition.limits
            if each.per_buyer
        ]

    def of(self, sku: str, per_buyer: int) -> tuple[tuple[str, int], ...]:
        """The heads of the counters of a SKU for each buyer, with their caps; `per_buyer` is its own, 0 none."""
        counters = [(head, cap) for head, cap, skus in self._limits if not skus or sku in skus]
        if per_buyer:
            counters.append((f"{self._head}/offer:{sku}:", per_buyer))
        return tuple(counters)


def take_offers(rules: RuleSet, cart: Cart) -> list[tuple[OfferRule, int]]:
    """Each SKU's offer with its quantity, in the order of the SKUs; lines of the same SKU are one.

    Raises CartFaulty, UnknownGoods and NotOnOffer.
    """
    quantities = _quantities(cart)
    offers = rules.offers
    try:
        return [(offers[sku], quantities[sku]) for sku in sorted(quantities)]
    except KeyError as missing:
        sku = missing.args[0]
        if sku in rules.not_on_offer:
            raise NotOnOffer(
                f"{sku} is not on offer in this campaign. Nothing was ordered; remove it from the cart.", sku=sku
            ) from None
        raise UnknownGoods(
            f"There are no goods with the SKU {sku}. Nothing was ordered; remove it from the cart.", sku=sku
        ) from None


def _quantities(cart: Cart) -> dict[str, int]:
    if not 1 <= len(cart.lines) <= LINES_MAX:
        raise CartFaulty(
            f"A cart has 1 to {LINES_MAX} lines; this one has {len(cart.lines)}. Nothing was ordered.",
            lines=len(cart.lines),
        )
    quantities: dict[str, int] = {}
    for line in cart.lines:
        sku, more = line.sku, line.quantity
        quantity = quantities.get(sku, 0) + more
        if more < 1 or quantity > QUANTITY_MAX:
            raise CartFaulty(
                f"The quantity of one product is 1 to {QUANTITY_MAX}. Nothing was ordered; change it for {sku}.",
                sku=sku,
            )
        quantities[sku] = quantity
    return quantities


def shares_of(payable: int, units: int) -> tuple[Share, ...]:
    """What each of so many units is paid with: the first ones pay the minor units that do not divide."""
    each, over = divmod(payable, units)
    return (Share(over, each + 1), Share(units - over, each)) if over else (Share(units, each),)


def priced_line(taken: tuple[OfferRule, int], amount: int, discount: int) -> PricedLine:
    """One line at its offer's price, with its part of the reductions."""
    offer, quantity = taken
    payable = amount - discount
    return PricedLine(
        offer.sku, quantity, offer.list_price, offer.unit_price, discount, payable, shares_of(payable, quantity)
    )


def buyer_counters(taken: Sequence[tuple[OfferRule, int]]) -> list[tuple[str, int, int]]:
    """What a cart uses of the counters of its offers for each buyer: head, amount and cap.

    Raises BuyerLimitReached for more than any buyer may have.
    """
    amounts: dict[tuple[str, int], int] = {}
    for offer, quantity in taken:
        for counter in offer.counters:
            amounts[counter] = amounts.get(counter, 0) + quantity
    for (head, cap), amount in amounts.items():
        if amount > cap:
            raise refusal_of(CounterUse(head, amount, cap))
    return [(head, amount, cap) for (head, cap), amount in amounts.items()]


def buyer_uses(counters: Sequence[tuple[str, int, int]], buyer: UUID | None) -> list[CounterUse]:
    """The counters of a buyer; a guest's order names none."""
    if buyer is None or not counters:
        return []
    name = buyer.hex
    return [CounterUse(f"{head}{name}", amount, cap) for head, amount, cap in counters]


def in_key_order(uses: Collection[CounterUse]) -> tuple[CounterUse, ...]:
    """The uses in the order of their keys."""
    return tuple(sorted(uses, key=_key)) if len(uses) > 1 else tuple(uses)


_key = attrgetter("key")
