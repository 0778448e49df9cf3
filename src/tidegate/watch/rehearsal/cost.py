"""What a campaign's promotions would cost: a shop's order log, order by order, through the engine that prices orders.

Pure. Of what is not known the dearest for the shop is assumed: every shopper uses the coupon that saves most,
and buys what he bought in the log, though nothing was reduced then. Budgets, limits and quotas are counted as orders
come, so that what is used up costs nothing more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import Audience, CampaignDefinition, CampaignVersion, PhaseName
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import (
    LINES_MAX,
    QUANTITY_MAX,
    Cart,
    CartLine,
    CounterUse,
    Facts,
    PricedOrder,
    StepKind,
)
from tidegate.watch.rehearsal.contracts import Invoice, Kind
from tidegate.watch.rehearsal.rules import account_of, goods_code, refusal_of

COUPONS_MAX = 12


class PromotionCost(msgspec.Struct, kw_only=True):
    """What one promotion or coupon cost, or the offers against list prices. Money in minor units.

    `units` are those of the lines that it touched; a gift costs its list price. `budget` 0: none is set.
    """

    rule: str
    orders: int = 0
    units: int = 0
    off: int = 0
    bearers: dict[str, int] = {}
    budget: int = 0


class CostReport(msgspec.Struct, kw_only=True):
    """A log priced by a campaign. Money in minor units of `currency`; what was left out is counted, not priced."""

    currency: str
    orders: int = 0
    priced: int = 0
    refused: int = 0
    units: int = 0
    lines_unmatched: int = 0
    units_beyond_quota: int = 0
    at_list_price: int = 0
    paid: int = 0
    shipping: int = 0
    promotions: list[PromotionCost] = []


class Costing:
    """Prices one order after the other and adds up."""

    def __init__(self, definition: CampaignDefinition, first: datetime, last: datetime) -> None:
        self._definition = definition
        self._rules = compile_rules(_as_version(definition))
        self._skus = {entry.sku.upper(): entry.sku for entry in definition.goods}
        self._free = {offer.sku: offer.quota for offer in definition.offers}
        self._shops = {entry.sku: entry.shop for entry in definition.goods}
        self._caps = self._rules.book.shared_counters if self._rules.book else {}
        self._left: dict[str, int] = {}
        self._seen: set[str] = set()
        self._first, self._span = first, max(last - first, timedelta(seconds=1))
        opening = {each.coupon for each in definition.promotions}
        codes = sorted((coupon.code for coupon in definition.coupons), key=lambda code: code not in opening)
        self._coupons = (None, *codes[:COUPONS_MAX])
        budgets = {each.id: each.limits.budget for each in definition.promotions}
        self._costs: dict[str, PromotionCost] = {
            rule: PromotionCost(rule=rule, bearers={}, budget=budget) for rule, budget in budgets.items()
        }
        self.report = CostReport(currency=definition.currency)

    def take(self, invoice: Invoice) -> None:
        """Price one order of the log."""
        lines = self._lines(invoice)
        if not lines:
            return
        self.report.orders += 1
        account = account_of(invoice)
        order = self._best(lines, self._facts(account, invoice.at))
        self._seen.add(account)
        if order is None:
            self.report.refused += 1
            return
        self._count(order)

    def finish(self) -> CostReport:
        """The report, the dearest promotion first."""
        self.report.promotions = sorted(self._costs.values(), key=lambda each: (-each.off, each.rule))
        return self.report

    def _lines(self, invoice: Invoice) -> tuple[CartLine, ...]:
        units: dict[str, int] = defaultdict(int)
        for line in invoice.lines:
            if refusal_of(line, invoice.kind) is not None:
                continue
            sku = self._skus.get(goods_code(line.code))
            if sku is None or sku not in self._free:
                self.report.lines_unmatched += 1
            else:
                units[sku] += line.quantity
        lines = []
        for sku, quantity in sorted(units.items())[:LINES_MAX]:
            possible = min(quantity, self._free[sku], QUANTITY_MAX)
            self.report.units_beyond_quota += quantity - possible
            if possible:
                lines.append(CartLine(sku, possible))
        return tuple(lines)

    def _facts(self, account: str, at: datetime) -> Facts:
        """The log's time is spread over the sale; who bought before in the log is returning."""
        burst = self._definition.phase(PhaseName.BURST)
        now = burst.starts_at + (burst.ends_at - burst.starts_at) * ((at - self._first) / self._span)
        known = Audience.RETURNING if account in self._seen else Audience.NEW
        return Facts(
            buyer=_buyer(account),
            now=min(now, burst.ends_at - timedelta(seconds=1)),
            audience=frozenset({Audience.EVERYONE, known}),
            left=self._left,
        )

    def _best(self, lines: tuple[CartLine, ...], facts: Facts) -> PricedOrder | None:
        """The order as it costs the shopper least, among those that no counter refuses."""
        priced = [order for coupon in self._coupons if (order := self._priced(lines, coupon, facts)) is not None]
        return min(priced, key=lambda order: order.total, default=None)

    def _priced(self, lines: tuple[CartLine, ...], coupon: str | None, facts: Facts) -> PricedOrder | None:
        try:
            order = price_order(self._rules, Cart(lines, coupon), facts)
        except Refusal:
            return None
        short = any(self._left_of(use) < use.amount for use in order.counters)
        return None if short else order

    def _left_of(self, use: CounterUse) -> int:
        """What is left now; later slots of a flash price add to a counter that goes through all of them."""
        at_last = self._caps.get(use.key, use.cap)
        return self._left.get(use.key, at_last) - (at_last - use.cap)

    def _count(self, order: PricedOrder) -> None:
        report = self.report
        report.priced += 1
        report.paid += order.total
        report.shipping += order.shipping
        for use in order.counters:
            self._left[use.key] = self._left.get(use.key, self._caps.get(use.key, use.cap)) - use.amount
        quantities: dict[str, int] = {}
        for line in order.lines:
            quantities[line.sku] = line.quantity
            report.units += line.quantity
            report.at_list_price += line.list_price * line.quantity
            self._free[line.sku] = max(0, self._free.get(line.sku, 0) - line.quantity)
        self._count_offers(order)
        if order.reductions or order.gifts:
            self._count_reductions(order, quantities)
        elif order.discount_total:
            self._count_coupon(order)

    def _count_offers(self, order: PricedOrder) -> None:
        """What offers and member prices take off the list price, borne by the shop of each line."""
        below = [(line, (line.list_price - line.unit_price) * (line.quantity - line.gifts)) for line in order.lines]
        touched = [(line.sku, line.quantity - line.gifts, off) for line, off in below if off > 0]
        if touched:
            self._add("offers", [(sku, units) for sku, units, _ in touched], sum(off for *_, off in touched))
            for sku, _, off in touched:
                self._bear("offers", self._shops.get(sku, ""), "", off)

    def _count_reductions(self, order: PricedOrder, quantities: dict[str, int]) -> None:
        for reduction in order.reductions:
            touched = [(sku, quantities.get(sku, 0)) for sku, _ in reduction.lines]
            self._add(reduction.promotion, touched, reduction.amount)
            for borne in reduction.borne:
                self._bear(reduction.promotion, borne.shop, borne.bearer, borne.amount)
        for gift in order.gifts:
            self._add(gift.promotion, [(gift.sku, gift.units)], gift.units * gift.value)
            self._bear(gift.promotion, self._shops.get(gift.sku, ""), "", gift.units * gift.value)

    def _count_coupon(self, order: PricedOrder) -> None:
        rule = next(step.rule for step in order.steps if step.kind is StepKind.COUPON)
        reduced = [line for line in order.lines if line.discount]
        self._add(rule, [(line.sku, line.quantity) for line in reduced], order.discount_total)
        for line in reduced:
            self._bear(rule, self._shops.get(line.sku, ""), "", line.discount)

    def _add(self, rule: str, touched: Sequence[tuple[str, int]], off: int) -> None:
        cost = self._costs.setdefault(rule, PromotionCost(rule=rule, bearers={}))
        cost.orders += 1
        cost.units += sum(units for _, units in touched)
        cost.off += off

    def _bear(self, rule: str, shop: str, bearer: str, amount: int) -> None:
        name = f"shop {shop or 'house'}" if bearer in {"", "shop"} else bearer
        bearers = self._costs[rule].bearers
        bearers[name] = bearers.get(name, 0) + amount


def sales_of(log: Iterable[Invoice]) -> Iterator[Invoice]:
    """The invoices that are sales; a cancelled order cost its promotions all the same."""
    return (invoice for invoice in log if invoice.kind is Kind.SALE)


def _buyer(account: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"order-log:{account}")


def _as_version(definition: CampaignDefinition) -> CampaignVersion:
    return CampaignVersion(
        campaign_id=definition.id,
        version=0,
        definition=definition,
        published_at=definition.phase(PhaseName.PREPARE).starts_at,
        published_by="cost",
        sha256="",
    )
