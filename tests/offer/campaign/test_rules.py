"""Contradictions in a definition made by a program, phases, hashes, published words."""

from datetime import timedelta

import msgspec
import pytest

from tests.offer.festivals import START, coupon, definition, goods, limit, offer, phases, version
from tidegate.offer.campaign.contracts import CampaignDefinition, OfferKind, PhaseName, Shipping, Words
from tidegate.offer.campaign.rules import canonical, content_hash, find_faults, phase_at
from tidegate.offer.campaign.terms import published_rules

GOOD = definition(coupons=[coupon()], limits=[limit("kettles")])


def test_a_good_definition_has_no_faults() -> None:
    assert find_faults(GOOD) == []


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (definition(campaign_id="a/b"), "campaign.id"),
        (msgspec.structs.replace(GOOD, currency="XYZ1"), "campaign.currency"),
        (msgspec.structs.replace(GOOD, payment_minutes=0), "campaign.payment_minutes"),
        (msgspec.structs.replace(GOOD, title=Words("双十一", " ")), "campaign.title.en"),
        (msgspec.structs.replace(GOOD, phases=GOOD.phases[1:]), "phases"),
        (msgspec.structs.replace(GOOD, phases=phases(START.replace(tzinfo=None))), "phases.prepare"),
        (definition([offer("A:1")], entries=[goods("A:1")]), "goods[0].sku"),
        (definition(entries=[goods("KTL-1"), goods("KTL-1")]), "goods[1].sku"),
        (definition(entries=[goods("KTL-1", 0)]), "goods[0].list_price"),
        (definition(entries=[]), "offer[0].sku"),
        (definition([offer("A-1"), offer("A-1")]), "goods[1].sku"),
        (definition([offer("A-1", 10_001)]), "offer[0].price"),
        (definition([offer("A-1", 0)]), "offer[0].price"),
        (definition([offer("A-1", quota=0)]), "offer[0].quota"),
        (definition([offer("A-1", quota=2, per_buyer=3)]), "offer[0].per_buyer"),
        (definition(coupons=[coupon(off=0)]), "coupon[0].off"),
        (definition(coupons=[coupon(quota=1, per_buyer=2)]), "coupon[0].per_buyer"),
        (definition(coupons=[coupon(), coupon()]), "coupon[1].code"),
        (definition(limits=[limit("a", per_buyer=0)]), "limit[0].per_buyer"),
        (definition(limits=[limit("A b")]), "limit[0].name"),
        (definition(shipping=Shipping(fee=1, free_from=0)), "shipping.free_from"),
        (definition(shipping=Shipping(fee=-1, free_from=None)), "Expected `int` >= 0 - at `$.shipping.fee`"),
    ],
)
def test_each_contradiction_is_found(broken: CampaignDefinition, fault: str) -> None:
    assert str(find_faults(broken)[0]).startswith(fault)


def test_a_phase_begins_at_its_start_and_ends_before_its_end() -> None:
    day = timedelta(days=1)
    expected = [(-46 * day, None), (-45 * day, "prepare"), (-14 * day, "warm_up"), (0 * day, "burst"), (10 * day, None)]
    for offset, name in expected:
        phase = phase_at(GOOD, START + offset)
        assert (phase.name if phase else None) == name
    before = phase_at(GOOD, START - timedelta(microseconds=1))
    assert before is not None
    assert before.name is PhaseName.WARM_UP


def test_the_hash_is_of_the_content() -> None:
    same = msgspec.json.decode(canonical(GOOD), type=CampaignDefinition)
    assert content_hash(canonical(same)) == content_hash(canonical(GOOD))
    assert content_hash(canonical(definition())) != content_hash(canonical(GOOD))


def test_the_published_rules_state_every_condition_in_both_languages() -> None:
    festival = definition(
        [offer("KTL-1"), offer("FLS-1", 100, kind=OfferKind.FLASH, quota=5, per_buyer=1)],
        coupons=[coupon(quota=10, per_buyer=1)],
        limits=[limit("all-of-it", per_buyer=3), limit("kettles", ["KTL-1"])],
        shipping=Shipping(fee=800, free_from=9_900),
    )
    page = published_rules(version(festival))
    assert [terms.sku for terms in page.offers] == ["FLS-1", "KTL-1"]
    assert page.coupons[0].words == Words(
        "TIDE50：可用券商品满 ¥200.00 减 ¥50.00；共 10 张，用完为止；每人限用 1 次。",
        "TIDE50: CN¥50.00 off from CN¥200.00 of goods that take coupons; 10 uses in all; once per buyer.",
    )
    assert page.limits[0].words.en == "Limit: at most 3 of everything on offer together per buyer."
    assert page.limits[1].words.zh == "限购：以下 1 种商品合计每人限购 2 件。"
    assert len(page.statements) == 7
    assert all(words.zh and words.en for words in page.statements)
    part = published_rules(version(festival), offset=1, limit=1)
    assert ([terms.sku for terms in part.offers], part.offers_total) == (["KTL-1"], 2)
    plain = published_rules(version(definition()))
    assert plain.statements[1].en == "Shipping is free."
    paid = published_rules(version(definition(shipping=Shipping(fee=800, free_from=None))))
    assert paid.statements[1].zh == "每个订单运费 ¥8.00。"
