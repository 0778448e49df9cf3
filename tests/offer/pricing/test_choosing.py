"""The chosen combination is the best of all, found by brute force on small carts; on large ones the regret is true."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.offer.promotions import FACTS, amount_off, cart_of, entry, percent_off, platform, priced, promotion, rules_of
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Benefit,
    Bundle,
    FreeShipping,
    Layer,
    NForM,
    NthPiece,
    Part,
    Promotion,
    Shipping,
    Step,
)
from tidegate.offer.pricing import choosing
from tidegate.offer.pricing.applying import Chosen, apply_all
from tidegate.offer.pricing.book import Book, Rule, Stage
from tidegate.offer.pricing.contracts import PricedOrder, RuleSet
from tidegate.offer.pricing.engine import settle

SKUS = "ABCD"


def combinations_of(book: Book, rows: list[tuple[Rule, list[int]]]) -> Iterator[Chosen]:
    """Every way in which rules can share the lines: each rule has some of its contested lines and all the others."""
    contested = [
        {place for other, at in rows if book.foes(rule) >> other.bit & 1 for place in at if place in places}
        for rule, places in rows
    ]
    ways = []
    for (_, places), disputed in zip(rows, contested, strict=True):
        own = set(places) - disputed
        kept = [own | set(some) for size in range(len(disputed) + 1) for some in combinations(sorted(disputed), size)]
        ways.append([*kept, set()] if own else kept)
    for way in product(*ways):
        chosen = [(row[0], sorted(at)) for row, at in zip(rows, way, strict=True) if at]
        if all(
            not book.foes(one) >> other.bit & 1 or set(at).isdisjoint(there)
            for (one, at), (other, there) in combinations(chosen, 2)
        ):
            yield chosen


def best_by_brute_force(rules: RuleSet, quantities: dict[str, int]) -> int:
    """The lowest total that any combination reaches."""
    assert rules.book is not None
    taken = [(rules.offers[sku], quantities[sku]) for sku in sorted(quantities)]
    settled = settle(rules, rules.book, taken, cart_of(quantities), FACTS)
    rows = [(rule, settled.rows[rule]) for rule in sorted(settled.rows, key=lambda rule: rule.bit)]
    goods = [row for row in rows if row[0].stage <= Stage.PLATFORM]
    freeing = [row for row in rows if row[0].stage is Stage.SHIPPING]
    frame, best = settled.frame, None
    for chosen in combinations_of(rules.book, goods):
        done, left = apply_all(frame, chosen)
        at_work = [(each.rule, each.places) for each in done]
        if not all(is_whole(rules.book, rule, settled.rows[rule], places, at_work) for rule, places in at_work):
            continue
        free = any(
            rule.reckoner and rule.reckoner.reckon(at, left, frame.units)[0]
            for rule, at in freeing
            if not any(rules.book.foes(rule) >> other.bit & 1 and set(at) & set(places) for other, places in at_work)
        )
        total = sum(left) + (0 if free else rules.shipping.amount)
        best = total if best is None else min(best, total)
    assert best is not None
    return best


def is_whole(book: Book, rule: Rule, every: list[int], places: Sequence[int], chosen: Chosen) -> bool:
    """Whether a rule has all its lines but those of rivals."""
    held = {place for other, at in chosen if book.foes(rule) >> other.bit & 1 for place in at}
    return set(every) - set(places) <= held


@st.composite
def benefits(draw: st.DrawFn) -> Benefit:
    """Any benefit that takes money off goods."""
    reach, off = draw(st.integers(1, 300)), draw(st.integers(1, 120))
    kinds: list[Benefit] = [
        amount_off(reach, off),
        AmountOff(steps=(Step(reach, off), Step(reach * 2, off * 2 + 5))),
        AmountOff(steps=(Step(max(reach, 20), min(off, 15)),), every=True),
        percent_off(draw(st.integers(1, 6_000)), reach=draw(st.integers(1, 3))),
        percent_off(draw(st.integers(1, 9_000)), cap=off),
        NForM(take=3, pay=2),
        NthPiece(nth=2, off=5_000),
        Bundle(parts=(Part("A", 1), Part("B", 1)), price=off),
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def promotions(draw: st.DrawFn, count: int = 4) -> list[Promotion]:
    """Some promotions that exclude each other in every way, on goods that overlap."""
    return [
        promotion(
            f"P{number}",
            draw(benefits()),
            skus=draw(st.lists(st.sampled_from(SKUS), max_size=3, unique=True)),
            layer=draw(st.sampled_from([Layer.SHOP, Layer.SHOP, Layer.PLATFORM])),
            group=draw(st.sampled_from(["", "g", "h"])),
            priority=draw(st.integers(0, 3)),
            stacks_with=draw(st.sampled_from([None, None, None, (), ("g",), ("P0", "P2")])),
        )
        for number in range(draw(st.integers(1, count)))
    ]


PRICES = st.fixed_dictionaries({sku: st.integers(1, 150) for sku in SKUS})
QUANTITIES = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)


@settings(max_examples=300)
@given(PRICES, promotions(), QUANTITIES, st.sampled_from([0, 40]), st.sampled_from([0, 30]))
def test_no_combination_is_better(
    prices: dict[str, int], listed: list[Promotion], quantities: dict[str, int], floor: int, fee: int
) -> None:
    entries = [entry(sku, price, floor=min(floor, price)) for sku, price in prices.items()]
    freeing = [promotion("F", FreeShipping(reach=200))]
    rules = rules_of(prices, [*listed, *freeing], entries=entries, shipping=Shipping(fee=fee, free_from=None))
    order = priced(rules, quantities)
    best = best_by_brute_force(rules, quantities)
    assert best <= order.total <= best + order.regret


def chosen_of(order: PricedOrder) -> list[str]:
    return [each.promotion for each in order.reductions]


def test_a_small_reduction_gives_way_where_it_would_cost_a_greater_one() -> None:
    listed = [promotion("S", amount_off(100, 100)), platform("P", amount_off(30_000, 5_000))]
    rules = rules_of({"A": 30_000, "B": 30_050}, listed)
    assert chosen_of(priced(rules, {"A": 1})) == ["P"]
    assert chosen_of(priced(rules, {"B": 1})) == ["P"]
    assert chosen_of(priced(rules, {"A": 1, "B": 1})) == ["S", "P"]


def test_a_line_goes_to_the_promotion_that_does_more_with_it() -> None:
    """10 % of everything and 20 % of one product exclude each other: each has the lines on which it is better."""
    listed = [
        promotion("ALL", percent_off(1_000), group="g"),
        promotion("ONE", percent_off(2_000), skus=["A"], group="g"),
    ]
    order = priced(rules_of({"A": 10_000, "B": 10_000}, listed), {"A": 1, "B": 1})
    assert [(each.promotion, each.lines) for each in order.reductions] == [
        ("ALL", (("B", 1_000),)),
        ("ONE", (("A", 2_000),)),
    ]


def test_stacking_is_only_with_who_is_named() -> None:
    listed = [
        promotion("A1", amount_off(1, 500), stacks_with=("B1",)),
        promotion("B1", amount_off(1, 400)),
        promotion("C1", amount_off(1, 300)),
    ]
    assert chosen_of(priced(rules_of({"A": 10_000}, listed), {"A": 1})) == ["A1", "B1"]


def test_equals_are_decided_by_priority_and_id() -> None:
    same = [promotion(name, amount_off(1, 500), group="g", priority=at) for name, at in (("Z", 1), ("B", 2), ("A", 2))]
    assert chosen_of(priced(rules_of({"A": 10_000}, same), {"A": 1})) == ["Z"]
    assert chosen_of(priced(rules_of({"A": 10_000}, same[1:]), {"A": 1})) == ["A"]


@pytest.fixture
def crowded() -> RuleSet:
    """Rivals enough that no search can prove anything: 30 promotions of three groups on 12 products."""
    prices = {f"S-{number:02}": 1_000 + 137 * number for number in range(12)}
    skus = list(prices)
    listed = [
        promotion(
            f"P-{number:02}",
            amount_off(900 * (1 + number % 5), 90 + 31 * (number % 7)),
            skus=[skus[(number * 5 + step * (1 + number % 3)) % 12] for step in range(5)],
            group="ghi"[number % 3],
            layer=Layer.PLATFORM if number % 4 == 0 else Layer.SHOP,
        )
        for number in range(30)
    ]
    return rules_of(prices, listed)


def test_where_the_work_ends_the_regret_is_stated(crowded: RuleSet, monkeypatch: pytest.MonkeyPatch) -> None:
    quantities = dict.fromkeys(crowded.offers, 1)
    short = priced(crowded, quantities)
    monkeypatch.setattr(choosing, "WORK_MAX", 400_000)
    long = priced(crowded, quantities)
    assert short.regret > 0
    assert long.total <= short.total
    assert short.total - short.regret <= long.total
    assert priced(crowded, quantities) == long


def test_a_floor_decides_between_rivals_also_where_too_many_rules_compete_to_be_searched_together() -> None:
    """By what it promises ONE is better; the floor of A leaves it 50, so that BOTH is taken."""
    crowd = {f"S-{number:02}": 1_000 for number in range(choosing.SEARCHED_MAX)}
    listed = [
        promotion("ONE", amount_off(1, 500), skus=["A"], group="g"),
        promotion("BOTH", amount_off(1_500, 400), skus=["A", "B"], group="g"),
        *(promotion(f"P-{sku}", amount_off(1, 10), skus=[sku]) for sku in crowd),
    ]
    prices = {"A": 1_000, "B": 1_000, **crowd}
    goods = [entry(sku, price, floor=950 if sku == "A" else 0) for sku, price in prices.items()]
    order = priced(rules_of(prices, listed, entries=goods), dict.fromkeys(prices, 1))
    assert "BOTH" in chosen_of(order)
    assert "ONE" not in chosen_of(order)
    assert order.discount_total == 400 + 10 * choosing.SEARCHED_MAX
