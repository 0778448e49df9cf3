"""Who takes how much off: each minor unit that an order costs less is put down to one promotion. Pure."""

from collections.abc import Sequence

from tidegate.base.money import allocate
from tidegate.offer.campaign.contracts import Bearer, CampaignDefinition
from tidegate.offer.pricing.api import own_prices
from tidegate.offer.pricing.contracts import PricedLine, PricedOrder, StepKind
from tidegate.watch.rehearsal.cost_contracts import PromotionCost

OFFERS = "offers"


class Rows:
    """A row for each promotion, each coupon that was used, and the offers against list prices."""

    def __init__(self, definition: CampaignDefinition) -> None:
        self._offers = {offer.sku: offer.price for offer in definition.offers}
        self._shops = {entry.sku: entry.shop for entry in definition.goods}
        self._promotions = {each.id: each for each in definition.promotions}
        self._prices = {each.id: own_prices(each) for each in definition.promotions}
        self._fee = definition.shipping.fee
        self._costs = {
            each.id: PromotionCost(rule=each.id, bearers={}, budget=each.limits.budget)
            for each in definition.promotions
        }

    def rows(self) -> list[PromotionCost]:
        """All of them, the dearest first."""
        return sorted(self._costs.values(), key=lambda each: (-each.off, each.rule))

    def count(self, order: PricedOrder) -> None:
        """Put down what an order costs less: offers, prices of promotions, reductions, gifts, freed shipping."""
        self._count_prices(order)
        if order.reductions or order.gifts:
            self._count_reductions(order)
        elif order.discount_total:
            self._count_coupon(order)
        self._count_shipping(order)

    def _count_prices(self, order: PricedOrder) -> None:
        """The offer takes off down to its own price, borne by the shop of each line; a promotion's price the rest."""
        applied = dict.fromkeys(
            step.rule.partition("/")[0]
            for step in order.steps
            if step.kind in {StepKind.MEMBER_PRICE, StepKind.FLASH_PRICE}
        )
        touched: dict[str, list[tuple[PricedLine, int]]] = {}
        for line in order.lines:
            bought = line.quantity - line.gifts
            offered = self._offers.get(line.sku, line.unit_price)
            if bought and line.list_price > offered:
                touched.setdefault(OFFERS, []).append((line, (line.list_price - offered) * bought))
            if bought and line.unit_price < offered:
                rule = next(each for each in applied if self._prices[each].get(line.sku) == line.unit_price)
                touched.setdefault(rule, []).append((line, (offered - line.unit_price) * bought))
        for rule, lines in touched.items():
            self._add(rule, sum(line.quantity - line.gifts for line, _ in lines), sum(off for _, off in lines))
            for line, off in lines:
                self._share(rule, self._shops.get(line.sku, ""), off)

    def _count_reductions(self, order: PricedOrder) -> None:
        quantities = {line.sku: line.quantity for line in order.lines}
        for reduction in order.reductions:
            units = sum(quantities.get(sku, 0) for sku, _ in reduction.lines)
            self._add(reduction.promotion, units, reduction.amount)
            for borne in reduction.borne:
                self._bear(reduction.promotion, borne.shop, borne.bearer, borne.amount)
        for gift in order.gifts:
            self._add(gift.promotion, gift.units, gift.units * gift.value)
            self._share(gift.promotion, self._shops.get(gift.sku, ""), gift.units * gift.value)

    def _count_coupon(self, order: PricedOrder) -> None:
        """The coupon of an order without promotions."""
        rule = next(step.rule for step in order.steps if step.kind is StepKind.COUPON)
        reduced = [line for line in order.lines if line.discount]
        self._add(rule, sum(line.quantity for line in reduced), order.discount_total)
        for line in reduced:
            self._bear(rule, self._shops.get(line.sku, ""), "", line.discount)

    def _count_shipping(self, order: PricedOrder) -> None:
        """A promotion that made shipping free costs the fee; the house bears it unless bearers are named."""
        step = next((step for step in order.steps if step.kind is StepKind.SHIPPING), None)
        if step is None or step.rule not in self._promotions or not self._fee:
            return
        self._add(step.rule, sum(line.quantity for line in order.lines), self._fee - order.shipping)
        self._share(step.rule, "", self._fee - order.shipping)

    def _share(self, rule: str, shop: str, amount: int) -> None:
        """Split an amount between the bearers of a promotion, exactly."""
        promotion = self._promotions.get(rule)
        bearers: Sequence[Bearer] = promotion.bearers if promotion else ()
        if not bearers:
            self._bear(rule, shop, "", amount)
            return
        for bearer, part in zip(bearers, allocate(amount, [each.share for each in bearers]), strict=True):
            self._bear(rule, shop, bearer.name, part)

    def _add(self, rule: str, units: int, off: int) -> None:
        cost = self._costs.setdefault(rule, PromotionCost(rule=rule, bearers={}))
        cost.orders += 1
        cost.units += units
        cost.off += off

    def _bear(self, rule: str, shop: str, bearer: str, amount: int) -> None:
        name = f"shop {shop or 'house'}" if bearer in {"", "shop"} else bearer
        bearers = self._costs[rule].bearers
        bearers[name] = bearers.get(name, 0) + amount
