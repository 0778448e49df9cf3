"""The order of a whole run: tests that wait and tests that compute take turns, and no long one ends it.

Slow ones wait for clocks, browsers and killed processes; side by side they would leave the processors idle. So they are
spread among the quick ones, groups first and the largest before all, and the last part of a run is quick ones alone.
"""

from itertools import chain
from typing import Final

import pytest

SPREAD_OVER: Final = 0.8
"""The part of the quick tests among which the slow ones stand."""


def in_turns(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in another order; those of one group stay together, in theirs."""
    units: dict[object, list[pytest.Item]] = {}
    for item in items:
        group = item.get_closest_marker("xdist_group")
        units.setdefault(group.args[0] if group else item, []).append(item)
    quick = [unit for unit in units.values() if not any(map(_is_slow, unit))]
    slow = sorted((unit for unit in units.values() if any(map(_is_slow, unit))), key=_rank)
    turns = {id(unit): number / len(slow) * SPREAD_OVER for number, unit in enumerate(slow)}
    turns |= {id(unit): number / len(quick) for number, unit in enumerate(quick)}
    return list(chain.from_iterable(sorted([*slow, *quick], key=lambda unit: turns[id(unit)])))


def _rank(unit: list[pytest.Item]) -> tuple[bool, int]:
    return unit[0].get_closest_marker("xdist_group") is None, -len(unit)


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None
