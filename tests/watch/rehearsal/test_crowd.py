"""Who is in the crowd, and what each group got: seats, groups, fair shares."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.http import network_of
from tidegate.watch.rehearsal.contracts import BotFarm, Group, GroupResult, Journey
from tidegate.watch.rehearsal.crowd import (
    HOUSEHOLD,
    Crowd,
    fair_share,
    farm_check,
    member_checks,
    results_of,
    wanted_sku,
)

FARM = BotFarm(accounts=600, persons=120, networks=25)


@given(
    early=st.integers(1, 400),
    late=st.integers(0, 200),
    farm_of=st.floats(0.0, 1.0),
    networks=st.integers(1, 30),
)
def test_every_account_of_a_farm_comes_early_and_everybody_has_an_address_of_his_own(
    early: int, late: int, farm_of: float, networks: int
) -> None:
    farm = BotFarm(accounts=round(early * farm_of), persons=1, networks=networks)
    seats = [Crowd(early + late, early, farm).seat(place) for place in range(early + late)]
    assert sum(seat.farm for seat in seats[:early]) == farm.accounts
    assert not any(seat.farm for seat in seats[early:])
    assert len({seat.client for seat in seats}) == len(seats)


def test_a_farm_sits_in_few_networks_and_shoppers_in_households() -> None:
    seats = [Crowd(3_600, 2_700, FARM).seat(place) for place in range(3_600)]
    farm, homes = (
        {network_of(seat.client, bytes_v4=3, bytes_v6=6) for seat in seats if seat.farm is of_farm}
        for of_farm in (True, False)
    )
    assert len(farm) == FARM.networks
    assert len(homes) == 3_000 // HOUSEHOLD
    assert not farm & homes


def test_without_a_farm_nobody_has_an_address() -> None:
    assert {Crowd(10, 5, None).seat(place) for place in range(10)} == {("", False, False)}


@given(total=st.integers(1, 600), share=st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]))
def test_members_are_spread_evenly_and_no_farm_has_any(total: int, share: float) -> None:
    farm = BotFarm(accounts=total // 4, persons=1, networks=3)
    seats = [Crowd(total, total, farm, share).seat(place) for place in range(total)]
    shoppers = [seat for seat in seats if not seat.farm]
    assert not any(seat.member for seat in seats if seat.farm)
    for count in range(len(shoppers) + 1):
        assert abs(sum(seat.member for seat in shoppers[:count]) - count * share) <= 1


def test_a_farm_larger_than_those_who_come_early_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Crowd(100, 50, BotFarm(accounts=51, persons=1, networks=1))


def test_what_all_want_is_scarce_but_not_for_everybody() -> None:
    offers = {"PEN": (100, 4_090), "PHN": (1_000, 383_900), "HOD": (1_400, 12_900), "LAP": (1_400, 421_900)}
    assert wanted_sku(offers, 3_000) == "LAP"
    assert wanted_sku(offers, 120) == "PEN"


def account(number: int) -> UUID:
    return UUID(int=number)


def journey(number: int, group: Group, *, placed: bool = True, wait: float | None = None) -> Journey:
    return Journey(
        account_id=account(number),
        group=group,
        placed=placed,
        called=wait is not None,
        entered=wait is not None,
        wait_seconds=wait,
    )


def test_groups_are_counted_apart_and_the_farm_by_its_persons() -> None:
    journeys = [
        journey(1, Group.SHOPPER, wait=4.0),
        journey(2, Group.SHOPPER, wait=8.0),
        journey(3, Group.LATECOMER, wait=20.0),
        journey(4, Group.FARM, wait=1.0),
        journey(5, Group.FARM, placed=False),
        journey(6, Group.FARM, placed=False),
    ]
    farm = BotFarm(accounts=3, persons=2, networks=1)
    shoppers, late, bots = results_of(journeys, farm, {account(1): 3, account(4): 2}, {account(1): 1, account(4): 1})
    assert shoppers == GroupResult(
        group=Group.SHOPPER,
        accounts=2,
        persons=2,
        placed=2,
        suspected=0,
        called=2,
        entered=2,
        orders=3,
        units=1,
        wait_seconds=6.0,
        fair_shares=1.0,
    )
    assert (bots.persons, bots.accounts, bots.placed, bots.units, bots.fair_shares) == (2, 3, 1, 1, 1.0)
    assert bots.refused_share == pytest.approx(2 / 3)
    assert (late.fair_shares, late.wait_seconds, late.orders) == (0.0, 20.0, 0)


def test_latecomers_have_no_say_in_what_a_fair_share_is() -> None:
    crowd = result(Group.SHOPPER, persons=100, units=50)
    assert fair_share([crowd, result(Group.LATECOMER, persons=900, units=50)]) == 0.5
    assert fair_share([result(Group.LATECOMER, persons=900, units=50)]) is None


def result(group: Group, *, persons: int, units: int) -> GroupResult:
    return GroupResult(
        group=group,
        accounts=persons,
        persons=persons,
        placed=persons,
        suspected=0,
        called=persons,
        entered=persons,
        orders=units,
        units=units,
        wait_seconds=None,
    )


@pytest.mark.parametrize(("units", "holds"), [(0, True), (50, True), (75, True), (76, False), (120, False)])
def test_a_farm_gets_at_most_one_and_a_half_fair_shares(units: int, *, holds: bool) -> None:
    crowd = result(Group.SHOPPER, persons=2_280, units=1_000 - units)
    found = farm_check([crowd, result(Group.FARM, persons=120, units=units)])
    assert found is not None
    assert found.holds is holds
    assert found.detail.endswith(f"shares: {units} units, 120 persons")


def test_a_small_farm_is_not_condemned_by_chance() -> None:
    found = farm_check([result(Group.SHOPPER, persons=88, units=35), result(Group.FARM, persons=12, units=8)])
    assert found is not None
    assert found.holds


def test_without_a_farm_or_a_sale_there_is_nothing_to_hold() -> None:
    assert farm_check([result(Group.SHOPPER, persons=10, units=4)]) is None
    assert farm_check([result(Group.SHOPPER, persons=10, units=0), result(Group.FARM, persons=10, units=0)]) is None
    empty = msgspec.structs.replace(result(Group.SHOPPER, persons=0, units=0), accounts=0)
    assert empty.refused_share is None


def in_lane(group: Group, *, members: int, wait: float | None) -> GroupResult:
    return msgspec.structs.replace(result(group, persons=10, units=4), members=members, wait_seconds=wait)


@pytest.mark.parametrize(
    ("members", "waits", "held"),
    [
        (10, (3.0, 9.0), [True, True]),
        (10, (9.0, 7.0), [True, True]),  # within one look
        (10, (9.0, 6.0), [True, False]),
        (9, (3.0, 9.0), [False, True]),
        (10, (None, 9.0), [True]),
    ],
)
def test_the_members_lane_is_for_members_and_called_no_later(
    members: int, waits: tuple[float | None, float], held: list[bool]
) -> None:
    results = [in_lane(Group.SHOPPER, members=0, wait=waits[1]), in_lane(Group.MEMBER, members=members, wait=waits[0])]
    assert [check.holds for check in member_checks(results)] == held


def test_without_a_members_lane_there_is_nothing_to_hold_of_it() -> None:
    assert member_checks([in_lane(Group.SHOPPER, members=2, wait=1.0)]) == []
