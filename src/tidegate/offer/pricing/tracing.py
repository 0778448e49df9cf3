"""Explains a price in words with figures: what each step did, what does not apply and why, and what is missing."""

from collections.abc import Sequence

from tidegate.offer.campaign.contracts import Audience, Measure, Words
from tidegate.offer.pricing.book import Book, Rule, Stage
from tidegate.offer.pricing.carts import take_offers
from tidegate.offer.pricing.conditions import Outcome
from tidegate.offer.pricing.contracts import (
    Cart,
    Facts,
    NotApplied,
    PricedOrder,
    PriceStep,
    Reduction,
    RuleSet,
    Shortfall,
    StepKind,
    Trace,
)
from tidegate.offer.pricing.engine import Settled, costs_of, settle
from tidegate.offer.pricing.hinting import hints_of, money, more_words, out_of_reach
from tidegate.offer.pricing.kernel import Decided, bits_of
from tidegate.offer.pricing.matching import allowed, named, outcomes, shown
from tidegate.offer.pricing.owning import Room
from tidegate.offer.pricing.slot_tracing import between_words, used_up_words
from tidegate.offer.pricing.timetable import next_after, on_at
from tidegate.offer.pricing.words import SHORTFALLS


def trace_of(rules: RuleSet, cart: Cart, facts: Facts, order: PricedOrder) -> Trace:
    """The explanation of an order that these arguments gave. Raises what `rules.price_order` raises."""
    steps = tuple(_step_words(step, order) for step in order.steps)
    if rules.book is None:
        return Trace(order, steps, (), ())
    settled = settle(rules.book, take_offers(rules, cart), cart, facts, allowed(rules.book, facts, cart.coupon))
    room = Room(rules, rules.book, settled.taken, facts)
    return Trace(
        order,
        steps,
        tuple(_not_applied(rules, rules.book, settled, cart, facts, room)),
        tuple(hints_of(rules, rules.book, settled, facts, room)),
    )


def _step_words(step: PriceStep, order: PricedOrder) -> Words:
    """What a step did, with its figures."""
    amount = money(step.amount, order.currency)
    zh, en = f"{step.label.zh} {amount.zh}", f"{step.label.en} {amount.en}"
    reduction = next((each for each in order.reductions if each.promotion == step.rule), None)
    if reduction is None or step.kind is StepKind.SHIPPING:
        return Words(zh, en)
    counted = len(reduction.lines)
    zh, en = f"{zh}（{counted} 种商品）", f"{en} (on {counted} {'product' if counted == 1 else 'products'})"
    if reduction.times > 1:
        zh, en = f"{zh} ×{reduction.times}", f"{en} ×{reduction.times}"
    if step.kind is StepKind.POINTS:
        zh, en = f"{zh}，用 {order.points_used} 积分", f"{en}, for {order.points_used} points"
    return _with_given_up(Words(zh, en), reduction, order.currency)


def _with_given_up(words: Words, reduction: Reduction, currency: str) -> Words:
    if not reduction.given_up:
        return words
    lost = money(reduction.given_up, currency)
    return Words(
        f"{words.zh}；另有 {lost.zh} 未能减免：商品已到最低售价",
        f"{words.en}; {lost.en} more could not be taken off: the goods are at their lowest price",
    )


def _not_applied(
    rules: RuleSet, book: Book, settled: Settled, cart: Cart, facts: Facts, room: Room
) -> list[NotApplied]:
    """Every rule that concerns the goods and does nothing, in the order of the rules."""
    mask = 0
    timetables = []
    for offer, units in settled.taken:
        mask |= book.masks.get(offer.sku, 0) | book.price_masks.get(offer.sku, 0)
        if offer.sku in book.timetables:
            timetables.append((book.timetables[offer.sku], units))
    at_work = _at_work(book, settled.decided)
    judged = {}
    for bit in bits_of(mask):
        rule = book.rules[bit]
        if rule not in at_work and rule.slot is None:
            judged[bit] = _judged(rules, book, settled, rule, cart, facts, room)
    for slots, quantity in timetables:
        for same in _by_promotion(slots):
            if at_work.isdisjoint(same):
                judged[same[0].bit] = _judged_slots(book, settled, same, quantity, cart, facts)
    return [judged[bit] for bit in sorted(judged)]


def _at_work(book: Book, decided: Decided) -> set[Rule]:
    """The rules that do something."""
    bits = {bit for bit, _ in decided.applied} | {bit for _, bit in decided.priced_by}
    bits |= {book.bits[each.promotion] for each in decided.reductions}
    return {book.rules[bit] for bit in bits | {decided.freed_by} if bit >= 0}


def _by_promotion(slots: Sequence[Rule]) -> list[list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in slots:
        found.setdefault(rule.promotion.id, []).append(rule)
    return list(found.values())


def _judged_slots(
    book: Book, settled: Settled, slots: Sequence[Rule], quantity: int, cart: Cart, facts: Facts
) -> NotApplied:
    """Why no slot of a flash price applies: said once, of the slot that is on or the next one."""
    if facts.now is None:
        return _said(slots[0], Shortfall.FACT_MISSING, unknown=("now",))
    rule = on_at(slots, facts.now)
    if rule is None:
        coming = next_after(slots, facts.now)
        reason = Shortfall.NOT_YET if coming else Shortfall.OVER
        return _said(coming or slots[-1], reason, words=between_words(slots, facts))
    closed, unknown = _gate(book, rule, cart, facts)
    if closed is not None:
        return _said(rule, closed, unknown=unknown)
    if rule.id in settled.barred:
        return _said(rule, Shortfall.EXHAUSTED, words=used_up_words(slots, rule, facts, quantity))
    return _said(rule, Shortfall.LOWER_PRICE)


def _judged(
    rules: RuleSet, book: Book, settled: Settled, rule: Rule, cart: Cart, facts: Facts, room: Room
) -> NotApplied:
    """Why a rule does nothing: the first reason in the order time, person, coupon, condition, counters, goods."""
    reason, unknown = _gate(book, rule, cart, facts)
    if reason is not None:
        return _said(rule, reason, unknown=unknown)
    if rule.gift and rule.gift.sku in facts.out:
        return _said(rule, Shortfall.GIFT_OUT)
    if rule.id in settled.barred:
        return _said(rule, Shortfall.EXHAUSTED)
    if rule.stage is Stage.PRICE:
        return _said(rule, Shortfall.LOWER_PRICE)
    if rule.stage is Stage.POINTS and not facts.points:
        return _said(rule, Shortfall.NO_POINTS)
    return _about_goods(rules, book, settled, rule, facts, room)


def _about_goods(rules: RuleSet, book: Book, settled: Settled, rule: Rule, facts: Facts, room: Room) -> NotApplied:
    row = settled.rows.get(rule)
    if row is None:
        return _said(rule, Shortfall.OWN_PRICE)
    if rule.reckoner and not row.off:
        units = [units for _, units in settled.taken]
        measure, missing, off = rule.reckoner.missing(row.places, costs_of(settled), units)
        beyond = out_of_reach(rule, measure, missing, off, facts, room) if missing else None
        if beyond is not None:
            return _said(rule, beyond)
        more = more_words(book, rule, measure, missing, 0, rules.currency)
        return _said(rule, Shortfall.THRESHOLD, measure=measure, missing=missing, words=more)
    payable = {line.sku: line.payable for line in settled.decided.lines}
    goods = [settled.taken[place] for place in row.places]
    if all(payable[offer.sku] <= book.kept[offer.sku].floor * units for offer, units in goods):
        return _said(rule, Shortfall.FLOOR)
    return _said(rule, Shortfall.BETTER)


def _gate(book: Book, rule: Rule, cart: Cart, facts: Facts) -> tuple[Shortfall | None, tuple[str, ...]]:
    """What keeps the rule from this shopper at this moment, and the facts that are not known."""
    for reason, unknown in (_window(rule, facts), _person(rule, facts)):
        if reason is not None:
            return reason, unknown
    if rule.promotion.coupon and rule.promotion.coupon.strip().upper() not in shown(facts, cart.coupon):
        return Shortfall.COUPON, ()
    return _condition(book, rule, facts)


def _window(rule: Rule, facts: Facts) -> tuple[Shortfall | None, tuple[str, ...]]:
    if not (rule.opens_at or rule.closes_at):
        return None, ()
    if facts.now is None:
        return Shortfall.FACT_MISSING, ("now",)
    if rule.opens_at and facts.now < rule.opens_at:
        return Shortfall.NOT_YET, ()
    return (Shortfall.OVER if rule.closes_at and facts.now >= rule.closes_at else None), ()


def _person(rule: Rule, facts: Facts) -> tuple[Shortfall | None, tuple[str, ...]]:
    promotion = rule.promotion
    wanted = () if Audience.EVERYONE in promotion.audience else promotion.audience
    person: tuple[tuple[str, Sequence[str], object, Shortfall], ...] = (
        ("audience", wanted, facts.audience, Shortfall.AUDIENCE),
        ("tier", promotion.tiers, None if facts.tier is None else {facts.tier}, Shortfall.TIER),
        ("segments", promotion.segments, facts.segments, Shortfall.SEGMENT),
    )
    for name, names, known, reason in person:
        if names and known is None:
            return Shortfall.FACT_MISSING, (name,)
        if names and isinstance(known, set | frozenset) and known.isdisjoint(names):
            return reason, ()
    return None, ()


def _condition(book: Book, rule: Rule, facts: Facts) -> tuple[Shortfall | None, tuple[str, ...]]:
    if not rule.promotion.condition:
        return None, ()
    for place, mask in enumerate(book.gates.conditional[1]):
        if mask >> rule.bit & 1:
            outcome = outcomes(book, facts)[place]
            if outcome is Outcome.FACT_MISSING:
                return Shortfall.FACT_MISSING, tuple(book.gates.conditions.missing(place, named(facts)))
            return (None if outcome is Outcome.HOLDS else Shortfall.CONDITION), ()
    return None, ()


def _said(
    rule: Rule,
    reason: Shortfall,
    *,
    unknown: tuple[str, ...] = (),
    measure: Measure | None = None,
    missing: int = 0,
    words: Words | None = None,
) -> NotApplied:
    plain = words if words is not None and (missing or rule.slot) else SHORTFALLS[reason]
    if unknown:
        plain = Words(f"{plain.zh}：{'、'.join(unknown)}", f"{plain.en}: {', '.join(unknown)}")
    return NotApplied(rule.id, rule.label, reason, plain, measure, missing, unknown)
