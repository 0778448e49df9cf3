"""Promotions of every kind and shape, as Hypothesis makes them: each one can be read from a file and has no faults.

Names, labels and ids hold no digits, so that every figure in a sentence comes from the definition's figures.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from tests.offer.festivals import START, definition
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Bearer,
    Benefit,
    Bundle,
    CampaignDefinition,
    Coupon,
    FreeShipping,
    Gift,
    GoodsEntry,
    Layer,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    Offer,
    OfferKind,
    Part,
    PercentOff,
    PointsOff,
    Promotion,
    PromotionLimits,
    Selection,
    Step,
    Words,
)
from tidegate.offer.campaign.promotions import LAYERS, kind_of

SKUS = ("A", "B", "C", "D", "E", "F", "G")
PRICE = 50_000
WORDS = st.builds(
    Words,
    st.text("满减优惠，“”、【】", min_size=1, max_size=8),
    st.text("abc \"\\'#=", min_size=1, max_size=8).map("w{}w".format),
)
AMOUNTS = st.integers(1, 10_000_000)
SHARES = st.integers(1, 9_999)
COUNTS = st.integers(1, 100_000)


def shop() -> tuple[tuple[GoodsEntry, ...], tuple[Offer, ...], tuple[Coupon, ...]]:
    """Goods of two categories, brands and shops, all on offer at the same price, and one coupon."""
    goods = tuple(
        GoodsEntry(
            sku=sku,
            name=Words(f"商品{sku}", f"Goods {sku}"),
            description=Words("好", "good"),
            category="kitchen" if place % 2 else "tea",
            brand="Murmur" if place < 4 else "Hillside",
            list_price=2 * PRICE,
            picture="",
            shop="north" if place < 3 else "south",
            floor=place * 100,
            cost=place * 50,
        )
        for place, sku in enumerate(SKUS)
    )
    offers = tuple(
        Offer(sku=sku, kind=OfferKind.DISCOUNT, price=PRICE, quota=10, per_buyer=0, coupons=True) for sku in SKUS
    )
    return goods, offers, (Coupon(code="CODE", threshold=9, off=1, quota=0, per_buyer=0, label=Words("券", "coupon")),)


@st.composite
def _steps(draw: st.DrawFn, offs: st.SearchStrategy[int], *, most: int = 4) -> tuple[Measure, tuple[Step, ...]]:
    count = draw(st.integers(1, most))
    measure = draw(st.sampled_from(Measure))
    off = sorted(draw(st.sets(offs, min_size=count, max_size=count)))
    least = max(off) + 1 if measure is Measure.AMOUNT else 1
    reach = sorted(draw(st.sets(st.integers(least, 20_000_000), min_size=count, max_size=count)))
    return measure, tuple(map(Step, reach, off))


@st.composite
def _amount_off(draw: st.DrawFn) -> AmountOff:
    every = draw(st.booleans())
    measure, steps = draw(_steps(AMOUNTS, most=1 if every else 4))
    cap = draw(st.just(0) | st.integers(steps[0].off, 90_000_000)) if every else 0
    return AmountOff(steps=steps, measure=measure, every=every, cap=cap)


@st.composite
def _percent_off(draw: st.DrawFn) -> PercentOff:
    measure, steps = draw(_steps(SHARES))
    return PercentOff(steps=steps, measure=measure, cap=draw(st.just(0) | AMOUNTS))


@st.composite
def _n_for_m(draw: st.DrawFn) -> NForM:
    take = draw(st.integers(2, 100))
    return NForM(take=take, pay=draw(st.integers(1, take - 1)))


@st.composite
def _bundle(draw: st.DrawFn) -> Bundle:
    skus = draw(st.lists(st.sampled_from(SKUS), min_size=2, max_size=4, unique=True))
    parts = tuple(Part(sku, draw(st.integers(1, 9))) for sku in skus)
    return Bundle(parts=parts, price=draw(st.integers(1, PRICE * sum(part.quantity for part in parts) - 1)))


def _member_price() -> st.SearchStrategy[MemberPrice]:
    prices = st.dictionaries(st.sampled_from(SKUS), st.integers(1, PRICE - 1), min_size=1)
    return prices.map(lambda each: MemberPrice(prices=tuple(each.items())))


BENEFITS: st.SearchStrategy[Benefit] = st.one_of(
    _amount_off(),
    _percent_off(),
    _n_for_m(),
    st.builds(NthPiece, nth=st.integers(2, 100), off=st.integers(1, 10_000)),
    _bundle(),
    _member_price(),
    st.builds(
        Gift,
        sku=st.sampled_from(SKUS),
        reach=AMOUNTS,
        quantity=st.integers(1, 100),
        measure=st.sampled_from(Measure),
        every=st.booleans(),
    ),
    st.just(FreeShipping()),
    st.builds(FreeShipping, reach=AMOUNTS, measure=st.sampled_from(Measure)),
    st.builds(PointsOff, points=st.integers(1, 100_000), share=st.integers(1, 10_000)),
)
SELECTIONS = st.just(Selection()) | st.builds(
    Selection,
    skus=st.lists(st.sampled_from(SKUS), min_size=1, max_size=7, unique=True).map(tuple),
    categories=st.sampled_from([(), ("kitchen",), ("tea", "kitchen")]),
    brands=st.sampled_from([(), ("Murmur",)]),
    shops=st.just(("north", "south")),
    but=st.sampled_from([(), ("A",), SKUS[:6]]),
)


@st.composite
def _limits(draw: st.DrawFn) -> PromotionLimits:
    per_account = draw(st.just(0) | COUNTS)
    per_period = draw(st.just(0) | st.integers(1, per_account or 100_000))
    return PromotionLimits(
        per_order=draw(st.just(0) | COUNTS),
        per_account=per_account,
        per_period=per_period,
        period_days=draw(st.integers(2, 366)) if per_period else 0,
        total=draw(st.just(0) | st.integers(100_000, 10_000_000)),
        budget=draw(st.just(0) | st.integers(10_000_000, 10**11)),
    )


_BEARERS: tuple[tuple[Bearer, ...], ...] = (
    (),
    (Bearer("platform", 10_000),),
    (Bearer("shop", 6_667), Bearer("platform", 3_000), Bearer("channel:card", 333)),
)


@st.composite
def promotions(draw: st.DrawFn, name: str = "p") -> Promotion:
    """One promotion without faults in the shop above."""
    benefit = draw(BENEFITS)
    kind = kind_of(benefit)
    condition = draw(st.sampled_from(["", "points > size(segments)", 'tier == "gold" || audience.exists(x, x == "y")']))
    facts = {"": (), "points > size(segments)": ("points", "segments")}.get(condition, ("tier", "audience"))
    start = draw(st.none() | st.integers(0, 3_600).map(lambda each: START + timedelta(seconds=each)))
    end = draw(st.none() | st.integers(4_000, 3 * 86_400).map(lambda each: START + timedelta(seconds=each)))
    return Promotion(
        id=name,
        label=draw(WORDS),
        benefit=benefit,
        layer=LAYERS.get(kind) or draw(st.sampled_from([Layer.SHOP, Layer.PLATFORM])),
        goods=Selection() if kind in {"bundle", "member_price"} else draw(SELECTIONS),
        starts_at=start,
        ends_at=end,
        audience=draw(st.sampled_from([(Audience.MEMBERS,), (Audience.NEW, Audience.RETURNING)]))
        if kind == "member_price"
        else draw(st.sampled_from([(), (Audience.EVERYONE,), (Audience.NEW, Audience.MEMBERS)])),
        tiers=draw(st.sampled_from([(), ("gold", "silver")])),
        segments=draw(st.sampled_from([(), ("parents",)])),
        condition=condition,
        condition_words=draw(WORDS) if condition else None,
        facts=facts,
        priority=draw(st.integers(0, 1_000_000)),
        coupon=draw(st.sampled_from(["", "CODE"])),
        limits=draw(_limits()),
        bearers=draw(st.sampled_from(_BEARERS)),
    )


@st.composite
def in_company(draw: st.DrawFn) -> tuple[Promotion, ...]:
    """Three promotions: none, some or all in a group, and one that says what it goes together with."""

    first, second, third = draw(promotions("one")), draw(promotions("two")), draw(promotions("three"))
    group = draw(st.sampled_from(["", "group"]))
    company = draw(st.sampled_from([None, (), ("three",)]))
    return (
        msgspec.structs.replace(first, group=group, stacks_with=company),
        msgspec.structs.replace(second, group=group),
        third,
    )


def festival(made: tuple[Promotion, ...]) -> CampaignDefinition:
    """A festival of that shop with these promotions."""
    goods, offers, coupons = shop()
    return msgspec.structs.replace(definition(offers, entries=goods, coupons=coupons), promotions=made)


SOME_TIME = datetime(2027, 1, 1, tzinfo=UTC)
