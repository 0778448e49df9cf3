"""Prices a cart with promotions: the kernel decides what applies, and it is written down with words and counters. Pure.

`settle` decides and `price_with_promotions` writes it down; `tracing` asks `settle` too, so that what is explained is
what is charged.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from operator import ge
from typing import NamedTuple, NoReturn

import msgspec

from tidegate.offer.campaign.contracts import Measure
from tidegate.offer.coupons.contracts import coupon_name, tidy
from tidegate.offer.pricing.benefits import is_reached
from tidegate.offer.pricing.book import Book, Rule, Stage
from tidegate.offer.pricing.carts import buyer_counters, buyer_uses, in_key_order, take_offers
from tidegate.offer.pricing.contracts import NOBODY, Cart, Facts, OfferRule, PricedOrder, RuleSet
from tidegate.offer.pricing.counting import Left
from tidegate.offer.pricing.errors import (
    CouponNotApplicable,
    CouponNotValid,
    CouponSavesNothing,
    CouponUsedUp,
    ThresholdNotMet,
)
from tidegate.offer.pricing.kernel import Decided, Row, bits_of
from tidegate.offer.pricing.matching import allowed, is_left, least_of, own_uses, shared_uses, shown

TRACE_FORMAT = "tidegate-price-2"
"""Names the encoding behind the trace hash of orders with promotions; a change of the encoding is a new name."""

Taken = Sequence[tuple[OfferRule, int]]


class Use(NamedTuple):
    """A rule with counters, the money that it takes off, and the units that it is a price for."""

    rule: Rule
    money: int
    units: int = 0


class Settled:
    """A cart about which everything is decided."""

    __slots__ = ("_book", "_figures", "_mask", "_rows", "barred", "decided", "taken")

    decided: Decided

    def __init__(self, book: Book, taken: Taken, mask: int) -> None:
        self._book = book
        self._mask = mask
        number = book.kernel.number
        self._figures = [each for offer, units in taken for each in (number[offer.sku], units)]
        self._rows: dict[Rule, Row] | None = None
        self.taken = taken
        self.barred: frozenset[str] = frozenset()
        """The rules that nothing is left of."""

    def decide(self, facts: Facts) -> None:
        """Let the kernel decide; a rule by which counters leave no room for so many points is passed over."""
        book, barred = self._book, self._book.bits_of(self.barred)
        while True:
            self.decided = decided = book.kernel.settle(self._mask, barred, self._figures, facts.points)
            if not decided.points_used or not facts.left:
                return
            rule = book.rules[book.bits[decided.reductions[-1].promotion]]
            if is_left(rule, facts, decided.reductions[-1].amount):
                return
            barred |= 1 << rule.bit
            self.barred |= {rule.id}

    @property
    def rows(self) -> dict[Rule, Row]:
        """The lines that each allowed rule counts, in the order of the rules."""
        if self._rows is None:
            rows = self._book.kernel.match(self._mask, self._book.bits_of(self.barred), self._figures)
            self._rows = {self._book.rules[row.bit]: row for row in rows}
        return self._rows

    def wanted(self) -> list[Use]:
        """The most that each price of its own could take off: it stands for all its lines or for none."""
        money: dict[Rule, int] = {}
        pieces: dict[Rule, int] = {}
        if self._book.price_masks:
            for offer, units in self.taken:
                for price, rule in self._book.prices_of(offer.sku, self._mask):
                    if price < offer.unit_price:
                        money[rule] = money.get(rule, 0) + (offer.unit_price - price) * units
                        pieces[rule] = pieces.get(rule, 0) + units
        return [Use(rule, less, pieces[rule]) for rule, less in money.items()]

    def bar(self, facts: Facts) -> None:
        """Bar the rules that nothing is left of: first prices of their own, by which the others have their lines."""
        barred = {
            rule.id
            for rule, less, pieces in self.wanted()
            if rule.id in facts.barred or not is_left(rule, facts, less, pieces)
        }
        if facts.left or facts.barred:
            self.barred = frozenset(barred)
            barred |= facts.barred
        if facts.left:
            barred |= {
                rule.id
                for rule, row in self.rows.items()
                if rule.counters and not is_left(rule, facts, _money_of(rule, row))
            }
        self.barred = frozenset(barred)


def _money_of(rule: Rule, row: Row) -> int:
    """The most that a rule could take off; gifts and free shipping are not counted in money here."""
    return 0 if rule.gift or rule.stage is Stage.SHIPPING else row.off


def settle(book: Book, taken: Taken, cart: Cart, facts: Facts, mask: int) -> Settled:
    """Decide what applies of the rules that the mask allows.

    Raises CouponNotValid, CouponNotApplicable and ThresholdNotMet for the cart's coupon.
    """
    settled = Settled(book, taken, mask)
    if facts.left or facts.barred or book.caps_units:
        settled.bar(facts)
    settled.decide(facts)
    if cart.coupon is not None:
        _require_coupon(book, settled, cart.coupon)
    return settled


def _require_coupon(book: Book, settled: Settled, code: str) -> None:
    """Refuse a coupon that opens nothing, counts nothing, or cannot be reached even before other reductions."""
    name, bits = _opened_by(book, code)
    if not bits:
        raise CouponNotValid(
            "No coupon of this campaign has this code. Nothing was ordered; check the code or order without it."
        )
    opened = [(rule, row) for rule, row in settled.rows.items() if bits >> rule.bit & 1]
    if not opened and not any(rule.stage is Stage.PRICE for rule in map(book.rules.__getitem__, bits_of(bits))):
        raise CouponNotApplicable(
            "None of these goods takes this coupon now. Nothing was ordered; order without the coupon.", coupon=name
        )
    if opened and not any(rule.reckoner is None or row.off > 0 for rule, row in opened):
        rule, row = opened[0]
        _refuse_threshold(settled, rule, row.places, name, costs_of(settled))


def _opened_by(book: Book, code: str) -> tuple[str, int]:
    """The coupon of a code as the definition writes it, and the mask of the rules that it opens."""
    known = book.gates.coupons[1]
    name = tidy(code) if tidy(code) in known else coupon_name(code)
    return name, known.get(name, 0)


def _refuse_threshold(settled: Settled, rule: Rule, places: Sequence[int], name: str, base: Sequence[int]) -> NoReturn:
    """Say how much is missing where each line counts for `base`."""
    assert rule.reckoner is not None
    units = [units for _, units in settled.taken]
    measure, missing, _ = rule.reckoner.missing(places, base, units)
    counted = sum((base if measure is Measure.AMOUNT else units)[place] for place in places)
    raise ThresholdNotMet(
        "What counts towards this coupon, after the reductions before it, does not reach its threshold. Nothing was "
        "ordered; add goods or order without the coupon.",
        coupon=name,
        threshold=counted + missing,
        missing=missing,
    )


def _require_effect(book: Book, settled: Settled, without: PricedOrder, code: str) -> None:
    """Refuse a coupon with which nothing is cheaper than `without` it: it would be used up for nothing."""
    decided = settled.decided
    if (decided.paid + decided.fee, decided.points_used) < (without.total, without.points_used):
        return
    given = {each.sku: each.units for each in without.gifts}
    if any(each.units > given.get(each.sku, 0) for each in decided.gifts):
        return
    name, bits = _opened_by(book, code)
    opened = {rule: row.places for rule, row in settled.rows.items() if bits >> rule.bit & 1}
    concerned = {*opened, *(each.rule for each in settled.wanted() if bits >> each.rule.bit & 1)}
    if concerned and all(rule.id in settled.barred for rule in concerned):
        raise CouponUsedUp("No use of this coupon is left. Nothing was ordered; order without it.", coupon=name)
    units = [units for _, units in settled.taken]
    for rule, places in opened.items():
        base = costs_after(book, settled, Stage(rule.stage - 1))
        if not is_reached(rule.reckoner, places, base, units):
            _refuse_threshold(settled, rule, places, name, base)
    raise CouponSavesNothing(
        "With this coupon the order would cost no less. Nothing was ordered and the coupon was not used; order "
        "without it.",
        coupon=name,
    )


def costs_of(settled: Settled) -> list[int]:
    """What each line costs before anything is taken off."""
    unit_prices = {line.sku: line.unit_price for line in settled.decided.lines}
    return [unit_prices[offer.sku] * units for offer, units in settled.taken]


def costs_after(book: Book, settled: Settled, stage: Stage) -> list[int]:
    """What each line has left to pay after a stage."""
    off: dict[str, int] = {}
    for each in settled.decided.reductions:
        if book.rules[book.bits[each.promotion]].stage <= stage:
            for sku, part in each.lines:
                off[sku] = off.get(sku, 0) + part
    costs = costs_of(settled)
    return [cost - off.get(offer.sku, 0) for cost, (offer, _) in zip(costs, settled.taken, strict=True)]


class Written:
    """A settled cart as it is written down, whoever buys it."""

    __slots__ = ("_least", "_own_concerned", "_settled", "_sufficed", "barred", "offers", "order", "own_limited")

    def __init__(self, rules: RuleSet, book: Book, settled: Settled, offers: Sequence[tuple[str, int, int]]) -> None:
        decided = settled.decided
        limited = [Use(book.rules[bit], money, units) for bit, money, units in decided.limited]
        shared = {use.key: use for rule, money, units in limited for use in shared_uses(rule, money, units)}
        self.barred = settled.barred
        self.offers = offers
        """What it uses of the counters of its offers for each buyer."""
        self.order = PricedOrder(
            lines=decided.lines,
            steps=decided.steps,
            goods_total=decided.goods_total,
            discount_total=decided.goods_total - decided.paid,
            shipping=decided.fee,
            total=decided.paid + decided.fee,
            currency=rules.currency,
            counters=in_key_order(shared.values()),
            rules_version=rules.version,
            trace_hash=sha256(_trace_head(rules) + decided.text).hexdigest(),
            reductions=decided.reductions,
            gifts=decided.gifts,
            points_used=decided.points_used,
            regret=decided.regret,
            price_ends_at=_first_end(book, decided),
        )
        """With what whoever buys uses of counters for everybody, and without the facts."""
        self.own_limited = [each for each in limited if each.rule.counts_accounts]
        self._settled: Settled | None = settled
        """Until it is known what must be left of counters."""
        self._least: tuple[list[str], list[int]] = [], []
        self._sufficed: tuple[Mapping[str, int] | None, int | None] = None, None
        self._own_concerned: list[Use] = []

    def is_all_left(self, book: Book, facts: Facts) -> bool:
        """Whether the counters bar none of the rules that the cart was settled with."""
        if self._settled is not None:
            self._look_at_counters(book, self._settled)
        if not self._suffices(facts.left):
            return False
        return not self._own_concerned or all(
            is_left(rule, facts, money, units) for rule, money, units in self._own_concerned
        )

    def _suffices(self, left: Mapping[str, int]) -> bool:
        """Whether enough is left for everybody; for as long as no counter is lowered it is not looked at again."""
        lowered = left.lowered if isinstance(left, Left) else None
        if left is self._sufficed[0] and lowered == self._sufficed[1]:
            return True
        keys, least = self._least
        if not all(map(ge, map(left.get, keys, least), least)):
            return False
        if lowered is not None:
            self._sufficed = left, lowered
        return True

    def _look_at_counters(self, book: Book, settled: Settled) -> None:
        """Note what must be left of the counters for all rules that could apply to stay open."""
        concerned = [Use(book.rules[bit], money) for bit, money in settled.decided.concerned]
        concerned += [each for each in settled.wanted() if each.rule.counters]
        uses = [(rule, use) for rule, money, units in concerned for use in shared_uses(rule, money, units)]
        self._least = [use.key for _, use in uses], [least_of(rule, use) for rule, use in uses]
        self._own_concerned = [each for each in concerned if each.rule.counts_accounts]
        self._settled = None


def price_with_promotions(rules: RuleSet, book: Book, cart: Cart, facts: Facts, *, again: bool = False) -> PricedOrder:
    """The priced order of a cart, by the rules and what is known. Refusals: see `rules.price_order`.

    A cart that was priced lately for somebody to whom the same rules are open is not settled again. One that was taken
    once is priced `again` whether its coupon saves anything or not.
    """
    plain = not (facts.points or facts.barred)
    mask = allowed(book, facts, cart.coupon)
    key = (cart, mask)
    written = book.memory.get(key) if plain else None
    if not isinstance(written, Written) or (facts.left and not written.is_all_left(book, facts)):
        taken = take_offers(rules, cart)
        settled = settle(book, taken, cart, facts, mask)
        tried = not again and cart.coupon is not None and _opened_by(book, cart.coupon)[0] not in shown(facts, None)
        if tried and cart.coupon is not None:
            _require_effect(book, settled, price_with_promotions(rules, book, Cart(cart.lines), facts), cart.coupon)
        written = Written(rules, book, settled, buyer_counters(taken))
        if plain and not written.barred and (tried or cart.coupon is None):
            book.remember(key, written)
    uses = buyer_uses(written.offers, facts.buyer)
    if written.own_limited:
        own = {use.key: use for each in written.own_limited for use in own_uses(each.rule, facts, each.units)}
        uses += own.values()
    counters = written.order.counters + in_key_order(uses)
    return msgspec.structs.replace(written.order, counters=counters, facts=_evidence(facts, written.barred))


def _first_end(book: Book, decided: Decided) -> datetime | None:
    """The end of the slots whose price stands, the first of them; None without one."""
    if not book.slots or not decided.priced_by:
        return None
    slots = [book.rules[bit].slot for _, bit in decided.priced_by]
    return min((slot.ends_at for slot in slots if slot), default=None)


def _evidence(facts: Facts, barred: frozenset[str]) -> Facts:
    """The facts that an order keeps, to be priced again: without the buyer, and without anybody's counters.

    What is empty is the default itself, which is left out of the order's JSON.
    """
    if facts.buyer is None and not facts.left and barred == facts.barred:
        return facts
    return msgspec.structs.replace(
        facts, buyer=None, left=NOBODY.left, barred=barred or NOBODY.barred, out=facts.out or NOBODY.out
    )


def _trace_head(rules: RuleSet) -> bytes:
    """What the text of a trace begins with: whose rules they are. Neither its words nor the buyer are in the text."""
    return f"{TRACE_FORMAT}\n{rules.campaign_id} {rules.version} {rules.currency}".encode()
