"""What a benefit takes off, as integers: each kind knows how much, for which lines, and by what weights it is split.

`places` are the lines that count, `base` what each line has still to pay when the layer begins, `units` how many units
each has. No line is ever taken apart into its units: pieces are runs of equal price. All of them take off at least as
much when more counts, which is what the bounds of `choosing` rest on.
"""

from collections.abc import Sequence
from typing import Protocol

from tidegate.offer.campaign.contracts import (
    AmountOff,
    Benefit,
    Bundle,
    FlashPrice,
    FreeShipping,
    Gift,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    Part,
    PercentOff,
    PointsOff,
)

BASIS_POINTS = 10_000


class Reckoner(Protocol):
    """How one benefit is reckoned."""

    def reckon(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
        """What it takes off, in minor units (of a gift: units given), and how many times it applies."""
        ...

    def weights(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> list[int]:
        """By what the amount is split over `places`."""
        ...

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """What the next step needs: measure, how much more, and what it then takes off (0 = unknown)."""
        ...


def _ceil_part(amount: int, basis_points: int) -> int:
    """A part of an amount, rounded up: in the buyer's favour (order 56 of SAMR, article 21)."""
    return -(-amount * basis_points // BASIS_POINTS)


class _Stepped:
    """What has thresholds: the base of what counts, by amount or by pieces."""

    __slots__ = ("pieces", "steps")

    def __init__(self, measure: Measure, steps: Sequence[tuple[int, int]]) -> None:
        self.pieces = measure is Measure.PIECES
        self.steps = sorted(steps)

    def reached(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> int:
        """How much of the measure there is."""
        measured = units if self.pieces else base
        return measured[places[0]] if len(places) == 1 else sum([measured[place] for place in places])

    def step(self, reached: int) -> int:
        """What the highest reached step takes off, 0 for none."""
        off = 0
        for reach, step_off in self.steps:
            if reach > reached:
                break
            off = step_off
        return off

    def gaps(self, reached: int, most: int) -> list[int]:
        """How much more each further step needs, up to `most`; nothing where pieces are counted."""
        return [] if self.pieces else [reach - reached for reach, _ in self.steps if 0 < reach - reached <= most]

    def weights(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> list[int]:
        """All that counts, by what it has to pay."""
        del units
        return [base[place] for place in places]

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """How far the next step is."""
        reached = self.reached(places, base, units)
        measure = Measure.PIECES if self.pieces else Measure.AMOUNT
        for reach, off in self.steps:
            if reach > reached:
                return measure, reach - reached, off
        return measure, 0, 0


class AmountReckoner(_Stepped):
    """满减: an amount from a threshold on."""

    __slots__ = ("cap", "every", "times_max")

    def __init__(self, benefit: AmountOff, times_max: int) -> None:
        super().__init__(benefit.measure, [(step.reach, step.off) for step in benefit.steps])
        self.every = benefit.every
        self.cap = benefit.cap
        self.times_max = times_max

    def reckon(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
        """The highest step, or the only one as often as it is reached, up to its cap."""
        reached = self.reached(places, base, units)
        if not self.every:
            off = self.step(reached)
            return (min(off, self.cap) if self.cap else off), 1
        reach, off = self.steps[0]
        times = reached // reach if reach else 1
        if self.times_max and times > self.times_max:
            times = self.times_max
        off *= times
        return (min(off, self.cap) if self.cap else off), times

    def gaps(self, reached: int, most: int) -> list[int]:
        """How much more each further step, or each further time, needs, up to `most`."""
        if not self.every or self.pieces or not self.steps[0][0]:
            return super().gaps(reached, most)
        reach = self.steps[0][0]
        return list(range(reach - reached % reach, most + 1, reach))

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """How far the next step, or the next time, is."""
        if not self.every or not self.steps[0][0]:
            return super().missing(places, base, units)
        reached = self.reached(places, base, units)
        reach, off = self.steps[0]
        times = reached // reach
        measure = Measure.PIECES if self.pieces else Measure.AMOUNT
        if (self.times_max and times >= self.times_max) or (self.cap and off * times >= self.cap):
            return measure, 0, 0
        return measure, reach * (times + 1) - reached, off


class PercentReckoner(_Stepped):
    """满折: a part of what counts from a threshold on."""

    __slots__ = ("cap",)

    def __init__(self, benefit: PercentOff) -> None:
        super().__init__(benefit.measure, [(step.reach, step.off) for step in benefit.steps])
        self.cap = benefit.cap

    def reckon(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
        """The part of the highest step, rounded up, up to the cap."""
        amount = base[places[0]] if len(places) == 1 else sum([base[place] for place in places])
        reached = self.reached(places, base, units) if self.pieces else amount
        off = _ceil_part(amount, self.step(reached))
        return (min(off, self.cap) if self.cap else off), 1

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """How far the next step is; what it takes off depends on what is added."""
        measure, more, _ = super().missing(places, base, units)
        return measure, more, 0


class PieceReckoner:
    """N for M and nth piece: of every group of pieces, dearest first, the last `cheap` are `off` cheaper."""

    __slots__ = ("cheap", "group", "off", "times_max")

    def __init__(self, group: int, cheap: int, off: int, times_max: int) -> None:
        self.group = group
        self.cheap = cheap
        self.off = off
        self.times_max = times_max

    def _runs(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> list[tuple[int, int, int]]:
        """Price of one, place and units of each line, dearest first."""
        return sorted([(base[place] // units[place], place, units[place]) for place in places], key=_dearest_first)

    def _times(self, pieces: int) -> int:
        times = pieces // self.group
        return min(times, self.times_max) if self.times_max else times

    def reckon(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
        """The cheapest of each complete group."""
        pieces = units[places[0]] if len(places) == 1 else sum([units[place] for place in places])
        times = self._times(pieces)
        if not times:
            return 0, 0
        if len(places) == 1:
            return times * self.cheap * _ceil_part(base[places[0]] // pieces, self.off), times
        end, start, before, off = times * self.group, 0, 0, 0
        for price, _, count in self._runs(places, base, units):
            start = min(start + count, end)
            cheap = self._cheap_before(start)
            off += (cheap - before) * _ceil_part(price, self.off)
            before = cheap
            if start == end:
                break
        return off, times

    def _cheap_before(self, position: int) -> int:
        """How many of the first pieces are the cheaper ones of their group."""
        groups, rest = divmod(position, self.group)
        return groups * self.cheap + max(0, rest - (self.group - self.cheap))

    def weights(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> list[int]:
        """The pieces that are in complete groups, by their price."""
        end = self._times(sum(units[place] for place in places)) * self.group
        taken: dict[int, int] = {}
        start = 0
        for price, place, count in self._runs(places, base, units):
            stop = min(start + count, end)
            taken[place] = (stop - start) * price
            start = stop
        return [taken[place] for place in places]

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """How many pieces the next group needs."""
        del base
        pieces = sum(units[place] for place in places)
        if self.times_max and pieces // self.group >= self.times_max:
            return Measure.PIECES, 0, 0
        return Measure.PIECES, self.group - pieces % self.group, 0


def _dearest_first(run: tuple[int, int, int]) -> tuple[int, int]:
    return -run[0], run[1]


class BundleReckoner:
    """套餐: all parts together at one price. Its places are its parts in the order of their SKUs, or it is not met."""

    __slots__ = ("parts", "price", "times_max")

    def __init__(self, benefit: Bundle, times_max: int) -> None:
        self.parts = [part.quantity for part in sorted(benefit.parts, key=_sku)]
        self.price = benefit.price
        self.times_max = times_max

    def reckon(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
        """What the parts cost alone less the price, as many times as they are there."""
        if len(places) < len(self.parts):
            return 0, 0
        times, alone = self.times_max or units[places[0]], 0
        for place, quantity in zip(places, self.parts, strict=True):
            times = min(times, units[place] // quantity)
            alone += quantity * (base[place] // units[place])
        return (times * (alone - self.price), times) if alone > self.price else (0, 0)

    def weights(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> list[int]:
        """The units that are in bundles, by their price."""
        return [quantity * (base[place] // units[place]) for place, quantity in zip(places, self.parts, strict=True)]

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """At least how many pieces: one of each part that is not there."""
        del base, units
        return Measure.PIECES, max(len(self.parts) - len(places), 0), 0


class GiftReckoner(_Stepped):
    """赠品: how many units come free."""

    __slots__ = ("every", "quantity", "times_max")

    def __init__(self, benefit: Gift, times_max: int) -> None:
        super().__init__(benefit.measure, [(benefit.reach, benefit.quantity)])
        self.every = benefit.every
        self.quantity = benefit.quantity
        self.times_max = times_max

    def reckon(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
        """Units given."""
        reach, quantity = self.steps[0]
        reached = self.reached(places, base, units)
        times = (reached // reach if self.every and reach else 1) if reached >= reach else 0
        if self.times_max and times > self.times_max:
            times = self.times_max
        return quantity * times, times


class ReachReckoner(_Stepped):
    """包邮: whether a threshold is reached."""

    __slots__ = ()

    def __init__(self, benefit: FreeShipping) -> None:
        super().__init__(benefit.measure, [(benefit.reach, 1)])

    def reckon(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[int, int]:
        """1 when it is reached."""
        return self.step(self.reached(places, base, units)), 1


def reckoner(benefit: Benefit, times_max: int) -> Reckoner | None:
    """How a benefit is reckoned; None for those that are a price of their own or a way to pay."""
    found: Reckoner | None = None
    match benefit:
        case AmountOff():
            found = AmountReckoner(benefit, times_max)
        case PercentOff():
            found = PercentReckoner(benefit)
        case NForM(take=take, pay=pay):
            found = PieceReckoner(take, take - pay, BASIS_POINTS, times_max)
        case NthPiece(nth=nth, off=off):
            found = PieceReckoner(nth, 1, off, times_max)
        case Bundle():
            found = BundleReckoner(benefit, times_max)
        case Gift():
            found = GiftReckoner(benefit, times_max)
        case FreeShipping():
            found = ReachReckoner(benefit)
        case MemberPrice() | FlashPrice() | PointsOff():
            pass
    return found


def _sku(part: Part) -> str:
    return part.sku
