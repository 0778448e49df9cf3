"""The chosen combination is the best of all, found by brute force on small carts; on large ones the regret is true.

What it takes off is in all of them what the plain reference says that these rules take off.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.offer.pricing import reference
from tests.offer.pricing.festivals_at_random import LARGE, SMALL, Size, sale
from tests.offer.pricing.reference import Chosen
from tests.offer.promotions import FACTS, amount_off, cart_of, entry, percent_off, platform, priced, promotion, rules_of
from tidegate.base.errors import Refusal
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
from tidegate.offer.pricing import kernel
from tidegate.offer.pricing.book import Book, Rule, Stage
from tidegate.offer.pricing.carts import take_offers
from tidegate.offer.pricing.contracts import Cart, Facts, GivenGift, PricedOrder, RuleSet
from tidegate.offer.pricing.engine import Settled, settle
from tidegate.offer.pricing.matching import allowed
from tidegate.offer.pricing.rules import price_order

SKUS = "ABCD"


def combinations_of(book: Book, rows: Chosen) -> Iterator[Chosen]:
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
    mask = allowed(rules.book, FACTS, None)
    goods = reference.goods_of(rules.book, taken, mask, frozenset())
    rows = reference.rows_of(rules.book, taken, mask, goods)
    at_most = dict(rows)
    freeing = [row for row in rows if row[0].stage is Stage.SHIPPING]
    best = None
    for chosen in combinations_of(rules.book, [row for row in rows if row[0].stage <= Stage.PLATFORM]):
        done, left = reference.apply_all(goods, chosen)
        at_work = [(each.rule, each.places) for each in done]
        if not all(is_whole(rules.book, rule, at_most[rule], places, at_work) for rule, places in at_work):
            continue
        total = sum(left) + reference.shipping(rules, goods, freeing, left, at_work)[0]
        best = total if best is None else min(best, total)
    assert best is not None
    return best


def is_whole(book: Book, rule: Rule, every: Sequence[int], places: Sequence[int], chosen: Chosen) -> bool:
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
    order = assert_as_the_reference_says(rules, cart_of(quantities), FACTS)
    best = best_by_brute_force(rules, quantities)
    assert best <= order.total <= best + order.regret


def settled_of(rules: RuleSet, cart: Cart, facts: Facts) -> Settled:
    """What the engine decided."""
    assert rules.book is not None
    return settle(rules.book, take_offers(rules, cart), cart, facts, allowed(rules.book, facts, cart.coupon))


def assert_as_the_reference_says(rules: RuleSet, cart: Cart, facts: Facts) -> PricedOrder:
    """Price a cart, and hold the order to what the reference says of the rules that were chosen."""
    book, order, settled = rules.book, price_order(rules, cart, facts), settled_of(rules, cart, facts)
    assert book is not None
    taken, mask = settled.taken, allowed(book, facts, cart.coupon)
    goods = reference.goods_of(book, taken, mask, settled.barred)
    rows = reference.rows_of(book, taken, mask, goods)
    reckoned = [(rule, bytes(at), reference.reckon(rule, at, goods.base, goods.units)[0]) for rule, at in rows]
    assert reckoned == [(rule, row.places, row.off) for rule, row in settled.rows.items()]
    open_rows = [row for row in rows if row[0].id not in settled.barred]
    chosen = [(book.rules[bit], list(at)) for bit, at in settled.decided.applied]
    assert_may_be_chosen(book, dict(open_rows), chosen)
    done, left = reference.apply_all(goods, chosen)
    assert [(each.rule, each.places) for each in done] == chosen
    freeing = [row for row in open_rows if row[0].stage is Stage.SHIPPING]
    fee, freed_by = reference.shipping(rules, goods, freeing, left, chosen)
    assert (order.shipping, settled.decided.freed_by) == (fee, freed_by.bit if freed_by else -1)
    paying = [row for row in open_rows if row[0].stage is Stage.POINTS]
    points = reference.spend_points(book, goods, paying, facts, done, left)
    assert_written_down(book, order, [*done, points] if points else done)
    assert [each.payable for each in order.lines if each.quantity > each.gifts] == left
    assert order.total == sum(left) + fee
    return order


def assert_may_be_chosen(book: Book, rows: dict[Rule, Sequence[int]], chosen: Chosen) -> None:
    """Each rule stands once, in its turn, with lines of its own that no rival has."""
    assert [rule.bit for rule, _ in chosen] == sorted({rule.bit for rule, _ in chosen})
    for rule, places in chosen:
        assert set(places) <= set(rows[rule])
    for (one, at), (other, there) in combinations(chosen, 2):
        assert not book.foes(one) >> other.bit & 1 or set(at).isdisjoint(there)


def assert_written_down(book: Book, order: PricedOrder, effects: Sequence[reference.Effect]) -> None:
    """The order's reductions and gifts are these effects."""
    lines = [line for line in order.lines if line.quantity > line.gifts]
    skus, shops = [line.sku for line in lines], [book.kept[line.sku].shop for line in lines]
    reductions = [each for each in effects if not each.rule.gift]
    assert [(x.promotion, x.amount, x.times, x.given_up) for x in order.reductions] == [
        (each.rule.id, each.off, each.times, each.given_up) for each in reductions
    ]
    assert [x.lines for x in order.reductions] == [
        tuple((skus[place], part) for place, part in zip(each.places, each.parts, strict=True) if part)
        for each in reductions
    ]
    assert [x.borne for x in order.reductions] == [reference.borne(shops, each) for each in reductions]
    assert order.gifts == tuple(
        GivenGift(each.rule.id, gift.sku, each.off, book.values[gift.sku], tuple(skus[place] for place in each.places))
        for each in effects
        if (gift := each.rule.gift)
    )


@settings(max_examples=150)
@given(st.integers(0, 10**6), st.sampled_from([SMALL, LARGE, Size(2, 30, 20)]))
def test_what_is_chosen_takes_off_what_the_reference_says(seed: int, size: Size) -> None:
    rules, asked = sale(seed, size)
    for cart, facts in asked:
        with suppress(Refusal):
            assert_as_the_reference_says(rules, cart, facts)


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
    monkeypatch.setattr(kernel, "WORK_MAX", 400_000)
    long = priced(crowded, quantities)
    assert short.regret > 0
    assert long.total <= short.total
    assert short.total - short.regret <= long.total
    assert priced(crowded, quantities) == long


def test_a_floor_decides_between_rivals_also_where_too_many_rules_compete_to_be_searched_together() -> None:
    """By what it promises ONE is better; the floor of A leaves it 50, so that BOTH is taken."""
    crowd = {f"S-{number:02}": 1_000 for number in range(kernel.SEARCHED_MAX)}
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
    assert order.discount_total == 400 + 10 * kernel.SEARCHED_MAX
