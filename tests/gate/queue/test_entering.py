"""A batch of called places at the gate: in turn, never above the cap, each once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.errors import Refusal
from tidegate.gate.queue.board import Room
from tidegate.gate.queue.contracts import PlaceFacts, PlaceKind, Waiting, WaitReason
from tidegate.gate.queue.entering import EntryLedger
from tidegate.gate.queue.rows import EntryRow
from tidegate.offer.campaign.contracts import GuardedGoods, WaitingRoom

NOW = datetime(2026, 11, 10, 16, 1, tzinfo=UTC)
CALLED = NOW - timedelta(seconds=30)
PAUSED = Waiting(reason=WaitReason.PAUSED, retry_after=5)


def room(cap: int) -> Room:
    rules = WaitingRoom(
        opens_at=NOW - timedelta(minutes=10),
        seals_at=NOW - timedelta(minutes=2),
        cap=cap,
        per_minute=600,
        ramp_seconds=0,
        claim_seconds=60,
        pass_seconds=300,
        purchases=1,
        per_network=0,
        goods=GuardedGoods.EVERYTHING,
        lanes=(),
    )
    return Room(campaign_id="drop", rules=rules, opens_at=CALLED, closes_at=NOW + timedelta(hours=1))


def place(serial: int, device: int = 0) -> PlaceFacts:
    return PlaceFacts(
        campaign_id="drop",
        account_id=UUID(int=serial),
        device=UUID(int=device or serial),
        lane=0,
        kind=PlaceKind.DRAWN,
        serial=serial,
        number=0,
        joined_at=CALLED,
    )


def ledger(serials: set[int], *, inside: int = 0, entries: dict[int, EntryRow] | None = None) -> EntryLedger:
    holders = {serial: (UUID(int=serial), UUID(int=serial)) for serial in serials}
    return EntryLedger(entries or {}, holders, dict.fromkeys(serials, CALLED), inside=inside, now=NOW)


def skipped(serial: int, *, returned: bool) -> EntryRow:
    return EntryRow(
        serial=serial,
        called_at=CALLED,
        came_at=CALLED,
        asked_at=CALLED,
        returned=returned,
        entered_at=None,
        expires_at=None,
        purchases=0,
        ended_at=NOW,
        ended_by="skipped",
    )


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 20), st.data())
def test_a_batch_lets_each_in_once_and_never_more_than_the_cap(
    serials: list[int], cap: int, data: st.DataObject
) -> None:
    inside = data.draw(st.integers(0, cap))
    found = ledger(set(serials), inside=inside)
    answers = [found.decide(room(cap), place(serial), None) for serial in serials]
    in_order = list(dict.fromkeys(serials))
    assert [each.serial for each in found.admitted] == in_order[: cap - inside]
    assert [each.inside for each in found.admitted] == list(range(inside + 1, inside + 1 + len(found.admitted)))
    assert [each.serial for each in found.came] == in_order
    assert found.first_time == len(in_order)
    admitted = {each.serial for each in found.admitted}
    for serial, answer in zip(serials, answers, strict=True):
        assert isinstance(answer, EntryRow) == (serial in admitted)


def test_who_is_refused_takes_no_room_and_leaves_the_others_alone() -> None:
    found = ledger({1, 2}, entries={3: skipped(3, returned=True), 2: skipped(2, returned=False)})
    other_device, spent, back, fine = (
        found.decide(room(9), each, None) for each in (place(1, device=7), place(3), place(2), place(1))
    )
    assert isinstance(other_device, Refusal)
    assert isinstance(spent, Refusal)
    assert [isinstance(each, EntryRow) and each.returned for each in (back, fine)] == [True, False]
    assert [each.serial for each in found.admitted] == [2, 1]
    assert found.first_time == 1


def test_while_the_line_stands_still_coming_in_time_is_noted_and_who_is_inside_stays() -> None:
    found = ledger({1})
    assert found.decide(room(9), place(1), PAUSED) == PAUSED
    assert [each.serial for each in found.came] == [1]
    assert found.decide(room(9), place(1), None) == found.decide(room(9), place(1), PAUSED)
    assert found.asked_again == [1]
