"""Matching two books: every line of either side is told exactly once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tidegate.sale.payment.reconciliation import Entry, match

FROM = datetime(2026, 11, 11, tzinfo=UTC)
TO = FROM + timedelta(hours=1)


def entry(reference: str, amount: int = 100, *, kind: str = "charge", minutes: float = 5) -> Entry:
    return Entry(kind, reference, amount, "CNY", FROM + timedelta(minutes=minutes))


def test_each_kind_of_difference_is_named() -> None:
    ours = [entry("same"), entry("only-here"), entry("other", 90), entry("twice"), entry("same", 40, kind="refund")]
    theirs = [entry("same"), entry("only-there"), entry("other", 91), entry("twice"), entry("twice"), entry("asked")]
    theirs.append(entry("same", 40, kind="refund"))
    found = match(ours, theirs, outstanding=frozenset({"asked"}), from_at=FROM, to_at=TO)
    assert [(each.kind, each.reference) for each in found.matched] == [
        ("charge", "same"),
        ("charge", "twice"),
        ("refund", "same"),
    ]
    assert [each.reference for each in found.missing_there] == ["only-here"]
    assert [each.reference for each in found.missing_here] == ["only-there"]
    assert [(each.reference, each.ours, each.theirs) for each in found.amount_differs] == [("other", 90, 91)]
    assert [(each.reference, each.ours, each.theirs) for each in found.duplicated] == [("twice", 100, 200)]
    assert [each.reference for each in found.under_way] == ["asked"]


def test_a_line_that_one_side_booked_outside_the_range_still_matches() -> None:
    found = match(
        [entry("edge", minutes=59.9)], [entry("edge", minutes=60.1)], outstanding=frozenset(), from_at=FROM, to_at=TO
    )
    assert len(found.matched) == 1
    assert found.missing_here == found.missing_there == []


LINES = st.lists(
    st.builds(
        entry,
        st.sampled_from("abcdefgh"),
        st.integers(1, 3),
        kind=st.sampled_from(["charge", "refund"]),
        minutes=st.sampled_from([-5.0, 5.0, 70.0]),
    ),
    max_size=12,
)


@given(ours=LINES, theirs=LINES, outstanding=st.frozensets(st.sampled_from("abcdefgh")))
def test_every_line_in_range_is_told_once(ours: list[Entry], theirs: list[Entry], outstanding: frozenset[str]) -> None:
    mine = list({(each.kind, each.reference): each for each in ours}.values())
    found = match(mine, theirs, outstanding=outstanding, from_at=FROM, to_at=TO)
    told = [each for part in (found.matched, found.missing_there, found.amount_differs) for each in part]
    assert len(told) == sum(FROM <= each.booked_at < TO for each in mine)
    keys = {(each.kind, each.reference) for each in mine}
    strange = {(each.kind, each.reference): each for each in theirs if (each.kind, each.reference) not in keys}
    in_range = sum(FROM <= each.booked_at < TO for each in strange.values())
    assert len(found.missing_here) + len(found.under_way) == in_range
