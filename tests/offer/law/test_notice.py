"""Notice of changes: what counts as worse, what does not, and to which moment the days are counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.offer.festivals import START, coupon, definition, goods, limit, offer, phases
from tests.offer.law.test_checks import found
from tests.offer.promotions import amount_off, percent_off, promotion
from tests.offer.slots_made import flash, slot
from tests.sale.draws.festival import PRIZES, draw
from tests.sale.presale.presales_made import SKU, presale
from tidegate.offer.campaign.api import Severity
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Benefit,
    Bundle,
    CampaignDefinition,
    CampaignId,
    Earning,
    FreeShipping,
    Gift,
    GroupBuy,
    MemberPrice,
    NForM,
    NthPiece,
    Part,
    PercentOff,
    Phase,
    PhaseName,
    PointsOff,
    PromotionLimits,
    Selection,
    Step,
    UniqueCodes,
    Words,
)

DAY = timedelta(days=1)
LAW = "cn-ecommerce-34"
CODES = UniqueCodes(count=100, per_account=2)
CLAIMED = msgspec.structs.replace(coupon("CLAIM", quota=50, per_buyer=2), unique=CODES)
GROUP = GroupBuy(sku="G", price=5_900, size=3, fill_seconds=3_600, quota=30, per_buyer=2)
OFFERS = (offer("A", quota=100, per_buyer=3), offer("B"))
OFF = promotion("off", amount_off(10_000, 5_000))
EARLIER = msgspec.structs.replace(
    definition(
        OFFERS,
        entries=[goods(sku) for sku in ("A", "B", "G")] + [goods(SKU, 120_000)],
        coupons=[coupon(quota=10, per_buyer=2), CLAIMED],
        limits=[limit("two", ["A"])],
    ),
    promotions=(OFF,),
    presales=(presale(),),
    group_buys=(GROUP,),
    earning=Earning(paid=1_000, points=10, per_order=500),
    draws=(draw(),),
)


def changed(thing: Any, **changes: object) -> Any:
    return msgspec.structs.replace(thing, **changes)


def unique(**changes: object) -> dict[str, object]:
    return {"coupons": (EARLIER.coupons[0], changed(CLAIMED, unique=changed(CODES, **changes)))}


def first_coupon(**changes: object) -> dict[str, object]:
    return {"coupons": (changed(EARLIER.coupons[0], **changes), CLAIMED)}


def first_offer(**changes: object) -> dict[str, object]:
    return {"offers": (changed(OFFERS[0], **changes), OFFERS[1])}


def sale(starts: timedelta, ends: timedelta) -> tuple[Phase, ...]:
    """The phases with a burst that begins and ends so much after its old start."""
    times = {PhaseName.BURST: (START + starts, START + ends), PhaseName.WARM_UP: (START - 14 * DAY, START + starts)}
    return tuple(
        changed(each, starts_at=times[each.name][0], ends_at=times[each.name][1]) if each.name in times else each
        for each in phases()
    )


WORSE: Sequence[tuple[str, dict[str, object]]] = [
    ("price from CN¥80.00 to CN¥80.01", first_offer(price=8_001)),
    ("quota from 100 to 99", first_offer(quota=99)),
    ("units of one buyer from 3 to 2", first_offer(per_buyer=2)),
    ("coupons do not apply", first_offer(coupons=False)),
    ("reductions leave to pay from CN¥0.00 to CN¥0.01", {"goods": (changed(goods("A"), floor=1), *EARLIER.goods[1:])}),
    ("B is not on offer", {"offers": OFFERS[:1]}),
    ("limit", {"limits": (limit("two", ["A"], per_buyer=1),)}),
    ("limit", {"limits": (limit("two", ["A", "B"]),)}),
    ("limit", {"limits": (*EARLIER.limits, limit("all", per_buyer=9))}),
    ("limit", {"limits": (changed(EARLIER.limits[0], per_device=5),)}),
    ("end of the sale", {"phases": sale(0 * DAY, 2 * DAY)}),
    ("start of the sale", {"phases": sale(1 * DAY, 3 * DAY)}),
    ("uses in all from 10 to 9", first_coupon(quota=9)),
    ("uses of one buyer from 2 to 1", first_coupon(per_buyer=1)),
    ("amount off", first_coupon(off=4_999)),
    ("claimed first", first_coupon(unique=CODES)),
    ("coupons in all from 100 to 99", unique(count=99)),
    ("claims of one account from 2 to 1", unique(per_account=1)),
    ("start of claims", unique(claims_open_at=START)),
    ("end of claims", unique(claims_close_at=START + DAY)),
    ("validity", unique(valid_until_at=START + DAY)),
    ("days valid from the claim from no limit to 1", unique(valid_days=1)),
    ("fewer people", unique(audience=(Audience.NEW,))),
    ("do not offer it", unique(button=False)),
    ("does not come back", unique(back_on_refund=False)),
    ("no points", {"earning": None}),
    ("fewer points", {"earning": changed(EARLIER.earning, points=9)}),
    ("fewer points", {"earning": changed(EARLIER.earning, paid=1_001)}),
    ("fewer points", {"earning": changed(EARLIER.earning, per_order=499)}),
    ("not sold to groups", {"group_buys": ()}),
    ("price from CN¥59.00", {"group_buys": (changed(GROUP, price=5_901),)}),
    ("buyers in a group from 3 to 4", {"group_buys": (changed(GROUP, size=4),)}),
    ("seconds to fill", {"group_buys": (changed(GROUP, fill_seconds=3_599),)}),
    ("quota from 30 to 29", {"group_buys": (changed(GROUP, quota=29),)}),
    ("units of one buyer from 2 to 1", {"group_buys": (changed(GROUP, per_buyer=1),)}),
    ("quota from 10 to 9", {"presales": (presale(quota=9),)}),
    ("units of one buyer from 2 to 1", {"presales": (presale(per_buyer=1),)}),
    ("start of deposits", {"presales": (changed(presale(), deposit_from_at=START + timedelta(hours=1)),)}),
    ("the draw", {"draws": ()}),
    ("threshold", {"draws": (draw(threshold=EARLIER.draws[0].threshold + 1),)}),
    ("is withdrawn", {"draws": (draw(prizes=PRIZES[1:]),)}),
    ("the number of", {"draws": (draw(prizes=(changed(PRIZES[0], count=PRIZES[0].count - 1), *PRIZES[1:])),)}),
    ("the time to claim a prize becomes 30 days instead of unlimited", {"draws": (draw(claim_days=30),)}),
    ("the worth of", {"draws": (draw(prizes=(changed(PRIZES[0], value=PRIZES[0].value - 1), *PRIZES[1:])),)}),
]


@pytest.mark.parametrize(("says", "change"), WORSE)
def test_what_is_worse_needs_seven_days_notice_and_the_reverse_none(says: str, change: dict[str, object]) -> None:
    later = changed(EARLIER, **change)
    [finding] = found(LAW, later, earlier=EARLIER)
    assert finding.severity is Severity.WARNING
    assert says in finding.what.en
    assert "before it takes effect, fewer than 7" in finding.what.en
    assert "少于 7 天" in finding.what.zh
    assert (finding.article.zh, finding.reference) == ("《电子商务法》第34条", "E-Commerce Law of the PRC (2018)")
    assert finding.mend.zh.startswith("恢复原规则")
    assert finding.mend.en.startswith("put the old rule back")
    if says != "claimed first":  # a coupon that everybody writes becomes one of few codes, or the reverse
        assert found(LAW, EARLIER, earlier=later) == []


def promoted(*promotions: object) -> CampaignDefinition:
    return msgspec.structs.replace(EARLIER, promotions=promotions)


FLASH = flash(slot("one", 60, 60, 5, per_account=2), slot("two", 240, 60, 5))
GIVES_LESS: Sequence[tuple[Benefit, Benefit]] = [
    (amount_off(10_000, 5_000), amount_off(10_000, 500)),
    (amount_off(10_000, 5_000), amount_off(10_001, 5_000)),
    (AmountOff(steps=(Step(100, 10), Step(200, 30))), AmountOff(steps=(Step(100, 10), Step(300, 30)))),
    (AmountOff(steps=(Step(100, 10),), every=True), AmountOff(steps=(Step(100, 10),), every=True, cap=50)),
    (AmountOff(steps=(Step(100, 10),), every=True), AmountOff(steps=(Step(60, 9),), every=True)),
    (AmountOff(steps=(Step(100, 10),), every=True), AmountOff(steps=(Step(100, 10),))),
    (percent_off(5_000), percent_off(500)),
    (percent_off(5_000, 2), percent_off(5_000, 3)),
    (percent_off(5_000), PercentOff(steps=(Step(1, 5_000),), cap=100)),
    (percent_off(5_000), amount_off(1, 100)),
    (NForM(take=3, pay=2), NForM(take=4, pay=3)),
    (NthPiece(nth=2, off=5_000), NthPiece(nth=2, off=4_000)),
    (Bundle(parts=(Part("A", 1), Part("B", 1)), price=100), Bundle(parts=(Part("A", 1), Part("B", 1)), price=101)),
    (Bundle(parts=(Part("A", 2), Part("B", 1)), price=100), Bundle(parts=(Part("A", 1), Part("B", 1)), price=100)),
    (MemberPrice(prices=(("A", 10), ("B", 10))), MemberPrice(prices=(("A", 9),))),
    (MemberPrice(prices=(("A", 10),)), MemberPrice(prices=(("A", 11),))),
    (Gift(sku="B", reach=100, every=True), Gift(sku="B", reach=100)),
    (Gift(sku="B", reach=100), Gift(sku="G", reach=100)),
    (Gift(sku="B", reach=100, quantity=2), Gift(sku="B", reach=100)),
    (FreeShipping(reach=100), FreeShipping(reach=101)),
    (PointsOff(points=100, share=2_000), PointsOff(points=101, share=2_000)),
    (PointsOff(points=100, share=2_000), PointsOff(points=100, share=1_999)),
    (FLASH.benefit, flash(slot("one", 60, 60, 4), slot("two", 240, 60, 5)).benefit),
    (FLASH.benefit, flash(slot("one", 60, 60, 5, per_account=1), slot("two", 240, 60, 5)).benefit),
    (FLASH.benefit, flash(slot("one", 60, 59, 5), slot("two", 240, 60, 5)).benefit),
    (FLASH.benefit, flash(slot("one", 61, 60, 5), slot("two", 240, 60, 5)).benefit),
    (FLASH.benefit, flash(slot("two", 240, 60, 5)).benefit),
    (FLASH.benefit, flash(slot("one", 60, 60, 5), slot("two", 240, 60, 5), price=5_001).benefit),
]


@pytest.mark.parametrize(("before", "after"), GIVES_LESS)
def test_a_promotion_that_gives_less_in_the_running_sale_is_a_warning(before: Benefit, after: Benefit) -> None:
    at = START + timedelta(minutes=30)
    old, new = promoted(promotion("p", before)), promoted(promotion("p", after))
    [finding] = found(LAW, new, earlier=old, at=at)
    assert (finding.severity, finding.path) == (Severity.WARNING, ("promotion", 0))
    assert '"Promotion p" become worse: it gives less, 0 days before it takes effect' in finding.what.en


GIVES_MORE: Sequence[tuple[Benefit, Benefit]] = [
    (amount_off(10_000, 500), amount_off(9_000, 5_000)),
    (AmountOff(steps=(Step(100, 10),)), AmountOff(steps=(Step(100, 10), Step(200, 30)))),
    (AmountOff(steps=(Step(100, 10),), every=True, cap=50), AmountOff(steps=(Step(50, 5),), every=True)),
    (PercentOff(steps=(Step(1, 500),), cap=100), percent_off(5_000)),
    (NForM(take=3, pay=2), NForM(take=3, pay=1)),
    (NthPiece(nth=3, off=5_000), NthPiece(nth=2, off=5_000)),
    (MemberPrice(prices=(("A", 10),)), MemberPrice(prices=(("B", 9), ("A", 10)))),
    (Gift(sku="B", reach=100), Gift(sku="B", reach=100, every=True, quantity=2)),
    (FreeShipping(reach=100), FreeShipping()),
    (PointsOff(points=100, share=2_000), PointsOff(points=50, share=2_000)),
    (FLASH.benefit, flash(slot("one", 50, 80, 6), slot("two", 240, 60, 5), slot("three", 400, 9, 1)).benefit),
]


@pytest.mark.parametrize(("before", "after"), GIVES_MORE)
def test_one_that_gives_more_is_told(before: Benefit, after: Benefit) -> None:
    old, new = promoted(promotion("p", before)), promoted(promotion("p", after))
    assert [each.severity for each in found(LAW, new, earlier=old)] == [Severity.NOTICE]


NARROWER: Sequence[tuple[str, dict[str, object]]] = [
    ("fewer goods", {"goods": Selection(but=("A",))}),
    ("fewer goods", {"goods": Selection(skus=("A", "B", "G"))}),
    ("fewer people", {"audience": (Audience.NEW,)}),
    ("fewer people", {"tiers": ("gold",)}),
    ("fewer people", {"segments": ("big-spender",)}),
    ("fewer people", {"condition": "points > 3", "facts": ("points",)}),
    ("needs the coupon TIDE50", {"coupon": "TIDE50"}),
    ("less often", {"limits": PromotionLimits(total=100)}),
    ("for less money", {"limits": PromotionLimits(budget=100)}),
    ("combines", {"group": "one-of"}),
    ("combines", {"stacks_with": ()}),
    ("combines", {"priority": 7}),
    ("start from", {"starts_at": START + DAY}),
    ("end from", {"ends_at": START + DAY}),
]


@pytest.mark.parametrize(("says", "change"), NARROWER)
def test_a_promotion_for_fewer_or_for_less_time_is_a_warning(says: str, change: dict[str, object]) -> None:
    narrower = promoted(changed(OFF, **change))
    [finding] = found(LAW, narrower, earlier=EARLIER)
    assert (finding.severity, says in finding.what.en) == (Severity.WARNING, True), finding.what.en
    if "priority" not in change:
        assert [each.severity for each in found(LAW, EARLIER, earlier=narrower)] == [Severity.NOTICE]


def test_a_longer_period_for_the_same_uses_is_less_often() -> None:
    week, month = (promoted(changed(OFF, limits=PromotionLimits(per_period=1, period_days=days))) for days in (7, 30))
    assert [each.severity for each in found(LAW, month, earlier=week)] == [Severity.WARNING]
    assert [each.severity for each in found(LAW, week, earlier=month)] == [Severity.NOTICE]


def test_other_words_or_bearers_of_a_promotion_are_told() -> None:
    relabelled = promoted(changed(OFF, label=Words("立减", "Off")))
    assert [each.severity for each in found(LAW, relabelled, earlier=EARLIER)] == [Severity.NOTICE]


def test_a_limit_that_another_one_implied_is_not_new() -> None:
    split = changed(EARLIER, limits=(limit("of-a", ["A"]), limit("also", ["A"], per_buyer=5)))
    assert found(LAW, split, earlier=EARLIER) == []


def test_notice_of_a_presale_counts_to_its_deposits() -> None:
    begins = START - 14 * DAY
    early = changed(presale(), deposit_from_at=begins)
    of, dearer = (changed(EARLIER, presales=(each,)) for each in (early, changed(early, deposit=10_001)))
    [finding] = found(LAW, dearer, earlier=of, at=START - 10 * DAY)
    assert "deposit from CN¥100.00 to CN¥100.01, 0 days before it takes effect" in finding.what.en
    assert found(LAW, dearer, earlier=of, at=begins - 7 * DAY) == []
    # Deposits that are put off were promised for their old time.
    put_off = changed(EARLIER, presales=(changed(presale(), deposit=10_001),))
    [finding] = found(LAW, put_off, earlier=of, at=begins - 3 * DAY)
    assert "3 days before it takes effect" in finding.what.en
    # Whoever has not reserved by the end of deposits has nothing to lose.
    ended = changed(early, deposit_until_at=START - 11 * DAY)
    assert found(LAW, changed(EARLIER, presales=()), earlier=changed(EARLIER, presales=(ended,)), at=START - DAY) == []


def test_what_holds_for_every_purchase_counts_to_the_first_deposit() -> None:
    of = changed(EARLIER, presales=(changed(presale(), deposit_from_at=START - 14 * DAY),))
    [finding] = found(LAW, changed(of, payment_minutes=10), earlier=of, at=START - 10 * DAY)
    assert "0 days before it takes effect" in finding.what.en
    assert found(LAW, changed(EARLIER, payment_minutes=10), earlier=EARLIER, at=START - 10 * DAY) == []


def test_notice_of_a_coupon_counts_to_its_claims() -> None:
    """They open with the warm-up, fourteen days before the sale."""
    fewer = changed(EARLIER, **unique(count=99))
    [finding] = found(LAW, fewer, earlier=EARLIER, at=START - 10 * DAY)
    assert "0 days before it takes effect" in finding.what.en
    assert found(LAW, fewer, earlier=EARLIER, at=START - 21 * DAY) == []
    shared = changed(EARLIER, **first_coupon(quota=9))
    assert found(LAW, shared, earlier=EARLIER, at=START - 10 * DAY) == []
    gone = changed(EARLIER, coupons=EARLIER.coupons[:1])
    over = changed(EARLIER, **unique(valid_until_at=START + DAY))
    assert [each.path for each in found(LAW, gone, earlier=over, at=START + timedelta(hours=23))] == [("coupon",)]
    assert found(LAW, gone, earlier=over, at=START + DAY) == []


def test_putting_the_sale_off_makes_no_notice_of_what_was_promised_for_its_old_time() -> None:
    later = changed(EARLIER, phases=sale(30 * DAY, 33 * DAY), **first_offer(price=9_000))
    said = [each.what.en for each in found(LAW, later, earlier=EARLIER, at=START - 3 * DAY)]
    assert len(said) == 2
    assert all("3 days before it takes effect" in each for each in said)


def test_notice_of_a_promotion_counts_to_its_own_time_and_one_that_is_over_is_gone() -> None:
    late = changed(OFF, starts_at=START + 2 * DAY)
    less = changed(late, benefit=amount_off(10_000, 500))
    [finding] = found(LAW, promoted(less), earlier=promoted(late), at=START - 4 * DAY)
    assert (finding.severity, "6 days before it takes effect" in finding.what.en) == (Severity.WARNING, True)
    assert found(LAW, promoted(less), earlier=promoted(late), at=START - 5 * DAY) == []
    first_day = promoted(changed(OFF, ends_at=START + DAY))
    assert found(LAW, promoted(), earlier=first_day, at=START + DAY) == []
    slots = flash(slot("one", 60, 60, 5), slot("two", 240, 60, 5))
    without_one = promoted(flash(slot("two", 240, 60, 5)))
    at = START + timedelta(hours=2)
    assert [each.severity for each in found(LAW, without_one, earlier=promoted(slots), at=at)] == [Severity.NOTICE]


def test_a_sale_that_is_ended_at_once_is_found() -> None:
    ended = changed(EARLIER, phases=sale(0 * DAY, 1 * DAY))
    at = START + 2 * DAY
    assert "end of the sale" in found(LAW, ended, earlier=EARLIER, at=at)[0].what.en
    assert found(LAW, ended, earlier=EARLIER, at=START + 3 * DAY) == []


def test_a_prize_that_is_not_sent_any_more_is_worse_and_one_that_is_sent_now_is_not() -> None:
    sent = changed(EARLIER, draws=(draw(prizes=tuple(changed(each, sent=True) for each in PRIZES)),))
    [finding] = found(LAW, EARLIER, earlier=sent)
    assert '"A pot" is not sent any more' in finding.what.en
    assert found(LAW, sent, earlier=EARLIER) == []


def test_a_shorter_time_to_claim_a_prize_is_worse_and_a_longer_one_is_not() -> None:
    long, short = (changed(EARLIER, draws=(draw(claim_days=days),)) for days in (30, 29))
    [finding] = found(LAW, short, earlier=long)
    assert "领奖期限由 30 天变为 29 天" in finding.what.zh
    assert found(LAW, long, earlier=short) == []


def test_what_is_drawn_after_the_sale_is_owed_after_the_sale() -> None:
    late = draw(drawn_at=START + 4 * DAY)
    of, without = (changed(EARLIER, draws=draws) for draws in ((late,), ()))
    [finding] = found(LAW, without, earlier=of, at=START + 3 * DAY)
    assert 'the draw "The draw" is withdrawn' in finding.what.en
    assert found(LAW, without, earlier=of, at=START + 4 * DAY) == []


def test_a_sale_that_is_brought_forward_is_missed_at_its_old_time() -> None:
    plain = definition([offer("A")])
    forward = changed(plain, phases=sale(-12 * DAY, -9 * DAY))
    assert found(LAW, forward, earlier=plain, at=START - 13 * DAY) == []
    near = changed(plain, phases=sale(-5 * DAY, -2 * DAY))
    [finding] = found(LAW, near, earlier=plain, at=START - 6 * DAY)
    assert "earlier, 6 days before it takes effect" in finding.what.en


def test_a_running_sale_that_begins_anew_within_the_hour_and_lasts_as_long_may() -> None:
    plain = definition([offer("A")])
    at = START + DAY
    anew = {"hours": 24, "minutes": 60}
    again = changed(plain, phases=sale(timedelta(**anew), 5 * DAY))
    assert found(LAW, again, earlier=plain, at=at) == []
    longer = changed(plain, phases=sale(timedelta(hours=25, seconds=1), 5 * DAY))
    assert len(found(LAW, longer, earlier=plain, at=at)) == 1
    shorter = changed(plain, phases=sale(timedelta(**anew), 2 * DAY))
    assert len(found(LAW, shorter, earlier=plain, at=at)) == 2


OTHER = changed(EARLIER, id=CampaignId("double-12"))


@pytest.mark.parametrize(
    ("at", "short"),
    [
        (START - 7 * DAY, False),
        (START - 7 * DAY + timedelta(seconds=1), True),
        (START + 3 * DAY - timedelta(seconds=1), True),
        (START + 3 * DAY, False),
    ],
)
def test_another_id_over_a_sale_needs_the_same_notice_as_another_version(at: datetime, short: bool) -> None:
    dearer = changed(OTHER, presales=(), offers=(changed(OFFERS[0], price=8_001), OFFERS[1]))
    running = changed(EARLIER, presales=())
    findings = found(LAW, dearer, running=running, at=at)
    assert [each.severity for each in findings] == [Severity.WARNING] * short
    for finding in findings:
        assert finding.what.en.startswith('in place of the campaign "Double 11" (double-11), which is published: ')
        assert "price from CN¥80.00 to CN¥80.01" in finding.what.en
        assert finding.what.zh.startswith("取代已公布的活动“双十一”（double-11）：")
    assert found(LAW, OTHER, running=EARLIER, at=at) == []


def test_another_campaign_takes_no_draw_away_whose_entries_stand() -> None:
    assert found(LAW, changed(OTHER, draws=()), running=EARLIER) == []
    [withdrawn] = found(LAW, changed(OTHER, draws=()), earlier=EARLIER)
    assert "draw" in withdrawn.what.en
