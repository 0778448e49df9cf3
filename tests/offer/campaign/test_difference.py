"""What two versions of a campaign differ in, told by the names of the file."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignDefinition,
    CampaignId,
    Coupon,
    GoodsEntry,
    Offer,
    OfferKind,
    Phase,
    PhaseName,
    Returns,
    Shipping,
    Theme,
    Words,
)
from tidegate.offer.campaign.difference import Change, differences

START = datetime(2026, 11, 1, tzinfo=UTC)
WORDS = Words("字", "words")


def festival(prices: dict[str, int], coupons: tuple[str, ...] = ()) -> CampaignDefinition:
    return CampaignDefinition(
        id=CampaignId("double-11"),
        title=WORDS,
        theme=Theme.SHOPPING_FESTIVAL,
        audience=(Audience.EVERYONE,),
        accent="#0b6b73",
        currency="CNY",
        payment_minutes=15,
        phases=tuple(
            Phase(name=name, starts_at=START + timedelta(days=day), ends_at=START + timedelta(days=day + 1))
            for day, name in enumerate(PhaseName)
        ),
        goals=(),
        owners=(),
        goods=tuple(
            GoodsEntry(sku=sku, name=WORDS, description=WORDS, category="home", brand="b", list_price=10**6, picture="")
            for sku in prices
        ),
        offers=tuple(
            Offer(sku=sku, kind=OfferKind.DISCOUNT, price=price, quota=10, per_buyer=2, coupons=True)
            for sku, price in prices.items()
        ),
        coupons=tuple(Coupon(code=code, threshold=100, off=10, quota=5, per_buyer=1, label=WORDS) for code in coupons),
        limits=(),
        shipping=Shipping(fee=800, free_from=9900),
        returns=Returns(days=7, text=WORDS),
        rules=WORDS,
    )


def test_a_changed_price_is_named_by_its_sku() -> None:
    [found] = differences(festival({"TG-1": 100, "TG-2": 200}), festival({"TG-1": 90, "TG-2": 200}))
    assert (found.change, found.place, found.before, found.after) == (
        Change.CHANGED,
        ("offers", "TG-1", "price"),
        "100",
        "90",
    )


def test_what_came_and_what_went() -> None:
    found = differences(festival({"TG-1": 100}, ("SAVE",)), festival({"TG-1": 100}, ("MORE",)))
    assert {(each.change, each.place) for each in found} == {
        (Change.REMOVED, ("coupons", "SAVE")),
        (Change.ADDED, ("coupons", "MORE")),
    }


prices = st.dictionaries(st.sampled_from([f"TG-{number}" for number in range(8)]), st.integers(1, 9), min_size=1)


@given(prices)
def test_equal_versions_do_not_differ(one: dict[str, int]) -> None:
    assert differences(festival(one), festival(dict(reversed(one.items())))) == []


@given(prices, prices)
def test_forth_and_back_are_mirror_images(one: dict[str, int], other: dict[str, int]) -> None:
    mirror = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED, Change.CHANGED: Change.CHANGED}
    forth = differences(festival(one), festival(other))
    back = differences(festival(other), festival(one))
    assert {(each.change, each.place, each.before, each.after) for each in forth} == {
        (mirror[each.change], each.place, each.after, each.before) for each in back
    }


def test_long_texts_are_cut() -> None:
    longer = msgspec.structs.replace(festival({"TG-1": 1}), rules=Words("字" * 900, "words"))
    [found] = differences(festival({"TG-1": 1}), longer)
    assert found.place == ("rules", "zh")
    assert len(found.after) == 300
