"""The rule of who goes without, without a database."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.errors import Refusal
from tidegate.sale.shortfall.contracts import Forecast, Line, Outcome, Remedy, StateShortfall
from tidegate.sale.shortfall.errors import MoreThanThere, NothingMissing, ShortfallMalformed
from tidegate.sale.shortfall.rules import (
    command_refusal,
    forecast,
    latest_paid,
    missing_of,
    newest_unpaid,
    request_hash,
    unsettled,
    with_waiting,
)
from tidegate.sale.stock.contracts import HoldState, Level, Promise, Units

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)
TODAY = NOON.date()


def held(number: int, units: int = 1, *, reserved: bool = False) -> Promise:
    return Promise(order_id=UUID(int=number), units=units, state=HoldState.HELD, reserved=reserved, sold_at=None)


def sold(number: int, units: int = 1) -> Promise:
    at = NOON + timedelta(seconds=number)
    return Promise(order_id=UUID(int=number), units=units, state=HoldState.SOLD, reserved=False, sold_at=at)


def stated(**more: object) -> StateShortfall:
    said = {"sku": "A", "there": 5, "remedy": "refund", "reason": "wet pallet"} | more
    return msgspec.convert({name: each for name, each in said.items() if each is not None}, StateShortfall)


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (stated(), None),
        (stated(there=None, missing=2), None),
        (stated(remedy="later", deliver_by="2026-11-12"), None),
        (stated(missing=2), ShortfallMalformed),
        (stated(there=None), ShortfallMalformed),
        (stated(remedy="later"), ShortfallMalformed),
        (stated(deliver_by="2026-11-12"), ShortfallMalformed),
        (stated(remedy="later", deliver_by="2026-11-11"), ShortfallMalformed),
        (stated(reason="   "), ShortfallMalformed),
    ],
)
def test_a_statement_says_one_count_and_a_day_only_for_later(
    command: StateShortfall, refused: type[Refusal] | None
) -> None:
    assert type(command_refusal(command, TODAY)) is (refused or type(None))


def test_how_many_are_missing() -> None:
    level = Level(sku="A", loaded=10, held=1, sold=4, missing=2)
    assert missing_of(stated(there=5), level) == 3
    assert missing_of(stated(there=None, missing=8), level) == 8
    assert isinstance(missing_of(stated(there=8), level), NothingMissing)
    assert isinstance(missing_of(stated(there=9), level), NothingMissing)
    assert isinstance(missing_of(stated(there=None, missing=9), level), MoreThanThere)


def test_the_newest_unpaid_and_then_the_latest_paid_go_without() -> None:
    queue = [held(9, 2), held(8), held(7), sold(6, 3), sold(5, 2), sold(4)]
    assert newest_unpaid(queue, 1) == [UUID(int=9)]
    assert newest_unpaid(queue, 3) == [UUID(int=9), UUID(int=8)]
    assert newest_unpaid(queue, 99) == [UUID(int=9), UUID(int=8), UUID(int=7)]
    paid = queue[3:]
    assert latest_paid(paid, "A", 4, ()) == [Units(UUID(int=6), "A", 3), Units(UUID(int=5), "A", 1)]
    assert latest_paid(paid, "A", 4, {UUID(int=6)}) == [Units(UUID(int=5), "A", 2), Units(UUID(int=4), "A", 1)]


def test_a_payment_under_way_is_waited_for_and_a_reservation_is_left_to_staff() -> None:
    queue = [held(9, 2), held(8, reserved=True), sold(6, 3)]
    assert newest_unpaid(queue, 5) == [UUID(int=9)]
    assert latest_paid(queue, "A", 2, ()) == []
    assert latest_paid(queue, "A", 3, ()) == [Units(UUID(int=6), "A", 1)]
    assert unsettled(3, queue, NOON + timedelta(minutes=1)) == 1
    assert unsettled(3, queue, NOON) == 0


QUEUE = st.lists(st.integers(1, 5), max_size=8).flatmap(
    lambda units: st.integers(0, len(units)).map(
        lambda paid: [
            held(100 - place, each) if place < len(units) - paid else sold(100 - place, each)
            for place, each in enumerate(units)
        ]
    )
)


@given(QUEUE, st.integers(0, 10), st.integers(1, 50))
def test_what_is_foreseen_adds_up_and_takes_no_unit_more_than_is_missing(
    queue: list[Promise], free: int, missing: int
) -> None:
    units = {state: sum(each.units for each in queue if each.state is state) for state in HoldState}
    level = Level(sku="A", loaded=free + sum(units.values()), held=units[HoldState.HELD], sold=units[HoldState.SOLD])
    missing = min(missing, level.loaded)
    seen = forecast(level, missing, queue, ())
    assert seen.there == level.loaded - missing
    assert seen.free_units == min(free, missing)
    assert seen.unmet_units == 0
    beyond = seen.free_units + seen.unpaid_units + seen.paid_units - missing
    # A whole unpaid order is given up; of paid ones not a unit more.
    assert 0 <= beyond < 5
    assert seen.paid_units == 0 or beyond == 0
    assert seen.paid_units == 0 or seen.unpaid_units == units[HoldState.HELD]


def test_what_is_foreseen_of_reservations_is_for_staff() -> None:
    level = Level(sku="A", loaded=5, held=2, sold=2)
    queue = [held(9, 2, reserved=True), sold(5, 2)]
    assert forecast(level, 5, queue, {UUID(int=5)}) == Forecast(
        there=0, missing=5, free_units=1, unpaid_orders=0, unpaid_units=0, paid_orders=0, paid_units=0, unmet_units=4
    )


def line(number: int, units: int, **more: object) -> Line:
    made = Line(
        line_id=UUID(int=number),
        act_id=UUID(int=1),
        order_id=UUID(int=2),
        buyer_id=UUID(int=3),
        sku="A",
        units=units,
        outcome=Outcome.LATER,
        deliver_by=date(2026, 12, 1),
        reason="wet pallet",
        amount=0,
        refund_id=None,
        decided_at=NOON,
        declined_at=None,
    )
    return msgspec.structs.replace(made, **more)


def test_what_still_waits_is_what_stock_has_and_never_more() -> None:
    declined = line(2, 2, declined_at=NOON)
    refunded = line(3, 2, outcome=Outcome.REFUNDED)
    told = with_waiting([line(1, 2), declined, refunded, line(4, 3)], {"A": 4})
    assert [each.waiting for each in told] == [2, 0, 0, 2]
    assert [each.waiting for each in with_waiting([line(1, 2)], {})] == [0]


def test_the_same_statement_has_the_same_hash_and_any_other_another() -> None:
    assert request_hash("c", stated()) == request_hash("c", stated())
    others = {request_hash("c", stated(there=4)), request_hash("d", stated()), request_hash("c", stated(reason="dry"))}
    assert len(others) == 3
    assert request_hash("c", stated()) not in others
    assert Remedy(stated().remedy) is Remedy.REFUND
