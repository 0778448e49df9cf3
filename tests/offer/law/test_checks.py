"""Each check with a case that fails and one that passes."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from tests.offer.festivals import START, coupon, definition, goods, offer
from tests.offer.promotions import amount_off, percent_off
from tests.offer.promotions import promotion as made
from tests.offer.slots_made import flash, slot
from tests.sale.presale.presales_made import SKU, presale
from tests.sale.presale.presales_made import festival as reserving
from tidegate.offer.campaign.api import Finding, ReachedPrice, Severity, Way
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Bundle,
    CampaignDefinition,
    Gift,
    GiftPolicy,
    MemberPrice,
    NForM,
    Part,
    PriceProtection,
    Promotion,
    Returns,
    Selection,
    Shipping,
    Step,
    Words,
)
from tidegate.offer.history.contracts import Evidence
from tidegate.offer.law.acts import laws_for, place_of
from tidegate.offer.law.contracts import Case, PresaleTerms, PrizeTerms
from tidegate.offer.law.rules import findings, presales_of, sale_days

FESTIVAL = definition([offer("A", 8_000)])
EURO = msgspec.structs.replace(FESTIVAL, currency="EUR", returns=Returns(days=14, text=Words("可退", "Returnable")))
BASIS = Words("厂商建议零售价", "suggested retail price of the maker")
OFF = AmountOff(steps=(Step(100, 10),))


def found(law: str, of: CampaignDefinition = FESTIVAL, **case: object) -> list[Finding]:
    """What one article finds, a day before the sale unless told otherwise."""
    judged = Case(**{"definition": of, "at": START - timedelta(days=1)} | case)  # type: ignore[arg-type]
    laws = laws_for(of.currency, *sale_days(of))
    assert law in {each.article.id for each in laws}
    return [each for each in findings(judged, laws) if each.law == law]


def known(days: int, **facts: object) -> dict[int, dict[str, Evidence]]:
    return {days: {"A": Evidence(**facts)}}  # type: ignore[arg-type]


def promotion(**changes: object) -> Promotion:
    return msgspec.structs.replace(Promotion(id="p", label=Words("满减", "Reduction"), benefit=OFF), **changes)


def with_promotions(*promotions: Promotion) -> CampaignDefinition:
    return msgspec.structs.replace(FESTIVAL, promotions=promotions)


def test_a_list_price_above_the_lowest_sold_at_in_seven_days_blocks() -> None:
    [finding] = found("cn-56-16", evidence=known(7, lowest_deal=9_900, last_deal=9_950))
    assert (finding.severity, finding.path) == (Severity.BLOCKING, ("goods", 0, "list_price"))
    assert "¥100.00" in finding.what.en
    assert "¥99.00" in finding.what.en
    assert "7 days" in finding.what.en
    assert finding.article.zh == "《明码标价和禁止价格欺诈规定》第16条"
    assert "Order No. 56" in finding.reference


def test_without_a_sale_in_seven_days_the_last_one_counts() -> None:
    assert found("cn-56-16", evidence=known(7, last_deal=9_999))[0].severity is Severity.BLOCKING
    assert found("cn-56-16", evidence=known(7, last_deal=10_000)) == []
    assert found("cn-56-16", evidence=known(7, lowest_deal=10_000, last_deal=9_000)) == []


def test_what_was_never_sold_is_told() -> None:
    [finding] = found("cn-56-16")
    assert (finding.severity, "1 reduced products" in finding.what.en) == (Severity.NOTICE, True)


def test_where_the_file_says_what_list_prices_are_it_is_told_only() -> None:
    stated = msgspec.structs.replace(FESTIVAL, list_price_basis=BASIS)
    [finding] = found("cn-56-16", stated, evidence=known(7, lowest_deal=9_000))
    assert finding.severity is Severity.NOTICE
    assert found("cn-32-21", stated) == []
    assert found("cn-32-21")[0].severity is Severity.NOTICE


SAME = definition([offer("A", 10_000)])
"""An offer at its list price."""


def in_euro(of: CampaignDefinition) -> CampaignDefinition:
    return msgspec.structs.replace(of, currency="EUR", returns=EURO.returns)


def test_no_reduction_no_reference() -> None:
    for law in ("cn-56-16", "cn-56-17", "cn-32-21"):
        assert found(law, SAME, evidence=known(7, lowest_deal=1) | known(30, lowest_list=1, lowest_usual=1)) == []
    assert found("eu-98-6-6a", in_euro(SAME), evidence=known(30, lowest_offered=1)) == []


TAKES_OFF: Sequence[dict[str, object]] = [
    {"promotions": (made("p", percent_off(5_000)),)},
    {"promotions": (made("p", amount_off(10_000, 5_000)),)},
    {"promotions": (made("p", percent_off(5_000), goods=Selection(categories=("kitchen",))),)},
    {"promotions": (made("p", MemberPrice(prices=(("A", 9_000),)), audience=(Audience.MEMBERS,)),)},
    {"promotions": (flash(slot("one", 0, 60, 5)),)},
    {"coupons": (coupon(threshold=10_000),)},
]
"""Each takes off from one unit at 100.00."""
WITH_MORE: Sequence[dict[str, object]] = [
    {"promotions": (made("p", percent_off(5_000, 2)),)},
    {"promotions": (made("p", amount_off(10_001, 5_000)),)},
    {"promotions": (made("p", NForM(take=3, pay=2), goods=Selection(brands=("Murmur",))),)},
    {"promotions": (made("p", Bundle(parts=(Part("A", 1), Part("B", 1)), price=12_000)),)},
    {"coupons": (coupon(threshold=10_001),)},
]
"""Each takes off only where there is more in the cart."""
NOTHING_OFF: Sequence[dict[str, object]] = [
    {"promotions": (made("p", percent_off(5_000), goods=Selection(but=("A",))),)},
    {"promotions": (made("p", percent_off(5_000), goods=Selection(shops=("north",))),)},
    {"promotions": (made("p", Gift(sku="B", reach=100)),)},
    {"promotions": (made("p", MemberPrice(prices=(("A", 10_000),))),)},
    {"coupons": (coupon(),), "offers": (msgspec.structs.replace(SAME.offers[0], coupons=False),)},
]


@pytest.mark.parametrize("reduction", TAKES_OFF)
def test_what_a_promotion_or_coupon_takes_off_one_unit_is_a_reduction(reduction: dict[str, object]) -> None:
    raised = msgspec.structs.replace(SAME, **reduction)
    sold = known(7, lowest_deal=5_000, last_deal=5_000)
    [finding] = found("cn-56-16", raised, evidence=sold)
    assert (finding.severity, finding.path) == (Severity.BLOCKING, ("goods", 0, "list_price"))
    assert "lower list_price, price to CN¥50.00" in finding.mend.en
    [finding] = found("cn-56-17", raised, evidence=known(30, lowest_list=5_000))
    assert (finding.severity, finding.path) == (Severity.WARNING, ("goods", 0, "list_price"))
    for facts in ({"lowest_offered": 5_000}, {"lowest_deal": 5_000}):
        [finding] = found("eu-98-6-6a", in_euro(raised), evidence=known(30, **facts))
        assert finding.severity is Severity.BLOCKING
        assert "set list_price, price to €50.00" in finding.mend.en
    assert found("cn-56-16", raised, evidence=known(7, lowest_deal=10_000, last_deal=10_000)) == []


@pytest.mark.parametrize("reduction", WITH_MORE)
def test_what_takes_off_only_from_more_announces_no_reduced_price_but_has_a_base(reduction: dict[str, object]) -> None:
    raised = msgspec.structs.replace(SAME, **reduction)
    assert found("cn-56-16", raised, evidence=known(7, lowest_deal=5_000)) == []
    assert found("eu-98-6-6a", in_euro(raised), evidence=known(30, lowest_offered=5_000)) == []
    assert [each.path for each in found("cn-56-17", raised, evidence=known(30, lowest_list=5_000))] == [
        ("goods", 0, "list_price")
    ]


@pytest.mark.parametrize("reduction", NOTHING_OFF)
def test_what_takes_nothing_off_these_goods_is_no_reduction_of_them(reduction: dict[str, object]) -> None:
    of = msgspec.structs.replace(SAME, **reduction)
    evidence = known(7, lowest_deal=5_000) | known(30, lowest_list=5_000, lowest_usual=5_000)
    assert [found(law, of, evidence=evidence) for law in ("cn-56-16", "cn-56-17")] == [[], []]


@pytest.mark.parametrize("reduction", [*TAKES_OFF, *WITH_MORE])
def test_a_raised_price_is_a_base_although_the_list_price_stands(reduction: dict[str, object]) -> None:
    below_list = definition([offer("B"), offer("A", 9_900)], entries=[goods("A", 20_000), goods("B", 10_000)])
    raised = msgspec.structs.replace(SAME, offers=below_list.offers, goods=below_list.goods, **reduction)
    [finding] = found("cn-56-17", raised, evidence=known(30, lowest_list=20_000, lowest_usual=5_000))
    assert (finding.severity, finding.path) == (Severity.WARNING, ("offer", 1, "price"))
    assert "from CN¥50.00 to CN¥99.00 (98 %)" in finding.what.en
    assert "set price back to CN¥50.00" in finding.mend.en
    assert found("cn-56-17", raised, evidence=known(30, lowest_list=20_000, lowest_usual=9_900)) == []
    assert found("cn-56-17", below_list, evidence=known(30, lowest_list=20_000, lowest_usual=5_000)) == []


def test_the_union_asks_for_the_lowest_price_of_thirty_days_offered_or_sold_at() -> None:
    for facts in ({"lowest_deal": 9_000}, {"lowest_offered": 9_000}, {"lowest_deal": 9_500, "lowest_offered": 9_000}):
        [finding] = found("eu-98-6-6a", EURO, evidence=known(30, **facts))
        assert finding.severity is Severity.BLOCKING
        assert "€90.00" in finding.what.en
    stated = msgspec.structs.replace(EURO, list_price_basis=BASIS)
    assert found("eu-98-6-6a", stated, evidence=known(30, lowest_offered=9_000))[0].severity is Severity.BLOCKING
    assert found("eu-98-6-6a", EURO, evidence=known(30, lowest_deal=10_000, lowest_list=1)) == []
    assert found("eu-98-6-6a", EURO)[0].severity is Severity.NOTICE


def test_a_list_price_raised_before_the_sale() -> None:
    [finding] = found("cn-56-17", evidence=known(30, lowest_list=8_000))
    assert finding.severity is Severity.WARNING
    assert "25 %" in finding.what.en
    assert found("cn-56-17", evidence=known(30, lowest_list=10_000)) == []
    assert found("cn-56-17") == []


def reached(price: int, *, floor: int = 0, cost: int = 0) -> tuple[ReachedPrice, ...]:
    lines, rules = (("A", 2),), ("coupon:TIDE50",)
    one = ReachedPrice(
        sku="A",
        price=price,
        offer_price=8_000,
        list_price=10_000,
        floor=floor,
        cost=cost,
        lines=lines,
        promotions=rules,
    )
    return (one,)


def test_no_cart_goes_under_floor_or_cost() -> None:
    [finding] = found("house-floor", lowest=reached(4_999, floor=5_000))
    assert (finding.severity, finding.path) == (Severity.BLOCKING, ("goods", 0, "floor"))
    assert "2 × A with coupon:TIDE50" in finding.what.en
    assert found("house-floor", lowest=reached(5_000, floor=5_000)) == []
    assert found("cn-price-14", lowest=reached(4_999, cost=5_000))[0].severity is Severity.WARNING
    assert found("cn-price-14", lowest=reached(5_000, cost=5_000)) == []
    assert found("cn-price-14", lowest=reached(5_000)) == []


def test_what_comes_with_a_unit_is_told_and_its_cost_counts() -> None:
    [cheap] = reached(5_000, floor=5_000, cost=4_000)
    given = (msgspec.structs.replace(cheap, worth=1_000, outlay=1_001, buyer=Words("新客", "a new shopper"), at=START),)
    assert found("house-floor", lowest=given) == []
    [told] = found("house-floor-worth", lowest=given)
    assert (told.severity, told.path) == (Severity.NOTICE, ("goods", 0, "floor"))
    assert "for a new shopper, at 2026-11-11 00:00 UTC" in told.what.en
    assert found("cn-price-14", lowest=given)[0].severity is Severity.WARNING
    assert found("house-floor-worth", lowest=reached(5_000, floor=5_000)) == []


def test_each_way_to_buy_is_found_once_with_what_to_change_in_it() -> None:
    [low] = reached(4_999, floor=5_000)
    ways = [msgspec.structs.replace(low, way=way, price=price) for way in Way for price in (4_000, 4_999)]
    blocked = found("house-floor", lowest=tuple(ways))
    assert [each.severity for each in blocked] == [Severity.BLOCKING] * 3
    assert len({each.mend.en for each in blocked}) == 3
    assert all("40.00" in each.what.en for each in blocked)


def test_a_condition_that_figures_cannot_say_stands_in_the_rules() -> None:
    hidden = with_promotions(promotion(condition="orders > 3"))
    assert found("cn-32-20", hidden)[0].path == ("promotion", 0, "condition")
    stated = msgspec.structs.replace(hidden, rules=Words("满减：下过三单。", "Reduction: after three orders."))
    assert found("cn-32-20", stated) == []
    worded = promotion(condition="orders > 3", condition_words=Words("下过三单", "after three orders"))
    assert found("cn-32-20", with_promotions(worded)) == []
    assert found("cn-32-20", with_promotions(promotion())) == []


def test_a_time_beyond_the_sale_cannot_be_kept() -> None:
    late = with_promotions(promotion(ends_at=START + timedelta(days=4)))
    assert found("cn-32-20", late)[0].path == ("promotion", 0, "ends_at")
    assert found("cn-32-20", with_promotions(promotion(ends_at=START + timedelta(days=2)))) == []


@pytest.mark.parametrize(("deposit", "count"), [(2_000, 0), (2_001, 1)])
def test_a_deposit_is_a_fifth_at_most(deposit: int, count: int) -> None:
    terms = (PresaleTerms(sku="A", price=10_000, deposit=deposit),)
    blocked = found("cn-civil-586", presales=terms)
    assert [each.severity for each in blocked] == [Severity.BLOCKING] * count


def test_a_presale_is_judged_by_what_a_unit_costs_in_all_and_compared_with_its_list_price() -> None:
    made = reserving(presale(deposit=20_000, counts_for=30_000))
    [terms] = presales_of(made)
    assert (terms.price, terms.deposit) == (90_000, 20_000)
    assert [each.path for each in found("cn-civil-586", made, presales=(terms,))] == [("presale", 0, "deposit")]
    evidence = {7: {SKU: Evidence(lowest_deal=100_000, last_deal=100_000)}}
    blocking = [each for each in found("cn-56-16", made, evidence=evidence) if each.severity is Severity.BLOCKING]
    assert [each.path for each in blocking] == [("goods", 1, "list_price")]


@pytest.mark.parametrize(("value", "count"), [(5_000_000, 0), (5_000_001, 1)])
def test_a_prize_is_worth_fifty_thousand_at_most(value: int, count: int) -> None:
    prizes = (PrizeTerms(name=Words("汽车", "Car"), value=value),)
    assert len(found("cn-32-17", prizes=prizes)) == count


WORSE: Sequence[tuple[str, dict[str, object]]] = [
    ("returns", {"returns": Returns(days=10, text=Words("可退。", "Returnable."))}),
    ("returns", {"returns": Returns(days=15, text=Words("可退。", "Returnable."), gifts=GiftPolicy.PAY)}),
    ("price_protection", {"price_protection": PriceProtection(days=29)}),
    ("price_protection", {"price_protection": None}),
    ("price_protection", {"price_protection": PriceProtection(days=30, goods=Selection(but=("A",)))}),
    ("campaign", {"payment_minutes": 10}),
    ("shipping", {"shipping": Shipping(fee=600, free_from=None)}),
    ("coupon", {"coupons": ()}),
    ("coupon", {"coupons": (coupon(threshold=30_000),)}),
    ("promotion", {"promotions": ()}),
    ("presale", {"presales": ()}),
    ("presale", {"presales": (presale(price=110_000),)}),
    ("presale", {"presales": (presale(deposit=12_000, counts_for=22_000),)}),
]


@pytest.mark.parametrize(("table", "change"), WORSE)
def test_a_worse_rule_needs_seven_days_notice(table: str, change: dict[str, object]) -> None:
    earlier = msgspec.structs.replace(
        definition([offer("A")], entries=[goods("A"), goods(SKU, 120_000)], coupons=[coupon()]),
        promotions=(promotion(),),
        presales=(presale(),),
        returns=Returns(days=15, text=Words("可退。", "Returnable.")),
        price_protection=PriceProtection(days=30),
    )
    later = msgspec.structs.replace(earlier, **change)
    [finding] = found("cn-ecommerce-34", later, earlier=earlier)
    assert (finding.severity, finding.path[0]) == (Severity.WARNING, table)
    assert found("cn-ecommerce-34", later, earlier=earlier, at=START - timedelta(days=7)) == []
    assert found("cn-ecommerce-34", later, earlier=earlier, at=START + timedelta(days=3)) == []
    assert found("cn-ecommerce-34", later) == []
    assert found("cn-ecommerce-34", earlier, earlier=later) == []


def test_other_words_of_a_rule_are_told() -> None:
    later = msgspec.structs.replace(FESTIVAL, rules=Words("新规则。", "New rules."))
    assert [each.severity for each in found("cn-ecommerce-34", later, earlier=FESTIVAL)] == [Severity.NOTICE]


def test_a_price_for_a_segment_needs_an_objective_condition() -> None:
    assert found("cn-pipl-24", with_promotions(promotion(segments=("big-spender",))))[0].severity is Severity.BLOCKING
    assert found("cn-pipl-24", with_promotions(promotion(segments=("big-spender",), tiers=("gold",)))) == []
    assert found("cn-pipl-24", with_promotions(promotion(tiers=("gold",)))) == []


BIG = '"big-spender" in segments'
ASKED: Sequence[tuple[dict[str, object], str]] = [
    ({"condition": BIG, "facts": ("segments",)}, "when"),
    ({"condition": f"{BIG} || points >= 0", "facts": ("points", "segments")}, "when"),
    ({"condition": 'points >= 0 && segments.exists(segments, segments == "big")', "facts": ("points",)}, "when"),
    ({"condition": BIG, "facts": ("segments",), "audience": (Audience.EVERYONE,)}, "when"),
    ({"segments": ("big-spender",), "condition": BIG, "facts": ("segments",)}, "segments"),
    ({"segments": ("big-spender",), "audience": (Audience.EVERYONE,)}, "segments"),
    ({"segments": ("big-spender",), "audience": (Audience.RETURNING, Audience.NEW)}, "segments"),
]
OBJECTIVE: Sequence[dict[str, object]] = [
    {"condition": BIG, "facts": ("segments",), "tiers": ("gold",)},
    {"condition": BIG, "facts": ("segments",), "audience": (Audience.NEW,)},
    {"condition": "points >= 500", "facts": ("points",), "segments": ("big-spender",)},
    {"condition": 'tier == "gold"', "facts": ("tier",)},
    {"condition": "points >= 500", "facts": ("points",)},
]


@pytest.mark.parametrize(("asked", "key"), ASKED)
def test_a_condition_that_asks_for_segments_is_a_price_for_a_segment(asked: dict[str, object], key: str) -> None:
    worded = promotion(condition_words=Words("大客户", "big spenders"), **asked)
    [finding] = found("cn-pipl-24", with_promotions(worded))
    assert (finding.severity, finding.path) == (Severity.BLOCKING, ("promotion", 0, key))
    assert "big" in finding.what.en


@pytest.mark.parametrize("asked", OBJECTIVE)
def test_a_condition_that_is_the_same_for_all_on_equal_terms_passes(asked: dict[str, object]) -> None:
    assert found("cn-pipl-24", with_promotions(promotion(**asked))) == []


def test_a_gift_has_a_name() -> None:
    unnamed = with_promotions(promotion(benefit=Gift(sku="CUP-9", reach=100)))
    assert found("cn-56-18", unnamed)[0].severity is Severity.BLOCKING
    entries = [goods("A"), goods("CUP-9", 900)]
    named = msgspec.structs.replace(unnamed, goods=tuple(entries))
    assert found("cn-56-18", named) == []
    on_sale = msgspec.structs.replace(named, offers=(*named.offers, offer("CUP-9", 500)))
    assert found("cn-56-18", on_sale)[0].severity is Severity.NOTICE


def test_returns_last_as_long_as_the_law_asks() -> None:
    short = msgspec.structs.replace(FESTIVAL, returns=Returns(days=6, text=Words("可退。", "Returnable.")))
    assert found("cn-consumer-25", short)[0].severity is Severity.BLOCKING
    assert found("cn-consumer-25") == []
    assert found("eu-2011-83-9", EURO) == []
    union = msgspec.structs.replace(EURO, returns=Returns(days=13, text=Words("可退。", "Returnable.")))
    assert found("eu-2011-83-9", union)[0].severity is Severity.BLOCKING


def test_a_currency_without_a_jurisdiction_has_only_the_house_rules() -> None:
    laws = laws_for("GBP", *sale_days(FESTIVAL))
    assert {each.jurisdiction for each in laws} == {"HOUSE"}
    assert (place_of("CNY"), place_of("PLN"), place_of("GBP")) == ("CN", "EU", "GBP")


def test_goods_that_are_cheaper_only_for_the_hours_of_a_slot_need_a_reference_price_too() -> None:
    at_list_price = definition([offer("A", 10_000)])
    reduced = msgspec.structs.replace(at_list_price, promotions=(flash(slot("one", 0, 60, 5)),))
    assert found("cn-56-16", at_list_price, evidence=known(7, lowest_deal=9_000, last_deal=9_000)) == []
    [finding] = found("cn-56-16", reduced, evidence=known(7, lowest_deal=9_000, last_deal=9_000))
    assert finding.severity is Severity.BLOCKING


def test_a_slot_beyond_the_sale_is_a_time_that_cannot_be_kept() -> None:
    within, beyond = (with_promotions(flash(slot("one", start, 60, 5))) for start in (0, 3 * 24 * 60 - 30))
    said = [each for each in _all_findings(beyond) if "reaches beyond the sale" in each.what.en]
    assert len(said) == 1
    assert [each for each in _all_findings(within) if "reaches beyond the sale" in each.what.en] == []


def _all_findings(of: CampaignDefinition) -> list[Finding]:
    return list(findings(Case(definition=of, at=START - timedelta(days=1)), laws_for(of.currency, *sale_days(of))))
