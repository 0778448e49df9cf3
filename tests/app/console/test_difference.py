"""What two versions of a campaign differ in, told by the names of the file."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import coupon, definition, offer
from tidegate.app.console.difference import Change, differences
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    Words,
)


def festival(prices: dict[str, int], coupons: tuple[str, ...] = ()) -> CampaignDefinition:
    return definition(
        [offer(sku, price, quota=10, per_buyer=2) for sku, price in prices.items()],
        coupons=[coupon(code, 100, 10, quota=5, per_buyer=1) for code in coupons],
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
    short = festival({"TG-1": 1})
    longer = msgspec.structs.replace(short, rules=Words("字" * 900, short.rules.en))
    [found] = differences(short, longer)
    assert found.place == ("rules", "zh")
    assert len(found.after) == 300
