"""Which goods changed between two versions, and what a cache says that it did."""

import msgspec
import pytest

from tests.offer.festivals import coupon, definition, goods, offer
from tidegate.gate.edge.contracts import Kept
from tidegate.gate.edge.rules import changed_goods, kept_by
from tidegate.offer.campaign.contracts import CampaignId

BEFORE = definition([offer("A"), offer("B"), offer("C")])


def test_the_first_version_and_another_campaign_change_all() -> None:
    assert changed_goods(None, BEFORE) == ["A", "B", "C"]
    other = msgspec.structs.replace(BEFORE, id=CampaignId("other"), goods=(goods("D"),), offers=(offer("D"),))
    assert changed_goods(BEFORE, other) == ["A", "B", "C", "D"]


def test_what_stayed_the_same_changes_nothing() -> None:
    assert changed_goods(BEFORE, BEFORE) == []


def test_a_price_or_a_name_changes_its_own_goods_only() -> None:
    cheaper = msgspec.structs.replace(BEFORE, offers=(offer("A"), offer("B", 7_000), offer("C")))
    assert changed_goods(BEFORE, cheaper) == ["B"]
    dearer = msgspec.structs.replace(BEFORE, goods=(goods("A"), goods("B"), goods("C", 11_000)))
    assert changed_goods(BEFORE, dearer) == ["C"]


def test_goods_that_came_or_went_are_among_them() -> None:
    after = msgspec.structs.replace(
        BEFORE, goods=(goods("A"), goods("B"), goods("D")), offers=(offer("A"), offer("B"), offer("D"))
    )
    assert changed_goods(BEFORE, after) == ["C", "D"]


def test_anything_else_can_stand_on_every_page() -> None:
    with_coupon = msgspec.structs.replace(BEFORE, coupons=(*BEFORE.coupons, coupon("MORE")))
    assert changed_goods(BEFORE, with_coupon) == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"x-cache": "HIT"}, Kept.HIT),
        ({"x-cache": "MISS"}, Kept.MISS),
        ({"x-cache": "EXPIRED"}, Kept.MISS),
        ({"x-cache": "STALE"}, Kept.HIT),
        ({"x-cache": "UPDATING"}, Kept.HIT),
        ({"x-cache": "BYPASS"}, Kept.PASSED),
        ({"x-cache": "Hit from cloudfront"}, Kept.HIT),
        ({"x-cache": "MISS, HIT"}, Kept.HIT),
        ({"cf-cache-status": "DYNAMIC"}, Kept.PASSED),
        ({"cf-cache-status": "REVALIDATED"}, Kept.HIT),
        ({"cache-status": "Origin; fwd=uri-miss, Edge; hit; ttl=1"}, Kept.HIT),
        ({"cache-status": "Edge; fwd=uri-miss; stored"}, Kept.MISS),
        ({"cache-status": "Edge; fwd=bypass"}, Kept.PASSED),
        ({}, Kept.UNKNOWN),
    ],
)
def test_what_headers_say(headers: dict[str, str], kept: Kept) -> None:
    assert kept_by({"cache-control": "public, s-maxage=2"} | headers) is kept


def test_an_answer_that_is_not_for_everyone_is_named_whatever_else_is_said() -> None:
    assert kept_by({"cache-control": "private, no-store", "x-cache": "HIT"}) is Kept.PRIVATE
    assert kept_by({"x-cache": "HIT"}) is Kept.PRIVATE
