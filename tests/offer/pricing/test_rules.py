"""The price engine: exact values, the laws that always hold, and the cases that other engines got wrong."""

from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import coupon, definition, goods, limit, offer, version
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition, OfferKind, Shipping
from tidegate.offer.pricing.contracts import LINES_MAX, Cart, CartLine, CounterUse, Facts, PricedOrder, Share, StepKind
from tidegate.offer.pricing.errors import (
    BuyerLimitReached,
    CartFaulty,
    CouponNotApplicable,
    CouponNotValid,
    CouponSavesNothing,
    CouponUsedUp,
    NotOnOffer,
    ThresholdNotMet,
    UnknownGoods,
)
from tidegate.offer.pricing.rules import Counters, compile_rules, price_order, refusal_of

BUYER = UUID(int=7)
FACTS = Facts(buyer=BUYER)


def priced(
    of: CampaignDefinition, *lines: tuple[str, int], code: str | None = None, buyer: UUID | None = BUYER
) -> PricedOrder:
    cart = Cart(tuple(CartLine(sku, quantity) for sku, quantity in lines), code)
    return price_order(compile_rules(version(of)), cart, Facts(buyer=buyer))


def test_every_step_of_an_order_is_explained() -> None:
    festival = definition(
        [offer("KTL-1", 8_000), offer("MUG-1", 3_000, kind=OfferKind.FLASH)],
        coupons=[coupon("TIDE50", threshold=16_000, off=5_000)],
        shipping=Shipping(fee=800, free_from=20_000),
    )
    order = priced(festival, ("KTL-1", 2), ("MUG-1", 1), code=" tide50 ")

    assert [(step.kind, step.rule, step.amount) for step in order.steps] == [
        (StepKind.LIST_PRICE, "list", 30_000),
        (StepKind.OFFER, "KTL-1", -4_000),
        (StepKind.OFFER, "MUG-1", -7_000),
        (StepKind.COUPON, "coupon:TIDE50", -5_000),
        (StepKind.SHIPPING, "shipping", 800),
    ]
    assert (order.goods_total, order.discount_total, order.shipping, order.total) == (19_000, 5_000, 800, 14_800)
    assert [(line.sku, line.discount, line.payable, line.shares) for line in order.lines] == [
        ("KTL-1", 5_000, 11_000, (Share(2, 5_500),)),
        ("MUG-1", 0, 3_000, (Share(1, 3_000),)),
    ]
    assert order.steps[2].label.en == "Flash price: Goods MUG-1"
    assert order.steps[2].label.zh == "秒杀价：商品 MUG-1"


def test_shipping_is_free_from_the_threshold_of_what_is_really_paid() -> None:
    festival = definition(coupons=[coupon(threshold=8_000, off=1_000)], shipping=Shipping(fee=800, free_from=8_000))
    assert priced(festival, ("KTL-1", 1)).shipping == 0
    assert priced(festival, ("KTL-1", 1), code="TIDE50").shipping == 800


@pytest.mark.parametrize("off", [800, 799])
def test_a_coupon_that_costs_as_much_shipping_as_it_takes_off_is_refused(off: int) -> None:
    festival = definition(coupons=[coupon(threshold=8_000, off=off)], shipping=Shipping(fee=800, free_from=8_000))
    with pytest.raises(CouponSavesNothing) as refused:
        priced(festival, ("KTL-1", 1), code="TIDE50")
    assert refused.value.fields == {"coupon": "TIDE50"}
    assert priced(festival, ("KTL-1", 2), code="TIDE50").total == 16_000 - off


@pytest.mark.parametrize(
    ("lines", "code", "refusal"),
    [
        ((), None, CartFaulty),
        ((("KTL-1", 0),), None, CartFaulty),
        ((("KTL-1", -1), ("KTL-1", 3)), None, CartFaulty),
        ((("KTL-1", 10_000),), None, CartFaulty),
        ((("KTL-1", 5_000), ("KTL-1", 5_000)), None, CartFaulty),
        ((("KTL-1", 1),) * (LINES_MAX + 1), None, CartFaulty),
        ((("NONE-1", 1),), None, UnknownGoods),
        ((("OLD-1", 1),), None, NotOnOffer),
        ((("KTL-1", 5),), "NOPE", CouponNotValid),
        ((("FLS-1", 1),), "TIDE50", CouponNotApplicable),
        ((("KTL-1", 1), ("FLS-1", 1)), "TIDE50", ThresholdNotMet),
        ((("FLS-1", 2),), None, BuyerLimitReached),
        ((("KTL-1", 7),), None, BuyerLimitReached),
    ],
)
def test_what_cannot_be_priced_is_refused(
    lines: tuple[tuple[str, int], ...], code: str | None, refusal: type[Refusal]
) -> None:
    festival = definition(
        [offer("KTL-1"), offer("FLS-1", kind=OfferKind.FLASH, per_buyer=1)],
        entries=[goods("KTL-1"), goods("FLS-1"), goods("OLD-1")],
        coupons=[coupon()],
        limits=[limit("kettles", ["KTL-1"], per_buyer=6)],
    )
    for buyer in (BUYER, None):
        with pytest.raises(refusal):
            priced(festival, *lines, code=code, buyer=buyer)


def test_a_missed_threshold_says_how_much_is_missing() -> None:
    with pytest.raises(ThresholdNotMet) as refused:
        priced(definition(coupons=[coupon(threshold=20_000)]), ("KTL-1", 1), code="TIDE50")
    assert refused.value.fields == {"coupon": "TIDE50", "threshold": 20_000, "missing": 12_000}


def test_counters_are_named_by_campaign_rule_and_buyer() -> None:
    festival = definition(
        [offer("A-1", per_buyer=3), offer("B-1")],
        coupons=[coupon(quota=10, per_buyer=1)],
        limits=[limit("pair", ["A-1", "B-1"], per_buyer=4)],
    )
    order = priced(festival, ("B-1", 2), ("A-1", 1), code="TIDE50")
    assert order.counters == (
        CounterUse("double-11/coupon:TIDE50", 1, 10),
        CounterUse(f"double-11/coupon:TIDE50:{BUYER.hex}", 1, 1),
        CounterUse(f"double-11/limit:pair:{BUYER.hex}", 3, 4),
        CounterUse(f"double-11/offer:A-1:{BUYER.hex}", 1, 3),
    )
    assert priced(festival, ("A-1", 3), code="TIDE50", buyer=None).counters == order.counters[:1]
    refusals = [refusal_of(use) for use in order.counters]
    assert [type(refusal) for refusal in refusals] == [CouponUsedUp, CouponUsedUp, BuyerLimitReached, BuyerLimitReached]
    assert refusals[1].detail.startswith("You have used this coupon")
    assert refusals[3].fields == {"sku": "A-1", "limit": 3}


@pytest.mark.parametrize(("off", "paid_less"), [(100, 100), (199, 199)])
def test_a_small_discount_over_200_lines_charges_nobody_more(off: int, paid_less: int) -> None:
    """The case where "the last line takes the rest" charges 1.99 for a line of 1.00, or pays 0.99 out."""
    skus = [f"S-{number:03}" for number in range(200)]
    festival = definition([offer(sku, 100) for sku in skus], coupons=[coupon(threshold=20_000, off=off)])
    order = priced(festival, *((sku, 1) for sku in skus), code="TIDE50")
    assert sum(line.discount == 1 for line in order.lines) == paid_less
    assert {line.discount for line in order.lines} <= {0, 1}
    assert order.total == 20_000 - off


def test_9999_units_are_never_taken_apart() -> None:
    festival = definition([offer("KTL-1", 799)], coupons=[coupon(threshold=10_000, off=5_000)])
    order = priced(festival, ("KTL-1", 9_999), code="TIDE50")
    (line,) = order.lines
    assert line.payable == 799 * 9_999 - 5_000
    assert line.shares == (Share(4_999, 799), Share(5_000, 798))
    assert sum(share.units * share.paid for share in line.shares) == line.payable


@st.composite
def shopping(draw: st.DrawFn) -> tuple[CampaignDefinition, Cart]:
    """Any festival with any cart that it can price."""
    prices = draw(st.lists(st.integers(1, 100_000), min_size=1, max_size=12))
    kinds = [OfferKind.DISCOUNT, *(draw(st.sampled_from(OfferKind)) for _ in prices[1:])]
    offers = [
        offer(f"S-{place}", price, kind=kind) for place, (price, kind) in enumerate(zip(prices, kinds, strict=True))
    ]
    entries = [goods(each.sku, each.price + draw(st.integers(0, 5_000))) for each in offers]
    lines = [CartLine(each.sku, draw(st.integers(1, 60))) for each in offers]
    counted = sum(line.quantity * each.price for line, each in zip(lines, offers, strict=True) if each.coupons)
    with_coupon = counted > 1 and draw(st.booleans())
    off = draw(st.integers(1, max(counted - 1, 1)))
    coupons = [coupon(threshold=draw(st.integers(off + 1, max(counted, off + 1))), off=off)] if with_coupon else []
    fee = draw(st.integers(0, min(off - 1, 2_000) if with_coupon else 2_000))  # a coupon that saves nothing is refused
    shipping = Shipping(fee=fee, free_from=draw(st.none() | st.integers(1, 100_000)))
    festival = definition(offers, entries=entries, coupons=coupons, shipping=shipping)
    return festival, Cart(tuple(lines), "TIDE50" if with_coupon else None)


@given(shopping())
def test_every_amount_adds_up(shopped: tuple[CampaignDefinition, Cart]) -> None:
    festival, cart = shopped
    order = price_order(compile_rules(version(festival)), cart, FACTS)
    assert sum(step.amount for step in order.steps) == order.total
    assert order.total == order.goods_total - order.discount_total + order.shipping
    assert sum(line.discount for line in order.lines) == order.discount_total
    for line in order.lines:
        amount = line.unit_price * line.quantity
        assert 0 <= line.discount <= amount
        assert line.payable == amount - line.discount
        assert sum(share.units for share in line.shares) == line.quantity
        assert sum(share.units * share.paid for share in line.shares) == line.payable
        assert all(0 <= share.paid <= line.unit_price for share in line.shares)


@given(shopping(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(shopped: tuple[CampaignDefinition, Cart], random: Random) -> None:
    festival, cart = shopped
    rules = compile_rules(version(festival))
    shuffled = [CartLine(line.sku, 1) for line in cart.lines for _ in range(line.quantity)][:LINES_MAX]
    random.shuffle(shuffled)
    together = Cart(
        tuple(CartLine(sku, sum(each.sku == sku for each in shuffled)) for sku in {e.sku for e in shuffled})
    )
    assert price_order(rules, Cart(tuple(shuffled)), FACTS) == price_order(rules, together, FACTS)
    lines = list(cart.lines)
    random.shuffle(lines)
    assert price_order(rules, Cart(tuple(lines), cart.coupon), FACTS) == price_order(rules, cart, FACTS)


@given(shopping(), st.data())
def test_refunds_do_not_depend_on_their_path(shopped: tuple[CampaignDefinition, Cart], data: st.DataObject) -> None:
    """Units returned in any portions refund together what was paid for them."""
    festival, cart = shopped
    for line in price_order(compile_rules(version(festival)), cart).lines:
        cuts = data.draw(st.lists(st.integers(0, line.quantity), max_size=4))
        edges = [0, *sorted(cuts), line.quantity]
        portions = [line.paid_for(first, last - first) for first, last in pairwise(edges)]
        assert sum(portions) == line.payable
        assert min(portions) >= 0


def test_the_trace_hash_names_the_price_and_nothing_else() -> None:
    festival = definition(coupons=[coupon(threshold=8_000, off=100)])
    order = priced(festival, ("KTL-1", 1))
    assert priced(festival, ("KTL-1", 1), buyer=None).trace_hash == order.trace_hash
    others = [priced(festival, ("KTL-1", 2)), priced(festival, ("KTL-1", 1), code="TIDE50")]
    others.append(price_order(compile_rules(version(festival, 2)), Cart((CartLine("KTL-1", 1),)), FACTS))
    assert len({order.trace_hash, *(each.trace_hash for each in others)}) == 4


def test_a_batch_uses_counters_all_or_nothing() -> None:
    counters = Counters({"a": 1, "b": 0}, missing=frozenset({"b"}))
    use_a, use_b = CounterUse("a", 1, 2), CounterUse("b", 3, 3)
    assert counters.try_use([use_a, use_b]) is None
    assert counters.try_use([use_b]) == use_b
    assert counters.changes() == [("a", 1, 2, False), ("b", 3, 3, True)]
    counters.give_back([use_a, use_b])
    assert counters.changes() == [], "what is as it was is not written"
    assert counters.try_use([CounterUse("b", 2, 3), CounterUse("a", 2, 2)]) == CounterUse("a", 2, 2)
    assert counters.changes() == []


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), min_size=1, max_size=3), max_size=40))
def test_no_batch_gets_beyond_a_cap(orders: list[list[tuple[str, int]]]) -> None:
    caps = {"a": 5, "b": 9, "c": 1}
    counters = Counters(dict.fromkeys(caps, 0), missing=frozenset(caps))
    granted = dict.fromkeys(caps, 0)
    for order in orders:
        uses = [CounterUse(key, amount, caps[key]) for key, amount in order]
        if counters.try_use(uses) is None:
            for use in uses:
                granted[use.key] += use.amount
    assert all(granted[key] <= caps[key] for key in caps)
    assert {key: used for key, used, _, _ in counters.changes()} == {key: used for key, used in granted.items() if used}
