"""Laws of the score, and of networks."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.gate.bots import rules
from tidegate.gate.bots.contracts import Evidence, Lane, Reason, Signals
from tidegate.gate.bots.errors import UndoNotValid
from tidegate.gate.bots.networks import Networks

NOW = datetime(2026, 11, 11, tzinfo=UTC)
CLEAN = Signals(shown_ms=5_000, fingerprint=True)
WORSE = {
    "honeypot_field": True,
    "honeypot_link": True,
    "honeypot_goods": True,
    "automation": True,
    "headless": True,
    "shown_ms": 0,
    "datacenter": True,
    "device_accounts": 50,
    "fingerprint": False,
}
signals = st.builds(
    Signals,
    honeypot_field=st.booleans(),
    honeypot_link=st.booleans(),
    honeypot_goods=st.booleans(),
    automation=st.booleans(),
    headless=st.booleans(),
    shown_ms=st.integers(0, 10_000),
    datacenter=st.booleans(),
    device_accounts=st.integers(0, 10),
    fingerprint=st.booleans(),
)


def test_a_person_scores_nothing() -> None:
    assert rules.score(CLEAN).points == 0
    assert rules.score(CLEAN).reasons == ()


def test_reasons_name_the_heaviest_first() -> None:
    found = rules.score(msgspec.structs.replace(CLEAN, headless=True, honeypot_field=True))
    assert found.points == 70
    assert found.reasons == (
        Reason(evidence=Evidence.HONEYPOT_FIELD, points=50),
        Reason(evidence=Evidence.HEADLESS, points=20),
    )
    assert rules.lane(found.points) is Lane.SLOW
    assert rules.work_factor(found.points) == 3


@given(signals, st.sampled_from(sorted(WORSE)))
def test_more_evidence_never_lowers_score_lane_or_work(seen: Signals, name: str) -> None:
    worse = msgspec.structs.replace(seen, **{name: WORSE[name]})
    before, after = rules.score(seen).points, rules.score(worse).points
    assert 0 <= before <= after <= 100
    assert rules.work_factor(before) <= rules.work_factor(after) <= 4
    assert (rules.lane(before), rules.lane(after)) != (Lane.SLOW, Lane.NORMAL)


@given(signals)
def test_the_score_is_the_sum_of_its_reasons(seen: Signals) -> None:
    found = rules.score(seen)
    assert found.points == min(100, sum(reason.points for reason in found.reasons))
    assert [reason.points for reason in found.reasons] == sorted((r.points for r in found.reasons), reverse=True)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 4))
def test_work_rises_with_load_and_has_a_ceiling(calm: float, busy: float, suspicion: int) -> None:
    low, high = sorted((calm, busy))
    easy, hard = (rules.tries(suspicion, rules.load_factor(load)) for load in (low, high))
    assert rules.TRIES_BASE <= easy <= hard <= rules.TRIES_MAX


def test_doubtful_evidence_alone_slows_nobody() -> None:
    for name in ("headless", "shown_ms", "datacenter", "device_accounts", "fingerprint", "automation"):
        seen = msgspec.structs.replace(CLEAN, **{name: WORSE[name]})
        assert rules.lane(rules.score(seen).points) is Lane.NORMAL


@pytest.mark.parametrize("ends_in", [timedelta(0), timedelta(days=-1), timedelta(days=30, seconds=1)])
def test_an_undo_ends_ahead_and_not_too_late(ends_in: timedelta) -> None:
    with pytest.raises(UndoNotValid):
        rules.undo_end(NOW + ends_in, NOW)


blocks = st.tuples(st.integers(0, 2**32 - 1), st.integers(4, 32)).map(lambda it: str(ip_network(it, strict=False)))


@given(st.lists(blocks, max_size=8), st.integers(0, 2**32 - 1))
def test_a_lookup_agrees_with_looking_at_every_network(lines: list[str], number: int) -> None:
    address = ip_address(number)
    expected = any(address in ip_network(line) for line in lines)
    assert (str(address) in Networks(lines)) is expected
    assert (f"::ffff:{address}" in Networks(lines)) is expected
    assert "nonsense" not in Networks(lines)


@given(st.integers(1, 30 * 24 * 60))
def test_a_course_has_at_most_a_hundred_spans_of_whole_minutes(minutes: int) -> None:
    span = rules.span_seconds(minutes)
    assert span % 60 == 0
    assert minutes * 60 <= span * rules.SPANS_MAX


@pytest.mark.parametrize(("minutes", "seconds"), [(15, 60), (60, 60), (1_440, 900), (10_080, 7_200)])
def test_the_spans_of_the_page_are_round(minutes: int, seconds: int) -> None:
    assert rules.span_seconds(minutes) == seconds
