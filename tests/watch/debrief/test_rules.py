"""The debrief's figures against values worked out by hand."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.invariant import Check
from tidegate.gate.queue.contracts import Finding as ProofFinding
from tidegate.gate.queue.contracts import Verification
from tidegate.watch.debrief.contracts import (
    AttemptSpan,
    Facts,
    FindingKind,
    Latency,
    PaymentTotals,
    SaleSpan,
    SoldOut,
    Target,
    Wanted,
)
from tidegate.watch.debrief.rules import debrief, merged, outages, result_of, span_seconds, totals
from tidegate.watch.rehearsal.contracts import Group, GroupResult

OPENING = datetime(2026, 11, 10, 16, 0, tzinfo=UTC)


def at(second: int) -> datetime:
    return OPENING + timedelta(seconds=second)


# Ten seconds: 100 orders a second, 90 of them paid at 20.00 each; from second 4 to 6 only 60 of 100.
SALES = tuple(
    SaleSpan(
        at=at(second),
        placed=100,
        placed_value=200_000,
        paid=60 if 4 <= second < 7 else 90,
        paid_value=120_000 if 4 <= second < 7 else 180_000,
        cancelled=2,
        expired=3,
    )
    for second in range(10)
)
# Channel harbour answers nothing from second 4 to 6, is avoided in second 5, and is back at second 7.
ATTEMPTS = (
    *(AttemptSpan(at=at(second), channel="harbour", captured=45, refused=1) for second in (0, 1, 2, 3, 7, 8, 9)),
    AttemptSpan(at=at(4), channel="harbour", captured=3, failed=20, unknown=1),
    AttemptSpan(at=at(6), channel="harbour", failed=1),
    *(AttemptSpan(at=at(second), channel="lantern", captured=45) for second in range(10)),
)
FACTS = Facts(
    campaign_id="double-11",
    title_zh="双十一",
    title_en="Double 11",
    version=3,
    currency="CNY",
    started_at=at(0),
    ended_at=at(10),
    opened_at=at(0),
    span_seconds=1,
    sales=SALES,
    attempts=ATTEMPTS,
    payments=PaymentTotals(tried=850, captured=810, captured_value=1_620_000, refunded_value=20_000),
    buyers=400,
    visitors=4_000,
    sold_out=(SoldOut(sku="KTL-1", name_zh="壶", name_en="Kettle", units=50, at=at(3)),),
    targets=(
        Target(kind="gmv", unit="money", target=1_600_000, at_least=True),
        Target(kind="conversion", unit="basis_points", target=800, at_least=True),
        Target(kind="payment_success", unit="basis_points", target=9950, at_least=True),
        Target(kind="search", unit="milliseconds", target=50, at_least=False),
        Target(kind="disputes", unit="basis_points", target=50, at_least=False),
    ),
    latencies=(Latency(name="order", requests=1000, failures=0, p50=12, p95=40, p99=90),),
    checks=(Check(name="stock adds up", holds=True, examined=50),),
)


def test_the_totals_are_the_sums_of_all_spans() -> None:
    sums = totals(SALES)
    assert (sums.placed, sums.paid, sums.cancelled, sums.expired) == (1000, 810, 20, 30)
    assert (sums.placed_value, sums.paid_value, sums.basket) == (2_000_000, 1_620_000, 2000)
    assert (sums.orders_peak, sums.orders_peak_at) == (100, at(0))
    assert sums.paid_share == pytest.approx(0.81)


def test_an_outage_lasts_from_the_first_unanswered_span_to_the_next_answered_one() -> None:
    (found,) = outages(ATTEMPTS, 1, at(10))
    assert (found.channel, found.started_at, found.ended_at, found.ended) == ("harbour", at(4), at(7), True)
    assert (found.failed, found.lasted) == (22, timedelta(seconds=3))


def test_what_the_outage_cost() -> None:
    (cost,) = debrief(FACTS, at(60)).outages
    assert (cost.placed, cost.paid) == (300, 180)
    assert cost.conversion == pytest.approx(0.6)
    assert cost.conversion_outside == pytest.approx(0.9)
    # 300 orders x 0.9 - 180 = 90 orders of 20.00
    assert (cost.lost_orders, cost.lost_value) == (90, 180_000)


def test_a_channel_that_does_not_come_back_is_out_until_the_end() -> None:
    gone = tuple(AttemptSpan(at=at(second), channel="lantern", failed=2) for second in (5, 6))
    (found,) = outages(gone, 1, at(10))
    assert (found.started_at, found.ended_at, found.ended) == (at(5), at(10), False)


def test_a_channel_that_goes_away_late_in_a_span_is_out_from_then_on() -> None:
    gone = AttemptSpan(at=at(1), channel="lantern", captured=20, failed=8)
    back = AttemptSpan(at=at(9), channel="lantern", captured=5)
    (found,) = outages((gone, back), 1, at(10))
    assert (found.started_at, found.ended_at, found.ended, found.failed) == (at(1), at(9), True, 8)
    at_once = AttemptSpan(at=at(2), channel="lantern", captured=20)
    assert outages((gone, at_once, back), 1, at(10)) == ()


def test_one_slip_and_a_refusal_are_no_outage() -> None:
    slips = (
        AttemptSpan(at=at(1), channel="lantern", unknown=1),
        AttemptSpan(at=at(2), channel="lantern", captured=1),
        AttemptSpan(at=at(3), channel="lantern", refused=20),
    )
    assert outages(slips, 1, at(10)) == ()


def test_channels_are_added_up() -> None:
    harbour, lantern = debrief(FACTS, at(60)).channels
    assert (harbour.captured, harbour.refused, harbour.failed, harbour.unknown) == (318, 7, 21, 1)
    assert (lantern.attempts, lantern.success) == (450, 1.0)


def test_goals_against_results() -> None:
    results = {each.goal.kind: (each.result, each.met) for each in debrief(FACTS, at(60)).goals}
    assert results == {
        "gmv": (1_620_000, True),
        "conversion": (1000, True),
        "payment_success": (9529, False),  # 810 of 850 is 95.294 %
        "search": (None, None),
        "disputes": (None, None),
    }


def test_a_share_just_below_its_goal_is_not_rounded_up_to_it() -> None:
    nearly = msgspec.structs.replace(
        FACTS, payments=PaymentTotals(tried=100_000, captured=99_499, captured_value=1, refunded_value=0)
    )
    goal = Target(kind="payment_success", unit="basis_points", target=9950, at_least=True)
    assert result_of(goal, nearly, totals(())) == 9949


def test_the_findings_in_order() -> None:
    kinds = [finding.kind for finding in debrief(FACTS, at(60)).findings]
    assert kinds == [
        FindingKind.SALES,
        FindingKind.PEAK,
        FindingKind.OUTAGE_COST,
        FindingKind.SOLD_OUT,
        FindingKind.LATENCY,
        FindingKind.GOALS_MISSED,
        FindingKind.CHECKS_HOLD,
    ]


GROUPS = (
    GroupResult(
        group=Group.SHOPPER,
        accounts=380,
        persons=380,
        placed=380,
        suspected=0,
        called=370,
        entered=365,
        orders=700,
        units=95,
        wait_seconds=14.2,
        fair_shares=1.0,
    ),
    GroupResult(
        group=Group.FARM,
        accounts=100,
        persons=20,
        placed=20,
        suspected=100,
        called=20,
        entered=20,
        orders=40,
        units=5,
        wait_seconds=None,
        fair_shares=1.0,
    ),
)
RANKS = ProofFinding(name="ranks", holds=True, examined=400)
IN_LINE = msgspec.structs.replace(
    FACTS,
    groups=GROUPS,
    wanted=Wanted(name_zh="壶", name_en="Kettle", units=100),
    draw=Verification(campaign_id="double-11", findings=(RANKS,)),
)


@pytest.mark.parametrize(("shares", "good"), [(0.0, True), (1.5, True), (1.51, False)])
def test_a_farm_is_held_against_the_fair_share(shares: float, *, good: bool) -> None:
    farm = msgspec.structs.replace(GROUPS[1], fair_shares=shares)
    made = debrief(msgspec.structs.replace(IN_LINE, groups=(GROUPS[0], farm)), at(60))
    (found,) = [each for each in made.findings if each.kind is FindingKind.FARM]
    assert found.good is good
    assert found.facts == {"accounts": 100, "persons": 20, "placed": 20, "units": 5, "shares": shares, "bar": 1.5}


def test_a_draw_that_does_not_agree_is_named() -> None:
    wrong = ProofFinding(name="seed hash", holds=False, examined=1, detail="another")
    broken = Verification(campaign_id="double-11", findings=(wrong, RANKS))
    made = debrief(msgspec.structs.replace(IN_LINE, draw=broken), at(60))
    assert FindingKind.DRAW_HOLDS not in {each.kind for each in made.findings}
    (found,) = [each for each in made.findings if each.kind is FindingKind.DRAW_BROKEN]
    assert (found.good, found.facts["broken"]) == (False, "seed hash")
    (held,) = [each for each in debrief(IN_LINE, at(60)).findings if each.kind is FindingKind.DRAW_HOLDS]
    assert (held.good, held.facts["places"]) == (True, 400)


def test_nothing_sold_is_said_as_such() -> None:
    empty = msgspec.structs.replace(FACTS, sales=(), attempts=(), sold_out=(), targets=(), latencies=(), checks=())
    kinds = [finding.kind for finding in debrief(empty, at(60)).findings]
    assert kinds == [FindingKind.NOTHING_SOLD, FindingKind.NO_OUTAGE, FindingKind.NOT_SOLD_OUT]


@pytest.mark.parametrize(("seconds", "length"), [(10, 1), (180, 1), (181, 2), (3600, 30), (86_400, 600)])
def test_spans_are_as_short_as_fits(seconds: int, length: int) -> None:
    assert span_seconds(at(0), at(seconds)) == length


@given(st.lists(st.integers(0, 1000), max_size=200), st.integers(1, 30))
def test_merging_spans_keeps_their_sums(placed: list[int], rows_max: int) -> None:
    spans = tuple(SaleSpan(at=at(place), placed=each, paid=each // 2) for place, each in enumerate(placed))
    rows = merged(spans, rows_max)
    assert len(rows) <= rows_max
    assert totals(rows).placed == sum(placed)
    assert totals(rows).paid == totals(spans).paid
