"""The search for the lowest price against every cart there is, on catalogues small enough for that."""

from itertools import product

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


@settings(max_examples=25)
@given(
    prices=st.lists(st.integers(20, 90), min_size=1, max_size=2),
    threshold=st.integers(60, 200),
    off=st.integers(1, 59),
)
def test_it_is_never_above_what_the_product_alone_and_one_filler_reach(
    prices: list[int], threshold: int, off: int
) -> None:
    offers = [offer(f"S{place}", price, quota=4) for place, price in enumerate(prices)]
    of = definition(offers, entries=[goods(each.sku, 100) for each in offers], coupons=[coupon("TIDE", threshold, off)])
    found, least = lowest_of_version(version(of)), of_every_cart(of, 4)
    assert found.keys() == least.keys()
    for sku, price in found.items():
        # The engine itself reached it, so nothing is lower than the least; the search may miss a unit of rounding.
        assert least[sku] <= price
        assert price - least[sku] <= max(1, off * offers[0].price // threshold // 4)


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
