"""Who is among the simulated shoppers: where each sits, which accounts are a bot farm's, and who got what."""

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from statistics import median
from typing import NamedTuple
from uuid import UUID

import msgspec

from tidegate.base.invariant import Check
from tidegate.watch.rehearsal.contracts import (
    FAIR_SHARES_MAX,
    LOOK_SECONDS,
    BotFarm,
    FloodPlan,
    Group,
    GroupResult,
    Journey,
)

HOUSEHOLD = 2
"""So many shoppers share one network (an IPv6 /48)."""

WANTED_SHARE = 0.4
"""The product that all want is the flash offer whose units come nearest to this share of the shoppers."""

_NETWORKS_MAX = 0xF000
_DEVIATIONS = 4
_DRAWN = (Group.SHOPPER, Group.MEMBER, Group.FARM)


class Seat(NamedTuple):
    """Where one account sits: its client address, whether a bot farm's program uses it, and whether it is a member."""

    client: str
    farm: bool
    member: bool = False


class Crowd:
    """The first `early` of `total` accounts come before the opening; a farm's are spread evenly over these. Members are
    spread evenly over all others.

    Addresses are of 2001:db8::/32, which stands for nobody (RFC 3849). Without a farm nobody has one.
    """

    def __init__(self, total: int, early: int, farm: BotFarm | None, member_share: float = 0.0) -> None:
        if farm is not None and not farm.accounts <= early <= total:
            raise ValueError(f"a farm of {farm.accounts} accounts does not fit into the {early} who come early")
        self._farm = farm
        self._early = early
        self._member_share = member_share

    def seat(self, place: int) -> Seat:
        """Return where account number `place` sits."""
        farm = self._farm
        if farm is None:
            return Seat("", farm=False, member=self._is_member(place))
        before, through = (min(each, self._early) * farm.accounts // self._early for each in (place, place + 1))
        if through > before:
            return Seat(
                f"2001:db8:{_NETWORKS_MAX + before % farm.networks:x}::{before // farm.networks + 1:x}", farm=True
            )
        home, seat = divmod(place - before, HOUSEHOLD)
        client = f"2001:db8:{home % _NETWORKS_MAX:x}::{seat + 1:x}"
        return Seat(client, farm=False, member=self._is_member(place - before))

    def _is_member(self, shopper: int) -> bool:
        """Return whether shopper number so-and-so, the farm's accounts not counted, is a member."""
        return int((shopper + 1) * self._member_share) > int(shopper * self._member_share)


def crowd_of(plan: FloodPlan, early: int) -> Crowd:
    """Return the crowd of a plan: there are members in it where the line has a lane for them."""
    has_lane = plan.line is not None and plan.line.member_lanes
    return Crowd(plan.shoppers, early, plan.farm, plan.line.member_share if plan.line and has_lane else 0.0)


def wanted_sku(units: Mapping[str, tuple[int, int]], shoppers: int) -> str:
    """Return the product that all want, of flash offers given as units and price: scarce, but not for everybody.

    Of those whose units are equally near to WANTED_SHARE of the shoppers, the dearest.
    """
    return min(units, key=lambda sku: (abs(units[sku][0] - WANTED_SHARE * shoppers), -units[sku][1], sku))


def results_of(
    journeys: Iterable[Journey], farm: BotFarm | None, orders: Mapping[UUID, int], units: Mapping[UUID, int]
) -> tuple[GroupResult, ...]:
    """Return what each group got, in the order of groups; `orders` and `units` are those of each account."""
    by_group: dict[Group, list[Journey]] = {}
    for journey in journeys:
        by_group.setdefault(journey.group, []).append(journey)
    results = [_result(group, by_group[group], farm, orders, units) for group in Group if group in by_group]
    fair = fair_share(results)
    if not fair:
        return tuple(results)
    return tuple(
        msgspec.structs.replace(each, fair_shares=each.units / each.persons / fair if each.persons else None)
        for each in results
    )


def fair_share(results: Sequence[GroupResult]) -> float | None:
    """Return the units of the wanted product for each distinct person of the groups that were in the draw."""
    drawn = [each for each in results if each.group in _DRAWN]
    persons = sum(each.persons for each in drawn)
    return sum(each.units for each in drawn) / persons if persons else None


def farm_check(results: Sequence[GroupResult]) -> Check | None:
    """Hold the farm's units against FAIR_SHARES_MAX fair shares; None without a farm in the draw.

    Where the farm is so small that chance alone may exceed these, four standard deviations above one fair share are
    let pass: each person's unit is a draw of its own.
    """
    farm = next((each for each in results if each.group is Group.FARM), None)
    fair = fair_share(results)
    if farm is None or not fair:
        return None
    expected = farm.persons * fair
    chance = expected + _DEVIATIONS * sqrt(expected * max(1 - fair, 0.0))
    return Check(
        name=f"line: the bot farm got at most {FAIR_SHARES_MAX} fair shares for each person it has",
        holds=farm.units <= max(FAIR_SHARES_MAX * expected, chance),
        examined=sum(each.units for each in results),
        detail=f"{farm.units / expected:.2f} shares: {farm.units} units, {farm.persons} persons",
    )


def member_checks(results: Sequence[GroupResult]) -> list[Check]:
    """Hold what those in the members' lane had against its promise; nothing where nobody stood in it."""
    by_group = {each.group: each for each in results}
    members, others = by_group.get(Group.MEMBER), by_group.get(Group.SHOPPER)
    if members is None:
        return []
    checks = [
        Check(
            name="line: nobody but members stood in the members' lane",
            holds=members.members == members.accounts,
            examined=members.accounts,
            detail="" if members.members == members.accounts else f"{members.accounts - members.members} strangers",
        )
    ]
    if others is not None and members.wait_seconds is not None and others.wait_seconds is not None:
        checks.append(
            Check(
                name="line: members, whose lane has the larger share for each, waited no longer than other shoppers",
                holds=members.wait_seconds <= others.wait_seconds + LOOK_SECONDS,
                examined=members.entered + others.entered,
                detail=f"{members.wait_seconds:.1f} s, others {others.wait_seconds:.1f} s",
            )
        )
    return checks


def _result(
    group: Group,
    members: Sequence[Journey],
    farm: BotFarm | None,
    orders: Mapping[UUID, int],
    units: Mapping[UUID, int],
) -> GroupResult:
    waits = [each.wait_seconds for each in members if each.wait_seconds is not None]
    return GroupResult(
        group=group,
        accounts=len(members),
        persons=farm.persons if group is Group.FARM and farm is not None else len(members),
        members=sum(each.member for each in members),
        placed=sum(each.placed for each in members),
        suspected=sum(each.suspected for each in members),
        called=sum(each.called for each in members),
        entered=sum(each.entered for each in members),
        orders=sum(orders.get(each.account_id, 0) for each in members),
        units=sum(units.get(each.account_id, 0) for each in members),
        wait_seconds=median(waits) if waits else None,
    )
