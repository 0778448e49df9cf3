"""What one buyer has left of limits of his own, and whether so much more can still be had at all. Pure.

Pages that everybody is shown promise what any buyer may have; those of one buyer are told what he has used.
"""

from collections.abc import Iterator, Sequence

from tidegate.offer.campaign.contracts import Measure
from tidegate.offer.pricing.book import Book, Rule
from tidegate.offer.pricing.contracts import Cart, Facts, OfferRule, RuleSet
from tidegate.offer.pricing.matching import concerned, own_uses

_LOOKED_AT_MAX = 1_000
"""Goods looked at for what could be added; where none of so many can be had, no more are looked at."""


def own_caps(rules: RuleSet, cart: Cart, facts: Facts) -> dict[str, int]:
    """The counters of the facts' buyer that a price of this cart, or a hint beside it, may meet: keys with caps."""
    if facts.buyer is None:
        return {}
    name, book = facts.buyer.hex, rules.book
    if book is None:
        limited = (each for each in rules.coupons.values() if each.per_buyer)
        return {f"{rules.campaign_id}/coupon:{each.code}:{name}": each.per_buyer for each in limited}
    bought = (rules.offers[line.sku] for line in cart.lines if line.sku in rules.offers)
    caps = {f"{head}{name}": cap for offer in bought for head, cap in offer.counters}
    caps |= {f"{head}{name}": cap for head, cap in book.limits}
    for rule in book.rules_of(concerned(book, cart)):
        caps |= {use.key: use.cap for use in own_uses(rule, facts)}
    return caps


class Room:
    """How many units more a buyer may have of each product, beside those in the cart."""

    def __init__(self, rules: RuleSet, book: Book, taken: Sequence[tuple[OfferRule, int]], facts: Facts) -> None:
        self._rules = rules
        self._book = book
        self._name = facts.buyer.hex if facts.buyer else None
        self._left = facts.left
        self._first = [offer for offer, _ in taken]
        self._in_cart: dict[str, int] = {}
        for offer, units in taken:
            for head, _ in offer.counters:
                self._in_cart[head] = self._in_cart.get(head, 0) + units

    def suffices(self, rule: Rule, measure: Measure, missing: int) -> bool:
        """Whether goods that the rule counts can be added until `missing` (minor units or pieces) is reached.

        Goods are reckoned at their offers' prices; stock is not looked at.
        """
        more: dict[str, int] = {}
        for offer in self._goods(rule):
            worth = offer.unit_price if measure is Measure.AMOUNT else 1
            wanted = -(-missing // worth)
            units = min([wanted, *(self._left_of(head, cap) - more.get(head, 0) for head, cap in offer.counters)])
            if units <= 0:
                continue
            missing -= units * worth
            if missing <= 0:
                return True
            for head, _ in offer.counters:
                more[head] = more.get(head, 0) + units
        return False

    def _goods(self, rule: Rule) -> Iterator[OfferRule]:
        """The goods that the rule counts, those in the cart first."""
        masks, offers, looked_at = self._book.masks, self._rules.offers, 0
        yield from (offer for offer in self._first if masks.get(offer.sku, 0) >> rule.bit & 1)
        first = {offer.sku for offer in self._first}
        for sku, mask in masks.items():
            if mask >> rule.bit & 1 and sku not in first:
                yield offers[sku]
                looked_at += 1
                if looked_at >= _LOOKED_AT_MAX:
                    return

    def _left_of(self, head: str, cap: int) -> int:
        known = cap if self._name is None else self._left.get(f"{head}{self._name}", cap)
        return known - self._in_cart.get(head, 0)
