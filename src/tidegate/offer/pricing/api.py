"""The use cases of pricing: price a cart by the current rules, and keep the counters of limited rules."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tidegate.base.db import Tx
from tidegate.base.errors import Refusal
from tidegate.base.invariant import Check
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.pricing import store
from tidegate.offer.pricing.again import priced_again
from tidegate.offer.pricing.book import PERSONAL_FACTS
from tidegate.offer.pricing.contracts import (
    NOBODY,
    Cart,
    CountersUsed,
    CounterUse,
    Facts,
    Hint,
    PricedOrder,
    RuleSet,
    ScopedLimit,
    ScopedUse,
    SharedScope,
    Trace,
)
from tidegate.offer.pricing.counting import Left, for_all_and_for_one, is_for_one
from tidegate.offer.pricing.gifts import without_gift
from tidegate.offer.pricing.grouped import compile_group_rules
from tidegate.offer.pricing.limits import reserved_device_uses, reserved_uses
from tidegate.offer.pricing.matching import has_used_up
from tidegate.offer.pricing.owning import own_caps
from tidegate.offer.pricing.ports import GiftStock, Shoppers
from tidegate.offer.pricing.protecting import Lowered, Protected, cart_kept, facts_of_today, lowered, protect
from tidegate.offer.pricing.refunding import GiftBack, RefundPlan, is_whole, plan_refund
from tidegate.offer.pricing.rules import (
    Counters,
    advise,
    compile_rules,
    coupon_saving,
    explain,
    facts_of_shopper,
    price_order,
    refusal_of,
)
from tidegate.offer.pricing.scoped import scoped_uses, use_of
from tidegate.offer.pricing.timetable import SlotSold, SlotState, SlotView, on_at, slot_key, timetable
from tidegate.offer.pricing.words import SHORTFALLS

LEFT_MAX = 10_000
"""Keys of short counters remembered between two looks at the database."""

__all__ = [
    "PERSONAL_FACTS",
    "SHORTFALLS",
    "Counters",
    "GiftBack",
    "Lowered",
    "Pricing",
    "Protected",
    "RefundPlan",
    "SlotSold",
    "SlotState",
    "SlotView",
    "compile_group_rules",
    "compile_rules",
    "coupon_saving",
    "explain",
    "facts_of_shopper",
    "for_all_and_for_one",
    "is_for_one",
    "is_whole",
    "lowered",
    "plan_refund",
    "price_order",
    "priced_again",
    "protect",
    "reserved_device_uses",
    "reserved_uses",
    "use_of",
    "without_gift",
]


class Pricing:
    """Prices carts by the campaign's current version, held in memory as a compiled rule set."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._rules: RuleSet | None = None
        self._group_rules: RuleSet | None = None
        self._instrument_limits: dict[tuple[CampaignId, int], tuple[ScopedLimit, ...]] = {}
        self._left = Left()
        """How much is known to be left of counters that may be short; each process follows them each second."""
        self._out: frozenset[str] = frozenset()
        """Gifts of which nothing is free; followed each second, too."""
        self._shoppers: Shoppers | None = None
        self._gifts: GiftStock | None = None

    def follow(self, shoppers: Shoppers, gifts: GiftStock) -> None:
        """Say who knows the shoppers and the stock of gifts; without them rules for some shoppers apply to nobody."""
        self._shoppers, self._gifts = shoppers, gifts

    @property
    def rules(self) -> RuleSet:
        """The current rule set. Raises NoCampaign when nothing has been published yet."""
        if self._rules is None:
            raise NoCampaign("No campaign has been published yet. Nothing was ordered; come back later.")
        return self._rules

    def refresh(self) -> bool:
        """Compile the campaign's current version if it is another one; whether it was. Call it after the campaign's."""
        current = self._campaign.current()
        if current is None or self._is_compiled(current.campaign_id, current.version):
            return False
        self._rules = compile_rules(current)
        self._group_rules = compile_group_rules(current, self._rules)
        self._left = Left()
        self._out = frozenset()
        return True

    async def refresh_left(self, tx: Tx) -> None:
        """Read how much is left of the promotions' counters and budgets, of what refused an order here lately, and
        which gifts are gone.
        """
        book = self._rules.book if self._rules else None
        if book is not None and book.limited:
            # By the caps of these rules: a row has the one of its last use, and a version or a slot may have raised it.
            caps = book.shared_counters
            found = await store.used(tx, sorted(caps.keys() | self._left.keys()))
            self._left = Left({key: caps.get(key, cap) - used for key, (used, cap) in found.items()})
        if book is not None and book.gifts and self._gifts is not None:
            self._out = await self._gifts.gone(tx, self.rules.campaign_id, book.gifts)

    def _is_compiled(self, campaign_id: CampaignId, version: int) -> bool:
        held = self._rules
        return held is not None and (held.campaign_id, held.version) == (campaign_id, version)

    def price(self, cart: Cart, facts: Facts = NOBODY) -> PricedOrder:
        """Price a cart by the current rules; no I/O. Refusals: see `rules.price_order`."""
        return price_order(self.rules, cart, self._with_left(facts))

    def price_as_shown(self, cart: Cart, facts: Facts, gifts: Collection[str]) -> PricedOrder:
        """Price a cart whose page showed these gifts: those that are gone by now are named as left off; no I/O.

        Where the cart costs less without any thought of them, that is its price. Refusals: see `rules.price_order`.
        """
        priced = self.price(cart, facts)
        gone = facts.out.intersection(gifts)
        if not gone:
            return priced
        shown = price_order(self.rules, cart, msgspec.structs.replace(facts, out=facts.out - gone))
        for sku in sorted(gone):
            shown = without_gift(shown, sku) or shown
        return shown if shown.total == priced.total else priced

    def price_for_group(self, cart: Cart, facts: Facts = NOBODY) -> PricedOrder:
        """Price a cart of goods that are sold to groups, at the group's price; no I/O.

        Raises NoCampaign, and what `rules.price_order` raises: NotOnOffer for goods that are not sold to groups.
        """
        if self._group_rules is None:
            raise NoCampaign("No campaign has been published yet. Nothing was ordered; come back later.")
        return price_order(self._group_rules, cart, facts)

    def is_personal(self, cart: Cart) -> bool:
        """Whether a promotion of these goods asks who the shopper is; no I/O. Raises NoCampaign."""
        book = self.rules.book
        return book is not None and any(line.sku in book.personal for line in cart.lines)

    def is_own(self, cart: Cart, buyer: UUID, now: datetime) -> bool:
        """Whether a cart's price may be this buyer's and not everybody's: as a promotion asks who that is, or as this
        process knows that a limit of the buyer's own is used up; no I/O. Raises NoCampaign.
        """
        book = self.rules.book
        facts = Facts(buyer=buyer, now=now, left=self._left)
        return self.is_personal(cart) or (book is not None and has_used_up(book, cart, facts))

    async def facts_of(self, cart: Cart, buyer: UUID | None, now: datetime, *, points: int = 0) -> Facts:
        """What a cart's price depends on beside the cart: one answer for goods page, checkout, quote and order.

        Who the shopper is, is read only where a promotion of these goods asks for it, together with all who are
        priced at the same time. Raises NoCampaign, Overloaded and DatabaseUnavailable.
        """
        shopper = None
        if buyer is not None and self._shoppers is not None and self.is_personal(cart):
            shopper = await self._shoppers.shopper(buyer)
        return facts_of_shopper(shopper, now, buyer=buyer, points=points, left=self._left, out=self._out)

    async def own_facts(self, tx: Tx, cart: Cart, facts: Facts) -> Facts:
        """The facts with what their buyer has left of limits of his own, for pages and answers that are his alone.

        One statement, none for a guest. An order is priced without it, and again with it where that is another price.
        Raises NoCampaign.
        """
        caps = own_caps(self.rules, cart, facts)
        used = await store.used(tx, sorted(caps)) if caps else {}
        own = {key: caps[key] - count for key, (count, _) in used.items()}
        return msgspec.structs.replace(facts, left={**facts.left, **own}) if own else facts

    def timetable(self, sku: str, now: datetime) -> tuple[SlotView, ...]:
        """The slots of a product's flash prices, with the units left as this process knows them; no I/O.

        None where it has no flash price in slots. Raises NoCampaign.
        """
        return timetable(self.rules.book, sku, now, self._left)

    @property
    def in_slots(self) -> tuple[str, ...]:
        """The SKUs that have a flash price in slots. Raises NoCampaign."""
        return tuple(self.rules.book.timetables) if self.rules.book else ()

    async def slots_sold(self, tx: Tx, now: datetime) -> list[SlotSold]:
        """Every slot with the units sold in it, by product and time, as the database has it. Raises NoCampaign."""
        book = self.rules.book
        if book is None or not book.slots:
            return []
        used = {key: count for key, (count, _) in (await store.used(tx, sorted(book.shared_counters))).items()}
        left = {key: book.shared_counters[key] - count for key, count in used.items()}
        return [
            SlotSold(view=view, sold=used.get(slot_key(rule), 0))
            for sku, rules in book.timetables.items()
            for rule, view in zip(rules, timetable(book, sku, now, left), strict=True)
        ]

    def _with_left(self, facts: Facts) -> Facts:
        if facts.left or facts.out or not (self._left or self._out):
            return facts
        return msgspec.structs.replace(facts, left=self._left, out=self._out)

    def explain(self, cart: Cart, facts: Facts = NOBODY) -> Trace:
        """Price a cart and explain it; no I/O. Refusals: see `rules.price_order`."""
        return explain(self.rules, cart, self._with_left(facts))

    def advise(self, cart: Cart, facts: Facts = NOBODY) -> tuple[Hint, ...]:
        """What a little more in the cart would bring; no I/O. Refusals: see `rules.price_order`."""
        return advise(self.rules, cart, self._with_left(facts))

    def today(
        self,
        order: PricedOrder,
        coupon: str | None,
        back: Mapping[str, int],
        facts: Facts,
        *,
        without: Collection[str] = (),
    ) -> PricedOrder | None:
        """The price that can be reached today for the goods of an order that are kept; no I/O.

        `coupon` is the one that the order used: it is shown again, and left off where it opens nothing any more. `back`
        counts the units that came back already; goods `without` stock are left out. What the purchase itself used of
        a limit for each buyer is not held against it. None: nothing of it is on sale now, or not so many for one buyer.
        """
        cart = cart_kept(order, back, self.rules.offers.keys() - set(without))
        if cart is None:
            return None
        facts = self._without_slots(cart, facts_of_today(order, facts))
        for shown in dict.fromkeys((coupon, None)):
            try:
                return self.price(msgspec.structs.replace(cart, coupon=shown), facts)
            except Refusal:
                continue
        return None

    def _without_slots(self, cart: Cart, facts: Facts) -> Facts:
        """The facts with which no slot applies: a price for few units and hours is not what goods cost today."""
        book, now = self.rules.book, facts.now
        if book is None or now is None or not book.slots:
            return facts
        on = (on_at(book.timetables.get(line.sku, ()), now) for line in cart.lines)
        return msgspec.structs.replace(facts, barred=facts.barred | {rule.id for rule in on if rule})

    def scoped_uses(self, priced: PricedOrder) -> tuple[ScopedUse, ...]:
        """How much an order uses of limits by device, address and payment account, by the current rules; no I/O.

        Raises SharedLimitReached where the order alone is too large.
        """
        limits = self.rules.scoped
        return scoped_uses(limits, priced.lines) if limits else ()

    async def instrument_uses(self, tx: Tx, campaign_id: CampaignId, priced: PricedOrder) -> Sequence[ScopedUse]:
        """How much an order uses of limits by payment account, by the rules that priced it. Raises CampaignUnknown."""
        key = campaign_id, priced.rules_version
        if key not in self._instrument_limits:
            rules = await self.rules_of(tx, *key)
            self._instrument_limits[key] = tuple(
                limit for limit in rules.scoped if limit.scope is SharedScope.INSTRUMENT
            )
        return scoped_uses(self._instrument_limits[key], priced.lines)

    async def rules_of(self, tx: Tx, campaign_id: CampaignId, version: int) -> RuleSet:
        """The rule set of any published version, to price an old order again to the same cent.

        Raises CampaignUnknown.
        """
        if self._rules is not None and self._is_compiled(campaign_id, version):
            return self._rules
        return compile_rules(await self._campaign.version(tx, campaign_id, version))

    async def group_rules_of(self, tx: Tx, campaign_id: CampaignId, version: int) -> RuleSet:
        """The rule set by which a published version prices orders of groups. Raises CampaignUnknown."""
        published = await self._campaign.version(tx, campaign_id, version)
        return compile_group_rules(published, compile_rules(published))

    async def lock_counters(self, tx: Tx, keys: Iterable[str]) -> Counters:
        """Lock the counters of a batch of orders until the transaction ends; one statement, locked in key order.

        Lock once in a transaction, decide with `Counters.try_use`, then `write_counters` once.
        """
        wanted = frozenset(keys)
        return _counters(wanted, await store.lock(tx, sorted(wanted)) if wanted else {})

    async def look_at_counters(self, tx: Tx, keys: Iterable[str]) -> Counters:
        """Read the counters of a batch of orders; one statement. Nobody is kept from using them meanwhile."""
        wanted = frozenset(keys)
        found = await store.used(tx, sorted(wanted)) if wanted else {}
        return _counters(wanted, {key: used for key, (used, _) in found.items()})

    async def write_counters(self, tx: Tx, counters: Counters) -> None:
        """Add what was used; one statement.

        Breaks `counter_pkey` when another transaction made one of the new counters first, and `counter_within_cap`
        when it used the rest of one that was only looked at: roll back, and decide again under locks.
        """
        changes = counters.changes()
        if changes:
            await store.write(tx, changes)

    async def release_counters(self, tx: Tx, uses: Sequence[CounterUse]) -> list[str]:
        """Give back what orders had used that ended unpaid; one statement, locked in key order.

        Returns the keys that held less than was released; they stand at 0 and are worth a look, for each order is
        released once.
        """
        amounts: dict[str, int] = {}
        for use in uses:
            amounts[use.key] = amounts.get(use.key, 0) + use.amount
            self._left.pop(use.key, None)
        return await store.release(tx, amounts) if amounts else []

    def refusal_of(self, use: CounterUse) -> Refusal:
        """The refusal to answer when `use` is what `Counters.try_use` returned.

        It is remembered that so much is not left: the next price is without that promotion.
        """
        if len(self._left) < LEFT_MAX:
            book = self._rules.book if self._rules else None
            later = book.shared_counters.get(use.key, use.cap) - use.cap if book else 0
            self._left.lower(use.key, use.amount - 1 + later)
        return refusal_of(use)

    async def in_use(self, tx: Tx) -> CountersUsed:
        """Return what orders have used of all counters but those of payment accounts."""
        return await store.in_use(tx)

    async def check(self, tx: Tx) -> list[Check]:
        """The counters' invariant, and that the rules in memory price every offer within its list price."""
        examined, broken = await store.beyond_cap(tx)
        offers = self._rules.offers.values() if self._rules else ()
        dear = [offer.sku for offer in offers if not 0 < offer.unit_price <= offer.list_price]
        return [
            Check(name="counters within their caps", holds=not broken, examined=examined, detail=", ".join(broken)),
            Check(name="offers within list price", holds=not dear, examined=len(offers), detail=", ".join(dear[:10])),
        ]


def _counters(wanted: frozenset[str], used: dict[str, int]) -> Counters:
    return Counters(dict.fromkeys(wanted, 0) | used, missing=wanted - used.keys())
