"""What price protection would give back on a log, from the later lower prices of the campaign's own schedule. Pure.

Each order is priced again wherever a promotion begins or ends within the promised days after it, as a claim would be,
and every buyer is taken to keep everything and to ask whenever a line is at its cheapest. What a later version or the
time after the sale brings is in no log and in no file.
"""

from datetime import datetime, timedelta

import msgspec

from tidegate.offer.campaign.api import protected_skus
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.pricing.api import price_order, protect, reachable_today
from tidegate.offer.pricing.contracts import Cart, Facts, PricedOrder, RuleSet
from tidegate.watch.rehearsal.cost_contracts import Method, PromisedCost


class Protection:
    """Adds up what orders would get back."""

    def __init__(self, definition: CampaignDefinition, rules: RuleSet) -> None:
        promise = definition.price_protection
        self._rules = rules
        self._promised = protected_skus(definition)
        self._moments = turns(rules) if promise else []
        days = promise.days if promise else 0
        self._cost = PromisedCost(method=Method.PRICE_PROTECTION, days=days, moments=len(self._moments))
        self._has_promise = promise is not None

    def rows(self) -> list[PromisedCost]:
        """One where the campaign promises it."""
        return [self._cost] if self._has_promise else []

    def take(self, order: PricedOrder, coupon: str | None, facts: Facts) -> None:
        """Reckon what an order gets back that is paid at the moment of `facts`, by its buyer and what is left then."""
        kept = {line.sku: line.quantity - line.gifts for line in order.lines if line.sku in self._promised}
        asked = sum(kept.values())
        if not asked or facts.now is None:
            return
        self._cost.asked += asked
        most: dict[str, int] = {}
        for moment in self._within(facts.now):
            for sku, amount in self._differences(order, coupon, msgspec.structs.replace(facts, now=moment)).items():
                most[sku] = max(amount, most.get(sku, 0))
        if most:
            self._cost.orders += 1
            self._cost.units += sum(kept[sku] for sku in most)
            self._cost.off += sum(most.values())

    def _within(self, paid_at: datetime) -> list[datetime]:
        until = paid_at + timedelta(days=self._cost.days)
        return [moment for moment in self._moments if paid_at < moment < until]

    def _differences(self, order: PricedOrder, coupon: str | None, later: Facts) -> dict[str, int]:
        today = reachable_today(self._price, self._rules, order, coupon, {}, later)
        compared = protect(order, today, {}) if today else ()
        return {each.sku: each.refund for each in compared if each.refund and each.sku in self._promised}

    def _price(self, cart: Cart, facts: Facts) -> PricedOrder:
        return price_order(self._rules, cart, facts)


def turns(rules: RuleSet) -> list[datetime]:
    """The moments of the sale after its first at which a promotion begins or ends; no slots, for none is compared."""
    named = rules.book.rules if rules.book else ()
    edges = {edge for rule in named if rule.slot is None for edge in (rule.opens_at, rule.closes_at)}
    return sorted(edge for edge in edges if edge and rules.opens_at < edge < rules.closes_at)
