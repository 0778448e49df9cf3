"""The published words and the engine agree: what a sentence says is read back from it, and carts at and just under each
boundary that it states are priced. The engine never sees the reading, and the reading never sees the definition."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.offer.festivals import START, version
from tests.offer.pricing.sentences import Reading, audiences, fen, read_chinese, read_english, window
from tests.offer.promotions import festival, promotion
from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Benefit,
    Bundle,
    Earning,
    FreeShipping,
    Gift,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    Part,
    PercentOff,
    PhaseName,
    PointsOff,
    Promotion,
    PromotionLimits,
    Shipping,
    Step,
)
from tidegate.offer.campaign.promotion_terms import PromotionTerms, promotion_terms
from tidegate.offer.campaign.terms import statements
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder
from tidegate.offer.pricing.rules import compile_rules, price_order

FEE = 777
POINTS = 10**6
PRICES = st.fixed_dictionaries({"A": st.integers(100, 9_000), "B": st.integers(100, 9_000), "G": st.just(100)})
MEASURES = st.sampled_from(Measure)


@st.composite
def _steps(draw: st.DrawFn, offs: st.SearchStrategy[int], most: int) -> tuple[Measure, tuple[Step, ...]]:
    count, measure = draw(st.integers(1, most)), draw(MEASURES)
    off = sorted(draw(st.sets(offs, min_size=count, max_size=count)))
    reach = st.integers(max(off) + 1, 40_000) if measure is Measure.AMOUNT else st.integers(2, 30)
    reaches = sorted(draw(st.sets(reach, min_size=count, max_size=count)))
    return measure, tuple(map(Step, reaches, off))


@st.composite
def _amount_off(draw: st.DrawFn) -> AmountOff:
    every = draw(st.booleans())
    measure, steps = draw(_steps(st.integers(1, 150), 1 if every else 3))
    cap = draw(st.just(0) | st.integers(steps[0].off, 5 * steps[0].off)) if every else 0
    return AmountOff(steps=steps, measure=measure, every=every, cap=cap)


@st.composite
def _percent_off(draw: st.DrawFn) -> PercentOff:
    measure, steps = draw(_steps(st.integers(1, 9_000), 3))
    return PercentOff(steps=steps, measure=measure, cap=draw(st.just(0) | st.integers(1, 9_000)))


BENEFITS: st.SearchStrategy[Benefit] = st.one_of(
    _amount_off(),
    _percent_off(),
    st.integers(2, 9).flatmap(lambda take: st.builds(NForM, take=st.just(take), pay=st.integers(1, take - 1))),
    st.builds(NthPiece, nth=st.integers(2, 9), off=st.integers(1, 9_999)),
    st.builds(
        Bundle,
        parts=st.tuples(st.integers(1, 3).map(partial(Part, "A")), st.integers(1, 3).map(partial(Part, "B"))),
        price=st.integers(100, 199),
    ),
    st.builds(MemberPrice, prices=st.integers(1, 99).map(lambda price: (("A", price),))),
    st.builds(
        Gift,
        sku=st.just("G"),
        reach=st.integers(2, 90),
        quantity=st.integers(1, 9),
        measure=MEASURES,
        every=st.booleans(),
    ),
    st.just(FreeShipping()),
    st.builds(FreeShipping, reach=st.integers(1, 40), measure=MEASURES),
    st.builds(PointsOff, points=st.integers(1, 50), share=st.integers(1, 10_000)),
)


@st.composite
def promotions(draw: st.DrawFn) -> Promotion:
    """One promotion with its audience, its window and its limit of times."""
    benefit = draw(BENEFITS)
    several = isinstance(benefit, NForM | NthPiece | Bundle) or (isinstance(benefit, AmountOff) and benefit.every)
    some = st.sets(st.sampled_from([Audience.NEW, Audience.RETURNING, Audience.MEMBERS]), min_size=1, max_size=2)
    who = some if isinstance(benefit, MemberPrice) else st.just(set[Audience]()) | some
    span = draw(st.tuples(st.none() | st.integers(0, 3_600), st.none() | st.integers(3_601, 9_000)))
    starts_at, ends_at = (None if each is None else START + timedelta(seconds=each) for each in span)
    return promotion(
        "P",
        benefit,
        audience=tuple(sorted(draw(who))),
        starts_at=starts_at,
        ends_at=ends_at,
        limits=PromotionLimits(per_order=draw(st.integers(0, 3)) if several else 0),
    )


class Shop:
    """A festival with one promotion, its published words, and orders of it."""

    def __init__(self, prices: dict[str, int], made: Promotion) -> None:
        self.prices = prices
        definition = festival(prices, [made], shipping=Shipping(fee=FEE, free_from=None))
        burst = definition.phase(PhaseName.BURST)
        self.opens_at, self.closes_at = burst.starts_at, burst.ends_at
        self.terms: PromotionTerms = promotion_terms(definition, Wording(definition))[0]
        self._rules = compile_rules(version(definition))

    def order(self, quantities: dict[str, int], facts: Facts) -> PricedOrder:
        """The engine's price."""
        cart = Cart(tuple(CartLine(sku, units) for sku, units in quantities.items() if units))
        return price_order(self._rules, cart, facts)

    def pieces(self, quantities: dict[str, int]) -> list[int]:
        """The prices of all pieces, dearest first."""
        return sorted((self.prices[sku] for sku, units in quantities.items() for _ in range(units)), reverse=True)


def up(amount: int, share: int) -> int:
    """A part in basis points, in the buyer's favour."""
    return -(-amount * share // 10_000)


def times_of(shop: Shop) -> int:
    """How often in one order, as the sentences say; 0: as often as it fits."""
    english = [each.en for each in shop.terms.words if each.en.endswith("in one order.")]
    chinese = [each.zh for each in shop.terms.words if each.zh.startswith("每个订单最多享受")]
    found = [int("".join(filter(str.isdigit, said))) for said in (*english, *chinese)]
    assert len(set(found)) <= 1
    return found[0] if found else 0


def taken_off(reading: Reading, shop: Shop, quantities: dict[str, int], times: int) -> tuple[int, int]:
    """What the words take off the goods, and how many gifts they give."""
    pieces = shop.pieces(quantities)
    total = sum(pieces)
    reached = [
        (off, (len(pieces) if what.pieces else total) // what.amount)
        for what, off in reading.offs
        if (len(pieces) if what.pieces else total) >= what.amount
    ]
    off = gifts = 0
    match reading.kind:
        case "amount_off" if reading.every:
            often = reached[0][1] if reached else 0
            off = (min(often, times) if times else often) * reading.offs[0][1]
        case "amount_off":
            off = reached[-1][0] if reached else 0
        case "percent_off":
            off = up(total, reached[-1][0]) if reached else 0
        case "n_for_m" | "nth_piece":
            off = _grouped(reading, pieces, times)
        case "points_off":
            off = min(total * reading.share // 10_000, POINTS * reading.price // reading.group, total - 1)
        case "member_price":
            off = quantities.get("A", 0) * max(shop.prices["A"] - reading.price, 0)
        case "bundle":
            whole = min(quantities.get(sku, 0) // units for sku, units in reading.parts)
            alone = sum(shop.prices[sku] * units for sku, units in reading.parts)
            off = (min(whole, times) if times else whole) * max(alone - reading.price, 0)
        case "gift" if reached:
            gifts = (reached[0][1] if reading.every else 1) * reached[0][0]
    return min(off, reading.cap) if reading.cap else off, gifts


def _grouped(reading: Reading, pieces: list[int], times: int) -> int:
    """What the cheapest of each whole group, dearest first, cost less."""
    whole = len(pieces) - len(pieces) % reading.group
    groups = [pieces[at : at + reading.group] for at in range(0, whole, reading.group)]
    less = groups[:times] if times else groups
    if reading.kind == "n_for_m":
        return sum(sum(each[reading.paid :]) for each in less)
    return sum(up(each[-1], reading.share) for each in less)


def boundaries(reading: Reading, shop: Shop, times: int) -> Iterator[dict[str, int]]:
    """Carts at each boundary that the words state, one piece under it, and around where a cap or a limit stops it."""
    price = shop.prices["A"]
    for what, _ in reading.offs:
        for often in {1, 2, max(times, 1), times + 1}:
            at = -(-what.amount * often // (1 if what.pieces else price))
            yield from ({"A": units} for units in (at - 1, at, at + 1) if units > 0)
    if reading.group and reading.kind != "points_off":
        for often in {1, 2, times + 1}:
            at = reading.group * often
            yield from ({"A": units} for units in (at - 1, at))
            yield {"A": at - 1, "B": 1}
    if reading.parts:
        for often in {1, 2, times + 1}:
            whole = {sku: units * often for sku, units in reading.parts}
            yield from (whole, whole | {"A": whole["A"] - 1}, whole | {"B": whole["B"] + 1})
    yield from ({"A": 1}, {"A": 2, "B": 3})


@settings(max_examples=300, deadline=None)
@given(PRICES, promotions())
def test_carts_at_and_just_under_each_stated_boundary_cost_what_the_words_say(
    prices: dict[str, int], made: Promotion
) -> None:
    shop = Shop(prices, made)
    reading = read_english(shop.terms.words[0].en)
    assert read_chinese(shop.terms.words[0].zh) == reading
    event(reading.kind)
    at = 1 if reading.kind in {"member_price", "bundle"} else 0  # these name their goods themselves
    chinese, english = audiences(shop.terms.words[2 - at])
    assert chinese == english
    now = (window(shop.terms.words[3 - at].en) or [shop.opens_at])[0]
    times = times_of(shop)
    facts = Facts(now=_within(shop, now), audience=english or None, points=POINTS)
    for quantities in boundaries(reading, shop, times):
        order = shop.order(quantities, facts)
        off, gifts = taken_off(reading, shop, quantities, times)
        plain = sum(shop.pieces(quantities))
        assert plain - (order.total - order.shipping) == off, quantities
        assert sum(each.units for each in order.gifts) == gifts, quantities
        assert order.shipping == (0 if _ships_free(reading, shop, quantities) else FEE), quantities


def _within(shop: Shop, moment: datetime) -> datetime:
    """A moment that the window holds: its start, or just before its end where only that is stated."""
    when = next((each.en for each in shop.terms.words if each.en.startswith("From the start of the sale until")), None)
    return shop.opens_at if when else moment


def _ships_free(reading: Reading, shop: Shop, quantities: dict[str, int]) -> bool:
    if reading.kind != "free_shipping":
        return False
    pieces = shop.pieces(quantities)
    return all((len(pieces) if what.pieces else sum(pieces)) >= what.amount for what, _ in reading.offs)


@settings(max_examples=150, deadline=None)
@given(promotions())
def test_it_applies_exactly_to_whom_and_when_the_words_say(made: Promotion) -> None:
    made = msgspec.structs.replace(made, benefit=AmountOff(steps=(Step(100, 1),)), limits=PromotionLimits())
    shop = Shop({"A": 1_000, "B": 1_000, "G": 100}, made)
    who, when = shop.terms.words[2], shop.terms.words[3]
    chinese, english = audiences(who)
    assert chinese == english
    assert window(when.zh) == window(when.en)
    moments = window(when.en)
    first = shop.opens_at if "the start of the sale" in when.en or not moments else moments[0]
    last = shop.closes_at if "the end of the sale" in when.en or not moments else moments[-1]
    second = timedelta(seconds=1)
    for audience in (None, *map(frozenset, ([Audience.NEW], [Audience.RETURNING], [Audience.NEW, Audience.MEMBERS]))):
        is_meant = not english or bool(english & (audience or frozenset()))
        for now, is_time in ((first, True), (last - second, True), (first - second, False), (last, False)):
            if not shop.opens_at <= now < shop.closes_at:
                continue  # nothing is sold then
            order = shop.order({"A": 1}, Facts(now=now, audience=audience))
            assert (order.discount_total == 1) == (is_meant and is_time), (audience, now)


@settings(deadline=None)
@given(st.integers(1, 5_000), st.integers(100, 9_000), st.integers(1, 500), st.integers(1, 90), st.integers(0, 400))
def test_shipping_and_earned_points_come_as_the_rules_say(
    fee: int, free_from: int, paid: int, points: int, most: int
) -> None:
    definition = msgspec.structs.replace(
        festival({"A": 100}, [], shipping=Shipping(fee=fee, free_from=free_from)),
        earning=Earning(paid=paid, points=points, per_order=most),
    )
    said, rules = statements(version(definition)), compile_rules(version(definition))
    costs, earns = said["shipping"], said["points"]
    (fee_said, free_said), (per,) = _amounts(costs.en), _amounts(earns.en)
    each, *cap = _points(earns.en)
    assert (_amounts(costs.zh), _amounts(earns.zh), _points(earns.zh)) == ([fee_said, free_said], [per], [each, *cap])
    free_at = -(-free_said // 100)
    for units in {free_at, max(free_at - 1, 1), 1, -(-per // 100), 2 * per // 100 + 1}:
        order = price_order(rules, Cart((CartLine("A", units),)))
        assert order.shipping == (0 if units * 100 >= free_said else fee_said)
        assert order.points_earned == min([units * 100 // per * each, *cap])


def _amounts(said: str) -> list[int]:
    return [fen(found) for found in re.findall(r"(?:CN)?¥[\d,]+\.\d\d", said)]


def _points(said: str) -> list[int]:
    return [int(found) for found in re.findall(r"(\d+) (?:points?|积分)", said)]
