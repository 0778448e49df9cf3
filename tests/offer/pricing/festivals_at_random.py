"""Festivals and carts made at random, the same from the same seed on every Python: every kind of rule, in every way.

Only `random` and `randrange` are drawn from: what the other methods of `Random` give may change between versions.
Run as a module it prints what the engine that is there makes of them, as `golden_prices.json` has it. In the
engine before the kernel `price_order` did what `price_again` does now: it refused no coupon that saved nothing.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, TypeVar

import msgspec

from tests.offer.festivals import coupon
from tests.offer.promotions import FACTS, amount_off, entry, percent_off, promotion, rules_of
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Bearer,
    Benefit,
    Bundle,
    FreeShipping,
    Gift,
    Layer,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    Part,
    PercentOff,
    PointsOff,
    Promotion,
    PromotionLimits,
    Shipping,
    Step,
)
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, RuleSet
from tidegate.offer.pricing.rules import price_again

CARTS = 4
T = TypeVar("T")


class Sale(NamedTuple):
    """The rules of a festival, and carts to price by them."""

    rules: RuleSet
    asked: list[tuple[Cart, Facts]]


class Size(NamedTuple):
    """How many products there are, from and to, and promotions at most."""

    skus_min: int
    skus_max: int
    promotions_max: int


SMALL = Size(3, 7, 8)
LARGE = Size(12, 40, 60)
SALES = {"small": (SMALL, 150), "large": (LARGE, 25)}
"""The sales whose prices are kept: their size, and how many there are, from seed 0 on."""
HASH_KEPT = 24
"""Letters of each hash that are kept: enough to tell any two apart."""


def sale(seed: int, size: Size) -> Sale:
    """A festival of that size with some carts."""
    draw = _Draw(seed)
    skus = [f"S{number:02}" for number in range(draw.between(size.skus_min, size.skus_max))]
    prices = {sku: draw.between(1, draw.one_of([400, 3_000])) for sku in skus}
    tight = draw.chance(30)
    entries = [
        entry(sku, price + draw.one_of([0, 50]), floor=draw.between(0, price) if tight else 0, shop=draw.one_of("xyz"))
        for sku, price in prices.items()
    ]
    listed = [_promotion(draw, f"P{number}", skus) for number in range(draw.between(1, size.promotions_max))]
    shipping = Shipping(fee=draw.one_of([0, 30, 800]), free_from=draw.one_of([None, 500, 9_900]))
    coupons = [coupon("TIDE", threshold=draw.between(1, 3_000), off=draw.between(1, 500))]
    rules = rules_of(prices, listed, entries=entries, shipping=shipping, coupons=coupons)
    return Sale(rules, [(_cart(draw, skus), _facts(draw, rules)) for _ in range(CARTS)])


def prices_of(of: Sale) -> list[list[str | int]]:
    """Of each cart the head of its trace's hash, its total and its regret, or the name of the refusal."""
    return [_price(of.rules, cart, facts) for cart, facts in of.asked]


def _price(rules: RuleSet, cart: Cart, facts: Facts) -> list[str | int]:
    try:
        order = price_again(rules, cart, facts)
    except Refusal as refusal:
        return [type(refusal).__name__]
    return [order.trace_hash[:HASH_KEPT], order.total, order.regret]


class _Draw:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def between(self, low: int, high: int) -> int:
        return self._random.randrange(low, high + 1)

    def chance(self, percent: int) -> bool:
        return self._random.random() * 100 < percent

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self._random.randrange(len(choices))]

    def some(self, names: Sequence[str], count: int) -> list[str]:
        rest = list(names)
        return [rest.pop(self._random.randrange(len(rest))) for _ in range(count)]


def _promotion(draw: _Draw, name: str, skus: Sequence[str]) -> Promotion:
    benefit = draw.one_of(BENEFITS)(draw, skus)
    of_its_own = isinstance(benefit, MemberPrice | FreeShipping | PointsOff)
    layers = [Layer.SHOP] if of_its_own else [Layer.SHOP, Layer.SHOP, Layer.PLATFORM]
    share = draw.between(1, 9_999)
    return promotion(
        name,
        benefit,
        skus=() if isinstance(benefit, Bundle | MemberPrice) else draw.some(skus, draw.between(0, min(len(skus), 6))),
        layer=draw.one_of(layers),
        group=draw.one_of(["", "", "g", "h", "k"]),
        priority=draw.between(0, 4),
        stacks_with=draw.one_of([*[None] * 6, (), ("g",), ("P0", "P2")]),
        limits=_limits(draw) if draw.chance(15) else PromotionLimits(),
        bearers=(Bearer("house", share), Bearer("brand", 10_000 - share)) if draw.chance(10) else (),
        tiers=("gold",) if draw.chance(10) else (),
        coupon="TIDE" if draw.chance(5) else "",
    )


def _limits(draw: _Draw) -> PromotionLimits:
    return PromotionLimits(
        total=draw.one_of([0, 5]),
        budget=draw.one_of([0, 300]),
        per_account=draw.one_of([0, 2]),
        per_order=draw.one_of([0, 2]),
    )


def _cart(draw: _Draw, skus: Sequence[str]) -> Cart:
    chosen = draw.some(skus, draw.between(1, len(skus)))
    lines = tuple(CartLine(sku, draw.one_of([1, 1, 2, 3, 9])) for sku in chosen)
    return Cart(lines, draw.one_of([None, None, None, "TIDE"]))


def _facts(draw: _Draw, rules: RuleSet) -> Facts:
    assert rules.book is not None
    facts = msgspec.structs.replace(
        FACTS, tier=draw.one_of([None, "gold", "iron"]), points=draw.one_of([0, 0, 0, 50, 5_000])
    )
    if not draw.chance(30):
        return facts
    left = {key: draw.one_of([0, 1, 50, 10**9]) for key in rules.book.shared_counters}
    barred = frozenset(draw.some([rule.id for rule in rules.book.rules], draw.between(0, 1)))
    return msgspec.structs.replace(facts, left=left, barred=barred)


def _reach(draw: _Draw) -> int:
    return draw.between(1, 3_000)


def _off(draw: _Draw) -> int:
    return draw.between(1, 900)


def _steps(draw: _Draw, skus: Sequence[str]) -> Benefit:
    reach, off = _reach(draw), _off(draw)
    return AmountOff(steps=(Step(reach, off), Step(reach * 2, off * 2 + 5)))


def _every(draw: _Draw, skus: Sequence[str]) -> Benefit:
    steps = (Step(draw.between(20, 3_000), draw.between(1, 15)),)
    return AmountOff(steps=steps, every=True, cap=draw.one_of([0, 40]))


def _percent_by_amount(draw: _Draw, skus: Sequence[str]) -> Benefit:
    reach = _reach(draw)
    return PercentOff(steps=(Step(reach, draw.between(1, 2_000)), Step(reach * 2, 3_000)), measure=Measure.AMOUNT)


def _bundle(draw: _Draw, skus: Sequence[str]) -> Benefit:
    return Bundle(parts=tuple(Part(sku, draw.between(1, 2)) for sku in draw.some(skus, 2)), price=_off(draw))


def _gift(draw: _Draw, skus: Sequence[str]) -> Benefit:
    measure = draw.one_of([Measure.AMOUNT, Measure.PIECES])
    reach = draw.between(1, 4) if measure is Measure.PIECES else _reach(draw)
    sku, quantity = draw.one_of(skus), draw.between(1, 2)
    return Gift(sku=sku, reach=reach, quantity=quantity, every=draw.chance(50), measure=measure)


def _member_price(draw: _Draw, skus: Sequence[str]) -> Benefit:
    return MemberPrice(prices=tuple((sku, draw.between(1, 200)) for sku in draw.some(skus, 2)))


BENEFITS: Sequence[Callable[[_Draw, Sequence[str]], Benefit]] = (
    lambda draw, _: amount_off(_reach(draw), _off(draw)),
    lambda draw, _: amount_off(draw.between(1, 4), _off(draw), measure=Measure.PIECES),
    lambda draw, _: percent_off(draw.between(1, 6_000), reach=draw.between(1, 3)),
    lambda draw, _: percent_off(draw.between(1, 9_000), cap=_off(draw)),
    lambda draw, _: NForM(take=3, pay=draw.between(1, 2)),
    lambda draw, _: NthPiece(nth=draw.between(2, 3), off=draw.between(1, 10_000)),
    lambda draw, _: FreeShipping(reach=_reach(draw)),
    lambda draw, _: PointsOff(points=draw.one_of([1, 10]), share=draw.one_of([1_000, 5_000])),
    _steps,
    _every,
    _percent_by_amount,
    _bundle,
    _gift,
    _member_price,
)


def _main() -> None:
    lines = {
        name: [json.dumps(prices_of(sale(seed, size)), separators=(",", ":")) for seed in range(count)]
        for name, (size, count) in SALES.items()
    }
    kept = [f'"{name}": [\n' + ",\n".join(each) + "\n]" for name, each in lines.items()]
    print("{\n" + ",\n".join(kept) + "\n}")


if __name__ == "__main__":
    _main()
