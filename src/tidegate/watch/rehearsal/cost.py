"""What a campaign's promotions would cost: past orders, one by one, through the engine that prices orders.

Pure. Of what is not known the dearest for the shop is assumed (`cost_assumed` says how), and everybody buys what he
bought before, though nothing was reduced then. Budgets, limits and quotas are counted as orders come, so that what is
used up costs nothing more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion, PhaseName
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import (
    LINES_MAX,
    QUANTITY_MAX,
    Cart,
    CartLine,
    CounterUse,
    Facts,
    PricedOrder,
)
from tidegate.watch.rehearsal.contracts import Invoice, Kind
from tidegate.watch.rehearsal.cost_assumed import Buyers, assumed, coupons_tried, not_costed, unconditional
from tidegate.watch.rehearsal.cost_contracts import CostReport, Purchase
from tidegate.watch.rehearsal.cost_promised import Promised
from tidegate.watch.rehearsal.cost_protected import Protection
from tidegate.watch.rehearsal.cost_rows import Rows
from tidegate.watch.rehearsal.rules import account_of, goods_code, refusal_of


class Costing:
    """Prices one order after the other and adds up."""

    def __init__(self, definition: CampaignDefinition, first: datetime, last: datetime) -> None:
        self._definition = definition
        self._rules = compile_rules(_as_version(unconditional(definition)))
        self._sold = definition.quotas().keys()
        self._skus = {entry.sku.upper(): entry.sku for entry in definition.goods}
        self._free = {offer.sku: offer.quota for offer in definition.offers}
        self._caps = self._rules.book.shared_counters if self._rules.book else {}
        self._left: dict[str, int] = {}
        self._seen: set[str] = set()
        self._first, self._span = first, max(last - first, timedelta(seconds=1))
        self._coupons = coupons_tried(definition)
        self._buyers = Buyers(definition)
        self._rows = Rows(definition)
        self._promised = Promised(definition)
        self._protection = Protection(definition, self._rules)
        self.report = CostReport(
            currency=definition.currency, assumed=assumed(definition), not_costed=not_costed(definition)
        )

    def take(self, invoice: Invoice) -> None:
        """Price one order of a log; its goods are matched by stock code."""
        units: dict[str, int] = defaultdict(int)
        for line in invoice.lines:
            if refusal_of(line, invoice.kind) is None:
                code = goods_code(line.code)
                units[self._skus.get(code, code)] += line.quantity
        self.buy(Purchase(account_of(invoice), invoice.at, units))

    def buy(self, purchase: Purchase) -> None:
        """Price what somebody bought."""
        now = self._moment(purchase)
        self._promised.take(purchase, now)
        lines = self._lines(purchase)
        if not lines:
            return
        self.report.orders += 1
        order, coupon = self._dearest(lines, purchase, now)
        self._seen.add(purchase.account)
        if order is None:
            self.report.refused += 1
            return
        # Before its own uses are counted: they are not held against what it could be bought for later.
        self._protection.take(order, coupon, Facts(buyer=_buyer(purchase.account), now=now, left=self._left))
        self._count(order)

    def finish(self) -> CostReport:
        """The report, the dearest promotion first."""
        self.report.promotions = self._rows.rows()
        self.report.promised = [*self._promised.rows(), *self._protection.rows()]
        return self.report

    def _lines(self, purchase: Purchase) -> tuple[CartLine, ...]:
        known = {sku: quantity for sku, quantity in purchase.units.items() if sku in self._free}
        self.report.lines_unmatched += sum(sku not in self._sold for sku in purchase.units)
        lines = []
        for sku, quantity in sorted(known.items())[:LINES_MAX]:
            possible = min(quantity, self._free[sku], QUANTITY_MAX)
            self.report.units_beyond_quota += quantity - possible
            if possible:
                lines.append(CartLine(sku, possible))
        return tuple(lines)

    def _moment(self, purchase: Purchase) -> datetime:
        """The log's time, spread over the sale."""
        burst = self._definition.phase(PhaseName.BURST)
        now = burst.starts_at + (burst.ends_at - burst.starts_at) * ((purchase.at - self._first) / self._span)
        return min(now, burst.ends_at - timedelta(seconds=1))

    def _facts(self, purchase: Purchase, now: datetime) -> Iterator[Facts]:
        """Who bought before in the log is returning."""
        known = Facts(buyer=_buyer(purchase.account), now=now, left=self._left)
        return self._buyers.facts(known, returning=purchase.account in self._seen)

    def _dearest(
        self, lines: tuple[CartLine, ...], purchase: Purchase, now: datetime
    ) -> tuple[PricedOrder | None, str | None]:
        """The order as it costs the shop most, gifts with it, among those that no counter refuses; and its coupon."""
        priced = [
            (order, coupon)
            for facts in self._facts(purchase, now)
            for coupon in self._coupons
            if (order := self._priced(lines, coupon, facts)) is not None
        ]
        return min(priced, key=lambda each: _left_to_the_shop(each[0]), default=(None, None))

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
        for line in order.lines:
            report.units += line.quantity
            report.at_list_price += line.list_price * line.quantity
            self._free[line.sku] = max(0, self._free.get(line.sku, 0) - line.quantity)
        self._rows.count(order)


def _left_to_the_shop(order: PricedOrder) -> int:
    return order.total - sum(gift.units * gift.value for gift in order.gifts)


def cost_of(definition: CampaignDefinition, purchases: Sequence[Purchase]) -> CostReport:
    """What a campaign would cost on these purchases, priced in the order of their time."""
    ordered = sorted(purchases, key=lambda each: each.at)
    if not ordered:
        return CostReport(currency=definition.currency)
    costing = Costing(definition, ordered[0].at, ordered[-1].at)
    for purchase in ordered:
        costing.buy(purchase)
    return costing.finish()


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
