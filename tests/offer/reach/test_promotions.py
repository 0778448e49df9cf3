"""The search with promotions: who buys, when, what he shows, and what may be combined."""

from datetime import timedelta

import msgspec

from tests.offer.festivals import START, coupon, definition, goods, offer, version
from tests.offer.promotions import amount_off, percent_off, promotion
from tests.offer.slots_made import flash, slot
from tidegate.offer.campaign.api import ReachedPrice
from tidegate.offer.campaign.contracts import (
    Audience,
    Bundle,
    CampaignDefinition,
    Gift,
    NForM,
    Part,
    PointsOff,
    Promotion,
)
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts
from tidegate.offer.pricing.rules import compile_rules, price_order
from tidegate.offer.reach.api import lowest_prices

HOUR = timedelta(hours=1)


def festival(*promotions: Promotion, **goods_fields: int) -> CampaignDefinition:
    entries = (msgspec.structs.replace(goods("A"), **goods_fields), goods("B", 3_000))
    of = definition([offer("A", 8_000), offer("B", 2_000)], entries=entries)
    return msgspec.structs.replace(of, promotions=promotions)


def lowest(of: CampaignDefinition, sku: str = "A") -> ReachedPrice:
    return next(each for each in lowest_prices(version(of)) if each.sku == sku)


def test_what_may_be_combined_is_combined_and_what_may_not_is_not() -> None:
    cut, part = amount_off(10_000, 1_000), percent_off(1_000)
    both = lowest(festival(promotion("cut", cut), promotion("part", part)))
    one = lowest(festival(promotion("cut", cut, group="g"), promotion("part", part, group="g")))
    assert set(both.promotions) == {"cut", "part"}
    assert len(one.promotions) == 1
    assert both.price < one.price < 8_000


def test_who_gets_least_and_what_he_shows() -> None:
    for more in (
        {"tiers": ("gold",)},
        {"segments": ("tea",)},
        {"audience": (Audience.RETURNING,)},
        {"audience": (Audience.NEW,)},
        {"condition": "orders > 3", "facts": ("orders",)},
    ):
        assert lowest(festival(promotion("part", percent_off(2_500), **more))).price == 6_000
    of = msgspec.structs.replace(
        festival(promotion("part", percent_off(2_500), coupon="QUARTER")), coupons=(coupon("QUARTER", 99, 0),)
    )
    assert lowest(of).price == 6_000


def test_an_order_shows_one_coupon_and_not_those_of_two_promotions() -> None:
    """Both together would bring A to 3,600, in a cart that nobody can buy."""
    listed = [
        promotion("part", percent_off(2_500), coupon="QUARTER"),
        promotion("fifth", percent_off(2_000), coupon="FIFTH"),
        promotion("all", percent_off(1_000)),
    ]
    coupons = tuple(coupon(code, 10**9, 1) for code in ("QUARTER", "FIFTH"))
    of = msgspec.structs.replace(festival(*listed), coupons=coupons)
    found = lowest(of)
    assert (found.price, set(found.promotions)) == (5_200, {"part", "all"})
    rules = compile_rules(version(of))
    cart = Cart(tuple(CartLine(*line) for line in found.lines), "QUARTER")
    order = price_order(rules, cart, Facts(now=START))
    assert min(share.paid for line in order.lines if line.sku == "A" for share in line.shares) == found.price
    assert "with the coupon QUARTER" in found.buyer.en


def test_what_never_runs_at_the_same_time_never_adds_up() -> None:
    early = promotion("early", amount_off(1, 1_000), ends_at=START + HOUR)
    late = promotion("late", amount_off(1, 1_500), starts_at=START + HOUR)
    found = lowest(festival(early, late))
    assert (found.price, found.promotions) == (6_500, ("late",))
    together = promotion("late", amount_off(1, 1_500), starts_at=START + HOUR / 2)
    assert lowest(festival(early, together)).price == 5_500


def test_bundles_pieces_and_points() -> None:
    bundle = lowest(festival(promotion("set", Bundle(parts=(Part("A", 1), Part("B", 1)), price=7_000))))
    assert (bundle.price, dict(bundle.lines)) == (5_600, {"A": 1, "B": 1})
    free = lowest(festival(promotion("three", NForM(take=3, pay=2))))
    assert free.promotions == ("three",)
    assert free.price < 8_000
    points = lowest(festival(promotion("points", PointsOff(points=100, share=5_000))))
    assert points.price == 4_000


def test_the_floor_holds_and_a_gift_is_no_price() -> None:
    floored = lowest(festival(promotion("half", percent_off(5_000)), floor=7_500))
    assert (floored.price, floored.is_below_floor) == (7_500, False)
    gift = festival(promotion("cup", Gift(sku="B", reach=8_000)))
    assert lowest(gift, "B").price == 2_000


def test_the_lowest_price_is_found_in_the_hours_of_a_slot() -> None:
    of = festival(flash(slot("one", 60, 60, 9, 2), slot("two", 300, 60, 9)))
    found = lowest(of)
    assert (found.price, found.promotions) == (5_000, ("flash/one",))
    # With a reduction that begins where two units at the flash price are, and not within the hours of the other.
    both = lowest(festival(flash(slot("one", 60, 60, 9, 2)), promotion("cut", amount_off(10_000, 1_000))))
    assert both.price == 4_500
    assert both.lines == (("A", 2),)
    apart = promotion("cut", amount_off(10_000, 1_000), starts_at=START + 2 * HOUR)
    assert lowest(festival(flash(slot("one", 60, 60, 9, 2)), apart)).price == 5_000


def test_each_product_is_tried_in_its_own_slots_however_many_others_there_are() -> None:
    skus = [f"S{number:03}" for number in range(40)]
    plain = definition([offer(sku, 8_000) for sku in skus], entries=[goods(sku) for sku in skus])
    slots = [flash(slot("one", 10 * place, 9, 5), sku=sku, name=f"f{place}") for place, sku in enumerate(skus)]
    found = lowest_prices(version(msgspec.structs.replace(plain, promotions=tuple(slots))))
    assert {each.price for each in found} == {5_000}
    assert len(found) == 40
