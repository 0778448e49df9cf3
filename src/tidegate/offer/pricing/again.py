"""Prices an order again, from what it keeps: its lines, its coupon, and what was known when it was priced. Pure."""

from tidegate.offer.pricing.contracts import NOBODY, Cart, CartLine, PricedOrder, RuleSet
from tidegate.offer.pricing.gifts import without_gift
from tidegate.offer.pricing.rules import price_again


def priced_again(rules: RuleSet, order: PricedOrder, coupon: str | None) -> PricedOrder:
    """What the goods of an order cost by `rules`; by those that priced it, the same to the cent, with the same trace.

    Gifts are given again rather than bought, and those that it was taken without are left off again, so that the hash
    is derived in the same way. Counters of the buyer are not named: who that was, the kept facts do not say.
    Raises what `price_again` raises.
    """
    bought = [CartLine(line.sku, line.quantity - line.gifts) for line in order.lines if line.quantity > line.gifts]
    again = price_again(rules, Cart(tuple(bought), coupon), order.facts or NOBODY)
    for sku in order.gifts_left_off:
        again = without_gift(again, sku) or again
    return again
