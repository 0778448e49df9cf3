"""Goods together with their offer, their price and what is left of them: what the shelf and the goods page show."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from tidegate.app.storefront.advice import Advice, advice_of
from tidegate.app.storefront.visit import Card, Visit
from tidegate.base.db import Tx
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.offer.campaign.contracts import PointsOff, Words
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import Category
from tidegate.offer.pricing.api import Pricing, SlotState, SlotView
from tidegate.offer.pricing.contracts import Cart, Facts, RuleSet
from tidegate.sale.stock.api import Stock

QUANTITY_SHOWN_MAX = 99


class SalePhase(StrEnum):
    """Whether one can buy now."""

    NONE = "none"
    BEFORE = "before"
    OPEN = "open"
    OVER = "over"


class Offers:
    """Reads of catalogue, pricing and stock, joined for pages."""

    def __init__(self, visit: Visit, catalogue: Catalogue, pricing: Pricing, stock: Stock, ids: Ids) -> None:
        self._visit = visit
        self._catalogue = catalogue
        self._pricing = pricing
        self._stock = stock
        self._ids = ids

    @property
    def rules(self) -> RuleSet | None:
        """The current rules, or None before anything was published."""
        return self._pricing.rules if self._visit.version else None

    def phase(self, now: datetime) -> SalePhase:
        """Return whether the sale is open at `now`."""
        rules = self.rules
        if rules is None:
            return SalePhase.NONE
        if now < rules.opens_at:
            return SalePhase.BEFORE
        return SalePhase.OPEN if now < rules.closes_at else SalePhase.OVER

    async def cards(self, tx: Tx, skus: Sequence[str]) -> dict[str, Card]:
        """Return what a page shows of each SKU that the catalogue knows."""
        rules, shelf, version = self.rules, self._visit.shelf, self._visit.version
        goods = await self._catalogue.goods_of(tx, skus)
        levels = await self._stock.levels(tx, version.campaign_id, list(goods)) if version else {}
        return {
            sku: Card(
                goods=each,
                offer=rules.offers.get(sku) if rules else None,
                left=levels[sku].free if sku in levels else None,
                quota=shelf.quotas.get(sku, 0) if shelf else 0,
                slot=shown_slot(self.timetable(sku)),
            )
            for sku, each in goods.items()
        }

    def timetable(self, sku: str) -> tuple[SlotView, ...]:
        """Return the slots of a product's flash price; none where it has none."""
        return self._pricing.timetable(sku, self._visit.now) if self._visit.version else ()

    def in_slots(self, count: int) -> list[str]:
        """Return the SKUs with a slot that is on or to come, those on first, then by when they begin."""
        shown = {sku: shown_slot(self.timetable(sku)) for sku in self._pricing.in_slots} if self._visit.version else {}
        coming = [slot for slot in shown.values() if slot is not None]
        ordered = sorted(coming, key=lambda slot: (slot.state is not SlotState.ON, slot.starts_at, slot.sku))
        return [slot.sku for slot in ordered[:count]]

    def advice(self, cart: Cart, facts: Facts) -> Advice | None:
        """Return the cart's price with what is told beside it; without its coupon where it is the coupon that is
        refused, and None where the cart cannot be bought at all.
        """
        for coupon in dict.fromkeys((cart.coupon, None)):
            try:
                trace = self._pricing.explain(Cart(cart.lines, coupon), facts)
            except Refusal:
                continue
            shelf = self._visit.shelf
            return advice_of(trace, shelf.names if shelf else {}, self._slots_on(cart))
        return None

    def named(self, skus: Collection[str]) -> list[Words]:
        """Return the names of these goods, in the order of their SKUs."""
        names = self._visit.shelf.names if self._visit.shelf else {}
        return [names[sku] for sku in sorted(skus) if sku in names]

    def _slots_on(self, cart: Cart) -> set[str]:
        slots = (slot for line in cart.lines for slot in self.timetable(line.sku))
        return {f"{slot.promotion}/{slot.name}" for slot in slots if slot.state in _ON}

    async def categories(self, tx: Tx) -> tuple[Category, ...]:
        """Return the shop's categories."""
        return await self._catalogue.categories(tx)

    async def price(self, cart: Cart) -> Advice | None:
        """Return the cart's price for who is looking, explained, or None where it cannot be bought at all."""
        try:
            return self.advice(cart, await self.facts(cart))
        except Refusal:
            return None

    async def facts(self, cart: Cart, points: int = 0) -> Facts:
        """Return what the cart's price depends on beside the cart; an order of it is priced with the same."""
        session = self._visit.session
        account = session.account_id if session else None
        return await self._pricing.facts_of(cart, account, self._visit.now, points=points)

    async def own_facts(self, tx: Tx, cart: Cart, points: int = 0) -> Facts:
        """Return the same with what who is looking has left of limits of his own, for a page that is his alone."""
        return await self._pricing.own_facts(tx, cart, await self.facts(cart, points))

    @property
    def take_points(self) -> bool:
        """Whether points can be spent at all by the current rules."""
        version = self._visit.version
        promotions = version.definition.promotions if version else ()
        return any(isinstance(each.benefit, PointsOff) for each in promotions)

    def is_own(self, cart: Cart) -> bool:
        """Return whether the price of a cart is one for who is looking, and not everybody's."""
        session = self._visit.session
        if session is None or self.rules is None:
            return False
        return self._pricing.is_own(cart, session.account_id, self._visit.now)

    def quantity_max(self, card: Card) -> int:
        """Return how many one buyer can put in at most: what the limits allow, and what is left."""
        caps = [cap for _, cap in card.offer.counters] if card.offer else []
        left = [max(1, card.left)] if card.left is not None else []
        return min([QUANTITY_SHOWN_MAX, *caps, *left])

    def new_key(self) -> str:
        """Return a fresh idempotency key for a form."""
        return self._ids.new().hex


_ON = frozenset({SlotState.ON, SlotState.GONE})


def shown_slot(slots: Sequence[SlotView]) -> SlotView | None:
    """The slot that a shelf tells of: the one that is on, else the next."""
    for states in (_ON, {SlotState.NEXT}):
        for slot in slots:
            if slot.state in states:
                return slot
    return None


def open_offers(visit: Visit, catalogue: Catalogue, pricing: Pricing, stock: Stock, ids: Ids) -> Offers:
    """Dependency `offers`."""
    return Offers(visit, catalogue, pricing, stock, ids)
