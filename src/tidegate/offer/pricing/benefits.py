"""Each kind of benefit: as the figures by which the kernel reckons what it takes off, and what its next step needs.

`places` are the lines that count, `base` what each line has still to pay when the layer begins, `units` how many units
each has.
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
from tidegate.offer.pricing.kernel import Figures, Kind

BASIS_POINTS = 10_000


class Reckoner(Protocol):
    """How one benefit is reckoned."""

    def figures(self) -> Figures:
        """What the kernel reckons with."""
        ...

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """What the next step needs: measure, how much more, and what it then takes off (0 = unknown)."""
        ...


class _Stepped:
    """What has thresholds: the base of what counts, by amount or by pieces."""

    __slots__ = ("measure", "steps")

    def __init__(self, measure: Measure, steps: Sequence[tuple[int, int]]) -> None:
        self.measure = measure
        self.steps = tuple(sorted(steps))

    def reached(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> int:
        """How much of the measure there is."""
        measured = units if self.measure is Measure.PIECES else base
        return sum([measured[place] for place in places])

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """How far the next step is."""
        reached = self.reached(places, base, units)
        for reach, off in self.steps:
            if reach > reached:
                return self.measure, reach - reached, off
        return self.measure, 0, 0


class AmountReckoner(_Stepped):
    """满减: an amount from a threshold on."""

    __slots__ = ("cap", "every", "times_max")

    def __init__(self, benefit: AmountOff, times_max: int) -> None:
        super().__init__(benefit.measure, [(step.reach, step.off) for step in benefit.steps])
        self.every = benefit.every
        self.cap = benefit.cap
        self.times_max = times_max

    def figures(self) -> Figures:
        """The highest step, or the only one as often as it is reached, up to its cap."""
        by_pieces = self.measure is Measure.PIECES
        return Figures(Kind.AMOUNT, by_pieces, self.every, self.cap, self.times_max, steps=self.steps)

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """How far the next step, or the next time, is."""
        if not self.every or not self.steps[0][0]:
            return super().missing(places, base, units)
        reached = self.reached(places, base, units)
        reach, off = self.steps[0]
        times = reached // reach
        if (self.times_max and times >= self.times_max) or (self.cap and off * times >= self.cap):
            return self.measure, 0, 0
        return self.measure, reach * (times + 1) - reached, off


class PercentReckoner(_Stepped):
    """满折: a part of what counts from a threshold on."""

    __slots__ = ("cap",)

    def __init__(self, benefit: PercentOff) -> None:
        super().__init__(benefit.measure, [(step.reach, step.off) for step in benefit.steps])
        self.cap = benefit.cap

    def figures(self) -> Figures:
        """The part of the highest step, rounded up, up to the cap."""
        return Figures(Kind.PERCENT, self.measure is Measure.PIECES, cap=self.cap, steps=self.steps)

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

    def figures(self) -> Figures:
        """The cheapest of each complete group."""
        return Figures(Kind.PIECE, times_max=self.times_max, group=self.group, cheap=self.cheap, off=self.off)

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """How many pieces the next group needs."""
        del base
        pieces = sum(units[place] for place in places)
        if self.times_max and pieces // self.group >= self.times_max:
            return Measure.PIECES, 0, 0
        return Measure.PIECES, self.group - pieces % self.group, 0


class BundleReckoner:
    """套餐: all parts together at one price. Its places are its parts in the order of their SKUs, or it is not met."""

    __slots__ = ("parts", "price", "times_max")

    def __init__(self, benefit: Bundle, times_max: int) -> None:
        self.parts = [part.quantity for part in sorted(benefit.parts, key=_sku)]
        self.price = benefit.price
        self.times_max = times_max

    def figures(self) -> Figures:
        """What the parts cost alone less the price, as many times as they are there."""
        parts = tuple((quantity,) for quantity in self.parts)
        return Figures(Kind.BUNDLE, times_max=self.times_max, price=self.price, steps=parts)

    def missing(self, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> tuple[Measure, int, int]:
        """At least how many pieces: one of each part that is not there."""
        del base, units
        return Measure.PIECES, max(len(self.parts) - len(places), 0), 0


class GiftReckoner(_Stepped):
    """赠品: how many units come free."""

    __slots__ = ("every", "times_max")

    def __init__(self, benefit: Gift, times_max: int) -> None:
        super().__init__(benefit.measure, [(benefit.reach, benefit.quantity)])
        self.every = benefit.every
        self.times_max = times_max

    def figures(self) -> Figures:
        """Units given."""
        by_pieces = self.measure is Measure.PIECES
        return Figures(Kind.GIFT, by_pieces, self.every, times_max=self.times_max, steps=self.steps)


class ReachReckoner(_Stepped):
    """包邮: whether a threshold is reached."""

    __slots__ = ()

    def __init__(self, benefit: FreeShipping) -> None:
        super().__init__(benefit.measure, [(benefit.reach, 1)])

    def figures(self) -> Figures:
        """1 when it is reached."""
        return Figures(Kind.REACH, self.measure is Measure.PIECES, steps=self.steps)


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


def is_reached(reckoner: object, places: Sequence[int], base: Sequence[int], units: Sequence[int]) -> bool:
    """Whether the lowest threshold is; what has none is always."""
    return not isinstance(reckoner, _Stepped) or reckoner.reached(places, base, units) >= reckoner.steps[0][0]


def _sku(part: Part) -> str:
    return part.sku
