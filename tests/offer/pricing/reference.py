"""What rules do, in plain Python: the readable statement of what the kernel must do, made without it.

It works on the rules of a book and on integers, knows no caches and no choice: which rules share the lines in which
way is given, and it says what each of them then takes off. Tests hold the kernel to it.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from tidegate.base.money import allocate, allocate_within
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Bundle,
    FreeShipping,
    Gift,
    Measure,
    NForM,
    NthPiece,
    PercentOff,
    PointsOff,
)
from tidegate.offer.pricing.book import Book, Rule
from tidegate.offer.pricing.contracts import Borne, Facts, OfferRule, RuleSet
from tidegate.offer.pricing.matching import is_left

BASIS_POINTS = 10_000
PAID_MIN = 1
GIFTS_MAX = 10**9
"""Units that one rule gives at most: nobody has so many, and no sum of them is beyond 64 bits."""

Places = Sequence[int]
Chosen = Sequence[tuple[Rule, Places]]
"""Rules in the order in which they apply, each with the places of its lines."""


class Goods(NamedTuple):
    """The lines of a cart: what each costs, its units, what it must at least pay, and the rule whose price it has."""

    base: list[int]
    units: list[int]
    floors: list[int]
    priced_by: list[Rule | None]


class Effect(NamedTuple):
    """What one rule did: minor units off (of a gift: units given), how often, of each line, and what was given up."""

    rule: Rule
    places: Places
    off: int
    times: int
    parts: list[int]
    given_up: int


# ---- the lines, and which of them each rule counts


def goods_of(book: Book, taken: Sequence[tuple[OfferRule, int]], mask: int, barred: frozenset[str]) -> Goods:
    """The lines at their lowest price: that of the offer, or of an open rule that something is left of."""
    goods = Goods([], [], [], [])
    for offer, units in taken:
        own = [
            rule for rule in book.rules if mask >> rule.bit & 1 and rule.id not in barred and offer.sku in rule.prices
        ]
        prices = [(offer.unit_price, -1), *((rule.prices[offer.sku], rule.bit) for rule in own)]
        price, bit = min(prices)
        goods.base.append(price * units)
        goods.units.append(units)
        goods.floors.append(book.kept[offer.sku].floor * units)
        goods.priced_by.append(book.rules[bit] if bit >= 0 else None)
    return goods


def rows_of(book: Book, taken: Sequence[tuple[OfferRule, int]], mask: int, goods: Goods) -> list[tuple[Rule, Places]]:
    """The lines that each rule of the mask counts, in the order in which rules apply."""
    rows: list[tuple[Rule, Places]] = []
    for rule in book.rules:
        places = [
            place
            for place, ((offer, _), own) in enumerate(zip(taken, goods.priced_by, strict=True))
            if (book.masks[offer.sku] & mask) >> rule.bit & 1 and not (own and book.kept_from(own) >> rule.bit & 1)
        ]
        if places:
            rows.append((rule, places))
    return rows


# ---- what a rule takes off, and by what weights


def reckon(rule: Rule, places: Places, base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
    """What a rule takes off lines with so much to pay (of a gift: units given), and how many times it applies."""
    benefit, times_max = rule.promotion.benefit, rule.promotion.limits.per_order
    found = 0, 0
    match benefit:
        case AmountOff():
            found = _by_amount(benefit, times_max, reached(benefit, places, base, units))
        case PercentOff():
            amount, step = sum(base[place] for place in places), _step(benefit, reached(benefit, places, base, units))
            found = _capped(ceil_part(amount, step), benefit.cap), 1
        case NForM(take=take, pay=pay):
            found = _by_piece(take, take - pay, BASIS_POINTS, times_max, _dearest_first(places, base, units))
        case NthPiece(nth=nth, off=off):
            found = _by_piece(nth, 1, off, times_max, _dearest_first(places, base, units))
        case Bundle():
            found = _by_bundle(benefit, times_max, places, base, units)
        case Gift():
            times = _times(benefit, times_max, reached(benefit, places, base, units))
            found = min(benefit.quantity * times, GIFTS_MAX), times
        case FreeShipping():
            found = int(reached(benefit, places, base, units) >= benefit.reach), 1
    return found


def reached(
    benefit: AmountOff | PercentOff | Gift | FreeShipping, places: Places, base: Sequence[int], units: Sequence[int]
) -> int:
    """How much there is of what a threshold counts: pieces, or what they have to pay."""
    counted = units if benefit.measure is Measure.PIECES else base
    return sum(counted[place] for place in places)


def weights(rule: Rule, places: Places, base: Sequence[int], units: Sequence[int]) -> list[int]:
    """By what the amount is split: what lines have to pay; of pieces and bundles, only the units that are in one."""
    benefit, times_max = rule.promotion.benefit, rule.promotion.limits.per_order
    match benefit:
        case NForM(take=group) | NthPiece(nth=group):
            end = _at_most(sum(units[place] for place in places) // group, times_max) * group
            return _in_groups(end, places, base, units)
        case Bundle(parts=parts):
            quantity = [part.quantity for part in sorted(parts, key=lambda part: part.sku)]
            return [n * (base[place] // units[place]) for n, place in zip(quantity, places, strict=True)]
        case _:
            return [base[place] for place in places]


def ceil_part(amount: int, basis_points: int) -> int:
    """A part of an amount, rounded up: in the buyer's favour."""
    return -(-amount * basis_points // BASIS_POINTS)


def _at_most(times: int, times_max: int) -> int:
    return min(times, times_max) if times_max else times


def _capped(off: int, cap: int) -> int:
    return min(off, cap) if cap else off


def _step(benefit: AmountOff | PercentOff, reached: int) -> int:
    """What the highest reached step takes off."""
    return max(((step.reach, step.off) for step in benefit.steps if step.reach <= reached), default=(0, 0))[1]


def _by_amount(benefit: AmountOff, times_max: int, reached: int) -> tuple[int, int]:
    if not benefit.every:
        return _capped(_step(benefit, reached), benefit.cap), 1
    [step] = benefit.steps
    times = _at_most(reached // step.reach if step.reach else 1, times_max)
    return _capped(step.off * times, benefit.cap), times


def _times(benefit: Gift, times_max: int, reached: int) -> int:
    if reached < benefit.reach:
        return 0
    return _at_most(reached // benefit.reach if benefit.every and benefit.reach else 1, times_max)


def _dearest_first(places: Places, base: Sequence[int], units: Sequence[int]) -> list[tuple[int, int]]:
    """The price of a piece and how many there are, of each line."""
    return sorted(((base[place] // units[place], units[place]) for place in places), reverse=True)


def _by_piece(group: int, cheap: int, off: int, times_max: int, runs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Of every complete group of pieces, dearest first, the last `cheap` are `off` basis points cheaper."""
    times = _at_most(sum(count for _, count in runs) // group, times_max)
    total = start = 0
    for price, count in runs:
        end = min(start + count, times * group)
        total += (_cheap_before(group, cheap, end) - _cheap_before(group, cheap, start)) * ceil_part(price, off)
        start = end
    return total, times


def _cheap_before(group: int, cheap: int, pieces: int) -> int:
    """How many of the first so many pieces are among the last `cheap` of their group."""
    return pieces // group * cheap + max(pieces % group - (group - cheap), 0)


def _in_groups(end: int, places: Places, base: Sequence[int], units: Sequence[int]) -> list[int]:
    """What the first `end` pieces of the lines cost, dearest first and then in the order of the cart."""
    cost = {}
    start = 0
    for place in sorted(places, key=lambda place: (-(base[place] // units[place]), place)):
        stop = min(start + units[place], end)
        cost[place] = (stop - start) * (base[place] // units[place])
        start = stop
    return [cost[place] for place in places]


def _by_bundle(
    benefit: Bundle, times_max: int, places: Places, base: Sequence[int], units: Sequence[int]
) -> tuple[int, int]:
    """What the parts cost alone less the price, as often as all are there. `places` stand in the order of the SKUs."""
    parts = sorted(benefit.parts, key=lambda part: part.sku)
    if len(places) < len(parts):
        return 0, 0
    alone = sum(part.quantity * (base[place] // units[place]) for part, place in zip(parts, places, strict=True))
    if alone <= benefit.price:
        return 0, 0
    times = min(units[place] // part.quantity for part, place in zip(parts, places, strict=True))
    times = _at_most(times, times_max)
    return times * (alone - benefit.price), times


# ---- several rules, in turn


def apply_all(goods: Goods, chosen: Chosen) -> tuple[list[Effect], list[int]]:
    """What each rule did, and what each line has left: rules of a stage reckon with what the stage before left."""
    done: list[Effect] = []
    left = list(goods.base)
    for _, rules in groupby(chosen, key=lambda each: each[0].stage):
        base = list(left)
        applied = [take_off(goods, rule, places, base, left) for rule, places in rules]
        done += [each for each in applied if each]
    return done, left


def take_off(goods: Goods, rule: Rule, places: Places, base: Sequence[int], left: list[int]) -> Effect | None:
    """Apply a rule to `left`, within floors; None when it takes nothing off."""
    off, times = reckon(rule, places, base, goods.units)
    if off <= 0:
        return None
    if rule.gift:
        return Effect(rule, places, off, times, [], 0)
    by = weights(rule, places, base, goods.units)
    parts = allocate(off, by)
    rest = [left[place] - part for place, part in zip(places, parts, strict=True)]
    fits = all(each >= goods.floors[place] for place, each in zip(places, rest, strict=True))
    if not fits or sum(left) - off < PAID_MIN:
        parts = _within(goods, places, max(min(off, sum(left) - PAID_MIN), 0), by, left)
    return _taken(rule, places, off, times, parts, left)


def _within(goods: Goods, places: Places, most: int, by: Sequence[int], left: Sequence[int]) -> list[int]:
    """The shares where the floors bind, or the order would pay nothing. A line alone bears all of it."""
    caps = [max(left[place] - goods.floors[place], 0) for place in places]
    return [min(most, caps[0])] if len(places) == 1 else allocate_within(most, by, caps)


def _taken(rule: Rule, places: Places, off: int, times: int, parts: list[int], left: list[int]) -> Effect | None:
    for place, part in zip(places, parts, strict=True):
        left[place] -= part
    taken = sum(parts)
    return Effect(rule, places, taken, times, parts, off - taken) if taken else None


# ---- who bears it


def borne(shops: Sequence[str], effect: Effect) -> tuple[Borne, ...]:
    """Who bears a reduction of lines of these shops: each shop's part is split among the bearers by their shares."""
    bearers = effect.rule.promotion.bearers
    found = []
    for shop in sorted({shops[place] for place in effect.places}):
        of_shop = zip(effect.places, effect.parts, strict=True)
        part = sum(amount for place, amount in of_shop if shops[place] == shop)
        amounts = allocate(part, [bearer.share for bearer in bearers]) if bearers else [part]
        names = [bearer.name for bearer in bearers] or ["shop"]
        found += [Borne(name, shop, amount) for name, amount in zip(names, amounts, strict=True) if amount]
    return tuple(found)


# ---- shipping, then points


def shipping(
    rules: RuleSet, goods: Goods, freeing: Chosen, left: Sequence[int], chosen: Chosen
) -> tuple[int, Rule | None]:
    """What shipping costs when lines have so much left to pay after these rules; the rule that made it free."""
    assert rules.book is not None
    fee = rules.shipping.amount
    if not fee or (rules.free_from is not None and sum(left) >= rules.free_from):
        return 0, None
    for rule, places in freeing:
        foes = rules.book.foes(rule)
        blocked = any(foes >> other.bit & 1 and set(places) & set(at) for other, at in chosen)
        if not blocked and reckon(rule, places, left, goods.units)[0]:
            return 0, rule
    return fee, None


def spend_points(
    book: Book, goods: Goods, rows: Chosen, facts: Facts, done: Sequence[Effect], left: list[int]
) -> Effect | None:
    """What the first rule that can pays of the goods with points; neither floors nor the last minor unit.

    A rule by which counters leave no room for so much is passed over.
    """
    at_work = {each.rule.bit for each in done if not each.rule.gift}
    for rule, places in rows:
        benefit = rule.promotion.benefit
        if not isinstance(benefit, PointsOff) or any(book.foes(rule) >> bit & 1 for bit in at_work):
            continue
        due = [left[place] for place in places]
        most = min(sum(due) * benefit.share // BASIS_POINTS, facts.points // benefit.points, sum(left) - PAID_MIN)
        caps = [max(left[place] - goods.floors[place], 0) for place in places]
        parts = allocate_within(max(most, 0), due, caps)
        if is_left(rule, facts, sum(parts)) and (effect := _taken(rule, places, sum(parts), 1, parts, left)):
            return effect
    return None
