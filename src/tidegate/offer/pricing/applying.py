"""Applies rules to lines, exactly: what a rule takes off, split over its lines within their floors.

All rules of a stage reckon with what the stage before left to pay; what is left only bounds them. An order pays at
least one minor unit, and no line less than the floor of its goods: what does not fit goes to the rule's other lines,
and what fits nowhere is given up.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from tidegate.base.money import allocate, allocate_within
from tidegate.offer.pricing.book import Rule, Stage
from tidegate.offer.pricing.contracts import Borne

Chosen = Sequence[tuple[Rule, Sequence[int]]]
"""Rules in the order in which they apply, each with the places of its lines."""

PAID_MIN = 1


class Frame:
    """The goods of a cart as figures: what each line costs, how many units it has, and what it must at least pay."""

    __slots__ = ("_reckoned", "base", "floors", "shops", "skus", "units")

    def __init__(
        self,
        skus: Sequence[str],
        base: Sequence[int],
        units: Sequence[int],
        floors: Sequence[int],
        shops: Sequence[str],
    ) -> None:
        self.skus = skus
        self.base = list(base)
        self.units = units
        self.floors = floors
        self.shops = shops
        self._reckoned: dict[Rule, tuple[Sequence[int], tuple[int, int]]] = {}

    def reckon(self, rule: Rule, places: Sequence[int], base: Sequence[int]) -> tuple[int, int]:
        """What a rule takes off these lines, and how often it applies; of whole carts it is worked out once a rule."""
        if rule.reckoner is None:
            return 0, 0
        if base is not self.base:
            return rule.reckoner.reckon(places, base, self.units)
        known = self._reckoned.get(rule)
        if known is None or known[0] is not places:
            known = self._reckoned[rule] = places, rule.reckoner.reckon(places, base, self.units)
        return known[1]


class Applied:
    """What one rule did: minor units off (of a gift: units given), of which lines, how often, what was given up."""

    __slots__ = ("given_up", "off", "parts", "places", "rule", "times")

    def __init__(
        self, rule: Rule, places: Sequence[int], off: int, times: int, parts: Sequence[int], given_up: int
    ) -> None:
        self.rule = rule
        self.places = places
        self.off = off
        self.times = times
        self.parts = parts
        self.given_up = given_up


def take_off(frame: Frame, rule: Rule, places: Sequence[int], base: Sequence[int], left: list[int]) -> Applied | None:
    """Apply one rule to `left`; None when it takes nothing off. Raises no refusal."""
    off, times = frame.reckon(rule, places, base)
    if off <= 0 or rule.reckoner is None:
        return None
    if rule.gift:
        return Applied(rule, places, off, times, (), 0)
    floors = frame.floors
    if len(places) == 1:
        place = places[0]
        part = min(off, left[place] - floors[place], off if left[place] > off else sum(left) - PAID_MIN)
        if part <= 0:
            return None
        left[place] -= part
        return Applied(rule, places, part, times, (part,), off - part)
    weights = rule.reckoner.weights(places, base, frame.units)
    parts = allocate(off, weights)
    if not _fits(parts, places, left, floors):
        caps = [max(left[place] - floors[place], 0) for place in places]
        parts = allocate_within(min(off, sum(left) - PAID_MIN), weights, caps)
    taken = 0
    for place, part in zip(places, parts, strict=True):
        left[place] -= part
        taken += part
    return Applied(rule, places, taken, times, parts, off - taken) if taken else None


def _fits(parts: Sequence[int], places: Sequence[int], left: Sequence[int], floors: Sequence[int]) -> bool:
    """Whether each line keeps its floor, and some line anything at all."""
    keeps = False
    for place, part in zip(places, parts, strict=True):
        rest = left[place] - part
        if rest < floors[place]:
            return False
        keeps = keeps or rest > 0
    return keeps


def apply_all(frame: Frame, chosen: Chosen) -> tuple[list[Applied], list[int]]:
    """Apply rules in turn; what each did, and what each line has left to pay."""
    done: list[Applied] = []
    left = frame.base[:]
    for _, rules in groupby(chosen, key=_stage):
        applied, left = apply_stage(frame, rules, left)
        done += applied
    return done, left


def apply_stage(
    frame: Frame, chosen: Iterable[tuple[Rule, Sequence[int]]], base: Sequence[int]
) -> tuple[list[Applied], list[int]]:
    """Apply rules of one stage, before which each line has `base` left to pay."""
    left = list(base)
    done: list[Applied] = []
    for rule, places in chosen:
        applied = take_off(frame, rule, places, base, left)
        if applied:
            done.append(applied)
    return done, left


def _stage(each: tuple[Rule, Sequence[int]]) -> Stage:
    return each[0].stage


def borne(frame: Frame, applied: Applied) -> tuple[Borne, ...]:
    """Who bears a reduction: each shop's part is split among the bearers by their shares, exactly."""
    if len(applied.places) == 1 and not applied.rule.promotion.bearers:
        return (Borne("shop", frame.shops[applied.places[0]], applied.off),)
    by_shop: dict[str, int] = {}
    for place, part in zip(applied.places, applied.parts, strict=True):
        if part:
            shop = frame.shops[place]
            by_shop[shop] = by_shop.get(shop, 0) + part
    bearers = applied.rule.promotion.bearers
    if not bearers:
        return tuple(Borne("shop", shop, by_shop[shop]) for shop in sorted(by_shop))
    shares = [bearer.share for bearer in bearers]
    return tuple(
        Borne(bearer.name, shop, amount)
        for shop in sorted(by_shop)
        for bearer, amount in zip(bearers, allocate(by_shop[shop], shares), strict=True)
        if amount
    )
