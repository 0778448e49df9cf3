"""A benefit that is said to give as much as another gives no cart less, by the engine that prices orders."""

from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import START
from tests.offer.promotions import priced, promotion, rules_of
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Benefit,
    Bundle,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    Part,
    PercentOff,
    Step,
)
from tidegate.offer.law.benefit_changes import gives_as_much

PRICES = {"A": 700, "B": 300}
MEASURES = st.sampled_from(Measure)
CAPS = st.sampled_from((0, 150, 400))


@st.composite
def steps(draw: st.DrawFn, most: int) -> tuple[Step, ...]:
    """One to three steps, by reach and by what they take off, up to `most`."""
    count = draw(st.integers(1, 3))
    reaches = sorted(draw(st.sets(st.integers(1, 6), min_size=count, max_size=count)))
    offs = sorted(draw(st.sets(st.integers(1, 6), min_size=count, max_size=count)))
    return tuple(Step(reach, off * most // 6) for reach, off in zip(reaches, offs, strict=True))


def by_hundreds(benefit: AmountOff) -> AmountOff:
    """The same with its reaches in hundreds, where an amount of money is measured."""
    scale = 300 if benefit.measure is Measure.AMOUNT else 1
    scaled = tuple(Step(step.reach * scale, step.off) for step in benefit.steps)
    return AmountOff(steps=scaled, measure=benefit.measure, every=benefit.every, cap=benefit.cap)


ONCE = st.builds(AmountOff, steps=steps(300), measure=MEASURES).map(by_hundreds)
AGAIN = st.builds(
    AmountOff,
    steps=st.tuples(st.builds(Step, st.integers(1, 4), st.integers(1, 120))),
    measure=MEASURES,
    every=st.just(value=True),
    cap=CAPS,
).map(by_hundreds)
PERCENT = st.builds(PercentOff, steps=steps(6_000), measure=st.just(Measure.PIECES), cap=CAPS)
N_FOR_M = st.integers(2, 5).flatmap(lambda take: st.builds(NForM, take=st.just(take), pay=st.integers(1, take - 1)))
NTH = st.builds(NthPiece, nth=st.integers(2, 4), off=st.integers(1, 4).map(lambda each: each * 2_500))
BUNDLE = st.builds(Bundle, parts=st.just((Part("A", 1), Part("B", 1))), price=st.integers(1, 9).map(lambda x: x * 100))
MEMBER = st.dictionaries(st.sampled_from("AB"), st.integers(1, 7).map(lambda x: x * 100), min_size=1).map(
    lambda prices: MemberPrice(prices=tuple(sorted(prices.items())))
)
PAIRS = st.one_of(*(st.tuples(kind, kind) for kind in (ONCE, AGAIN, PERCENT, N_FOR_M, NTH, BUNDLE, MEMBER)))
CARTS = [{"A": a, "B": b} for a in range(5) for b in range(7) if a + b]


@given(PAIRS)
def test_what_is_said_to_give_as_much_takes_no_more_of_anybody(pair: tuple[Benefit, Benefit]) -> None:
    before, after = pair
    if gives_as_much(before, after, START):
        old, new = (rules_of(PRICES, [promotion("p", benefit)]) for benefit in pair)
        for cart in CARTS:
            bought = {sku: count for sku, count in cart.items() if count}
            assert priced(new, bought).total <= priced(old, bought).total, bought
