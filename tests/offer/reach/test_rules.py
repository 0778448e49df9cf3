"""The search for the lowest price against every cart there is, on catalogues small enough for that."""

from itertools import product
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.offer.festivals import coupon, definition, goods, limit, offer, version
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition, OfferKind
from tidegate.offer.pricing.api import compile_rules, price_order
from tidegate.offer.pricing.contracts import Cart, CartLine
from tidegate.offer.reach.api import lowest_of_version, lowest_prices
from tidegate.offer.reach.rules import worst_first


def of_every_cart(of: CampaignDefinition, most: int) -> dict[str, int]:
    """The least that a unit of each SKU is paid with, in any cart of up to `most` of each and with any coupon."""
    rules = compile_rules(version(of))
    least: dict[str, int] = {}
    skus = [each.sku for each in of.offers]
    for quantities in product(range(most + 1), repeat=len(skus)):
        lines = tuple(CartLine(sku, count) for sku, count in zip(skus, quantities, strict=True) if count)
        for code in (None, *(each.code for each in of.coupons)):
            try:
                order = price_order(rules, Cart(lines, code))
            except Refusal:
                continue
            for line in order.lines:
                paid = min(share.paid for share in line.shares)
                least[line.sku] = min(paid, least.get(line.sku, paid))
    return least


@st.composite
def festivals(draw: st.DrawFn) -> CampaignDefinition:
    prices = draw(st.lists(st.integers(20, 90), min_size=1, max_size=3))
    offers = [offer(f"S{place}", price, quota=3) for place, price in enumerate(prices)]
    coupons = [coupon("TIDE", draw(st.integers(60, 200)), draw(st.integers(1, 59)))]
    return definition(offers, entries=[goods(each.sku, 100) for each in offers], coupons=coupons)


@settings(max_examples=30)
@given(festivals())
def test_what_it_shows_can_be_bought_and_nothing_is_below_brute_force(of: CampaignDefinition) -> None:
    rules, least = compile_rules(version(of)), of_every_cart(of, 3)
    found = lowest_prices(version(of))
    assert {each.sku for each in found} == least.keys()
    for each in found:
        assert least[each.sku] <= each.price <= each.offer_price
        code = next((rule.removeprefix("coupon:") for rule in each.promotions), None)
        order = price_order(rules, Cart(tuple(CartLine(*line) for line in each.lines), code))
        assert each.price in {share.paid for line in order.lines if line.sku == each.sku for share in line.shares}


def test_it_nearly_always_finds_the_least() -> None:
    """On 150 fixed catalogues of three products: how often the least of all carts is found, and the largest miss."""
    random, exact, products, worst = Random(11), 0, 0, 0
    for _ in range(150):
        offers = [offer(f"S{place}", random.randint(20, 90), quota=3) for place in range(3)]
        coupons = [coupon("TIDE", random.randint(60, 200), random.randint(1, 59))]
        of = definition(offers, entries=[goods(each.sku, 100) for each in offers], coupons=coupons)
        found, least = lowest_of_version(version(of)), of_every_cart(of, 3)
        products += len(found)
        exact += sum(found[sku] == least[sku] for sku in found)
        worst = max([worst, *(found[sku] - least[sku] for sku in found)])
    assert exact >= products * 95 // 100
    assert worst <= 3


def test_a_filler_brings_the_cart_just_over_the_threshold() -> None:
    offers = [offer("KTL-1", 8_000), offer("CUP-1", 2_000), offer("CUP-2", 3_000)]
    of = definition(offers, coupons=[coupon("TIDE50", 10_000, 5_000)])
    [kettle] = [each for each in lowest_prices(version(of)) if each.sku == "KTL-1"]
    assert (kettle.price, kettle.lines, kettle.promotions) == (4_000, (("KTL-1", 1), ("CUP-1", 1)), ("coupon:TIDE50",))


def test_limits_and_flash_prices_bound_the_search() -> None:
    offers = [offer("A", 4_000, per_buyer=2), offer("B", 9_000, kind=OfferKind.FLASH)]
    of = definition(offers, coupons=[coupon("TIDE50", 12_000, 5_000)], limits=[limit("all", per_buyer=2)])
    assert lowest_of_version(version(of)) == {"A": 4_000, "B": 9_000}


def test_the_worst_comes_first() -> None:
    entries = [goods("A", 10_000), goods("B", 10_000), goods("C", 10_000)]
    of = definition([offer(entry.sku, 8_000) for entry in entries], entries=entries)
    reached = {each.sku: each for each in lowest_prices(version(of))}
    with_floor = {
        "A": (reached["A"], 7_999, 0),
        "B": (reached["B"], 0, 0),
        "C": (reached["C"], 0, 8_500),
    }
    changed = [msgspec.structs.replace(each, floor=floor, cost=cost) for each, floor, cost in with_floor.values()]
    assert [each.sku for each in worst_first(changed)] == ["C", "A", "B"]
    assert [(each.is_below_floor, each.is_below_cost) for each in worst_first(changed)] == [
        (False, True),
        (False, False),
        (False, False),
    ]
