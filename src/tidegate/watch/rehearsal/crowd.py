"""Who is among the simulated shoppers: where each sits, which accounts are a bot farm's, and who got what."""

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from statistics import median
from typing import NamedTuple
from uuid import UUID

import msgspec

from tidegate.base.invariant import Check
from tidegate.watch.rehearsal.contracts import FAIR_SHARES_MAX, BotFarm, FloodPlan, Group, GroupResult, Journey

HOUSEHOLD = 2
"""So many shoppers share one network (an IPv6 /48)."""

WANTED_SHARE = 0.4
"""The product that all want is the flash offer whose units come nearest to this share of the shoppers."""

_NETWORKS_MAX = 0xF000
_DEVIATIONS = 4
_DRAWN = (Group.SHOPPER, Group.MEMBER, Group.FARM)


class Seat(NamedTuple):
    """Where one account sits: its client address, and whether a bot farm's program uses it."""

    client: str
    farm: bool


class Crowd:
    """The first `early` of `total` accounts come before the opening; a farm's are spread evenly over these.

    Addresses are of 2001:db8::/32, which stands for nobody (RFC 3849). Without a farm nobody has one.
    """

    def __init__(self, total: int, early: int, farm: BotFarm | None) -> None:
        if farm is not None and not farm.accounts <= early <= total:
            raise ValueError(f"a farm of {farm.accounts} accounts does not fit into the {early} who come early")
        self._farm = farm
        self._early = early

    def seat(self, place: int) -> Seat:
        """Return where account number `place` sits."""
        farm = self._farm
        if farm is None:
            return Seat("", farm=False)
        before, through = (min(each, self._early) * farm.accounts // self._early for each in (place, place + 1))
        if through > before:
            return Seat(
                f"2001:db8:{_NETWORKS_MAX + before % farm.networks:x}::{before // farm.networks + 1:x}", farm=True
            )
        home, seat = divmod(place - before, HOUSEHOLD)
        return Seat(f"2001:db8:{home % _NETWORKS_MAX:x}::{seat + 1:x}", farm=False)


def crowd_of(plan: FloodPlan, early: int) -> Crowd:
    """Return the crowd of a plan."""
    return Crowd(plan.shoppers, early, plan.farm)


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
        placed=sum(each.placed for each in members),
        suspected=sum(each.suspected for each in members),
        called=sum(each.called for each in members),
        entered=sum(each.entered for each in members),
        orders=sum(orders.get(each.account_id, 0) for each in members),
        units=sum(units.get(each.account_id, 0) for each in members),
        wait_seconds=median(waits) if waits else None,
    )
