"""What two versions of a campaign differ in, told by the names of the file."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import coupon, definition, goods, offer, version
from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    Words,
)
from tidegate.offer.campaign.difference import Change, differences, rule_differences
from tidegate.offer.campaign.rule_items import RuleItem, RuleKind, rule_items


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


def items(of: CampaignDefinition) -> list[RuleItem]:
    return rule_items(version(of), Wording(of))


def test_for_shoppers_rules_differ_in_their_words() -> None:
    before, after = festival({"TG-1": 100}, ("SAVE",)), festival({"TG-1": 90}, ("MORE",))
    found = {(each.kind, each.change): each for each in rule_differences(items(before), items(after))}
    changed = found[RuleKind.OFFER, Change.CHANGED]
    assert (changed.before, changed.after) == (
        Words("售价 ¥1.00；原价 ¥100.00；共 10 件；每人限购 2 件；可用优惠券。",
              "CN¥1.00; list price CN¥100.00; 10 in all; 2 for each buyer; takes coupons."),
        Words("售价 ¥0.90；原价 ¥100.00；共 10 件；每人限购 2 件；可用优惠券。",
              "CN¥0.90; list price CN¥100.00; 10 in all; 2 for each buyer; takes coupons."),
    )  # fmt: skip
    assert found[RuleKind.COUPON, Change.ADDED].before is None
    assert found[RuleKind.COUPON, Change.REMOVED].after is None
    assert set(found) == {
        (RuleKind.OFFER, Change.CHANGED),
        (RuleKind.COUPON, Change.ADDED),
        (RuleKind.COUPON, Change.REMOVED),
    }


def test_what_is_for_staff_only_makes_no_difference_to_shoppers() -> None:
    before = definition([offer("A")])
    costly = msgspec.structs.replace(goods("A"), floor=5_000, cost=4_000)
    after = msgspec.structs.replace(before, goods=(costly,), defences=(), rate_limits=())
    assert rule_differences(items(before), items(after)) == []
    assert differences(before, after) != []
