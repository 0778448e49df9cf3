"""Chooses the best combination of rules for the shopper: branch and bound, bounded, the same for the same input.

A combination is a set of rules and, where two of them may not share a line, which of the two has it. A rule always has
all its lines but those that such a rival has.
Its worth is the money taken off, shipping included; among equals, the value of gifts. Three steps, each only if the one
before cannot prove that it has the best:

1. nothing excludes anything and no threshold of a later stage is lost by an earlier reduction: all rules apply;
2. stage by stage, each knot of rules that exclude each other is solved on its own;
3. all rules together, from the better of that and of "the lower priority first" on, until the work allowed is done.

What then remains unproven is the regret: no combination is better by more than that.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from tidegate.offer.pricing.applying import Applied, Chosen, Frame, apply_all, apply_stage, take_off
from tidegate.offer.pricing.benefits import BASIS_POINTS, AmountReckoner, PercentReckoner
from tidegate.offer.pricing.book import Book, Rule, Stage, bits_of

WORK_MAX = 3_000
"""Lines looked at in one search."""
NEGLECTED = 2
"""Minor units for which nothing is searched: what the rounding of percentages could gain."""
SEARCHED_MAX = 40
"""More candidates than that are not searched: each takes what is free, the one that can take most off first."""
CONTESTED_MAX = 4
"""Of up to so many contested lines every way of leaving some to rivals is tried; beyond, all lines of some rivals, and
of more rivals than that, of one or all."""
_MONEY = 1 << 56
"""Weighs one minor unit of money against the value of gifts, so that any money is more than all gifts."""

Fee = Callable[[Sequence[int], Chosen], int]
"""What shipping costs when the lines have so much left to pay after these rules."""


class Choice:
    """What the chosen rules do, in the order in which they apply, and leave; the regret, and the work done."""

    __slots__ = ("done", "left", "regret", "work")

    def __init__(self, done: list[Applied], left: list[int], regret: int, work: int) -> None:
        self.done = done
        self.left = left
        self.regret = regret
        self.work = work


class Candidate:
    """A rule that could take something off; `foes` are the later candidates that may not share its lines."""

    __slots__ = ("foes", "mask", "most", "places", "rule")

    def __init__(self, rule: Rule, places: Sequence[int], most: int) -> None:
        self.rule = rule
        self.places = places
        self.mask = 0
        self.most = most
        self.foes: list[int] = []


def choose(book: Book, frame: Frame, rows: Iterable[tuple[Rule, Sequence[int]]], fee: Fee, full_fee: int) -> Choice:
    """Choose among the rules of `rows`, which stand in the order in which they apply."""
    candidates = []
    for rule, places in rows:
        off = frame.reckon(rule, places, frame.base)[0]
        if off > 0 and (most := _worth(book, rule, off)) > 0:
            candidates.append(Candidate(rule, places, most))
    rivals = _find_foes(book, candidates)
    everything = [(each.rule, each.places) for each in candidates]
    if not rivals:
        done, left = apply_all(frame, everything)
        if _is_steady(frame, everything, done, left, fee):
            return Choice(done, left, 0, 0)
    return _solve(book, frame, candidates, fee, full_fee)


def _worth(book: Book, rule: Rule, off: int) -> int:
    return off * book.values[rule.gift.sku] if rule.gift else off * _MONEY


def _find_foes(book: Book, candidates: Sequence[Candidate]) -> bool:
    """Find who may not share a line with whom; whether there is any such pair."""
    numbers = {each.rule.bit: number for number, each in enumerate(candidates)}
    at: dict[int, int] = {}
    rivals = [(each, foes) for each in candidates if (foes := book.foes(each.rule))]
    for each, _ in rivals:
        own = 1 << each.rule.bit
        for place in each.places:
            at[place] = at.get(place, 0) | own
    found = False
    for each, foes in rivals:
        near = 0
        for place in each.places:
            near |= at[place]
        bit = each.rule.bit
        later = (near & foes) >> bit
        if later:
            each.foes = [numbers[bit + step] for step in bits_of(later)]
            found = True
    return found


def _mask(candidate: Candidate) -> int:
    if not candidate.mask:
        candidate.mask = sum(1 << place for place in candidate.places)
    return candidate.mask


def _is_steady(frame: Frame, everything: Chosen, done: Sequence[Applied], left: Sequence[int], fee: Fee) -> bool:
    """Whether leaving a rule out could not let another take off more than that rule did.

    It could where a later stage loses a step, or free shipping, by what was taken off before, where a floor binds, or
    where several rounded-up percentages come together on tiny reductions.
    """
    later = bool(everything) and everything[-1][0].stage is not everything[0][0].stage
    if any(each.given_up for each in done) or _is_tight(frame, done, left):
        return False
    if fee(left, everything) > fee(frame.base, ()):
        return False
    return not later or _keeps_steps(frame, everything, done)


def _is_tight(frame: Frame, done: Sequence[Applied], left: Sequence[int]) -> bool:
    """Whether some line of several rules pays no more than its floor."""
    floors = frame.floors
    return len(done) > 1 and any(left[place] <= floors[place] for each in done for place in each.places)


def _keeps_steps(frame: Frame, everything: Chosen, done: Sequence[Applied]) -> bool:
    """Whether the rules of the later stage reach the same steps as if nothing had been taken off before."""
    base = frame.base[:]
    smallest = 0
    for each in done:
        if each.rule.stage is Stage.SHOP and not each.rule.gift:
            smallest = min(smallest, each.off) if smallest else each.off
            for place, part in zip(each.places, each.parts, strict=True):
                base[place] -= part
    rates = count = 0
    for rule, places in everything:
        if rule.stage is Stage.SHOP:
            continue
        reckoner = rule.reckoner
        if isinstance(reckoner, PercentReckoner):
            step = reckoner.step(reckoner.reached(places, base, frame.units))
            if step != reckoner.step(reckoner.reached(places, frame.base, frame.units)):
                return False
            rates, count = rates + step, count + 1
        elif frame.reckon(rule, places, base)[0] != frame.reckon(rule, places, frame.base)[0]:
            return False
    return rates * smallest + count * BASIS_POINTS <= smallest * BASIS_POINTS or not count or not smallest


def _solve(book: Book, frame: Frame, candidates: Sequence[Candidate], fee: Fee, full_fee: int) -> Choice:
    """Steps 2 and 3."""
    by_stage = _by_stage(book, frame, candidates)
    done, left, layered, work = by_stage.done, by_stage.left, by_stage.chosen, by_stage.work
    best = sum(_worth(book, each.rule, each.off) for each in done) + (full_fee - fee(left, layered)) * _MONEY
    gain = _gain_bound(frame, candidates, done) if by_stage.proven else None
    if gain is not None:
        bound = best + (gain + max(fee(left, layered) - fee(frame.base, ()), 0)) * _MONEY
    else:
        late, more = _bound(book, frame, candidates)
        bound = by_stage.early + late
        bound += max(full_fee - fee(frame.base, ()), 0) * _MONEY
        work += more
    if bound - best <= NEGLECTED * _MONEY:
        return Choice(done, left, max(bound - best, 0) // _MONEY, work)
    search = _Search(book, frame, candidates, fee, full_fee)
    search.best, search.chosen = best, layered
    search.stopped = len(candidates) > SEARCHED_MAX
    if not search.stopped:
        search.run()
    if search.chosen is not layered:
        done, left = apply_all(frame, search.chosen)
    regret = max(bound - search.best, 0) // _MONEY if search.stopped else 0
    return Choice(done, left, regret, work + search.work)


class _ByStage:
    """The best of each stage given the one before, and what it does."""

    __slots__ = ("chosen", "done", "early", "left", "proven", "work")

    def __init__(self, frame: Frame) -> None:
        self.chosen: list[tuple[Rule, Sequence[int]]] = []
        self.done: list[Applied] = []
        self.left = frame.base
        self.early = 0
        """The most that the first stage can take off."""
        self.work = 0
        self.proven = True
        """Whether each knot was solved to its end."""


def _by_stage(book: Book, frame: Frame, candidates: Sequence[Candidate]) -> _ByStage:
    found = _ByStage(frame)
    for stage in (Stage.SHOP, Stage.PLATFORM):
        members = [number for number, each in enumerate(candidates) if each.rule.stage is stage]
        if not members:
            continue
        lost = _lost(candidates, found.chosen) if found.chosen else {}
        knots = _knots(candidates, members)
        solved = [_solve_knot(book, frame, candidates, knot, found.left, lost, loose=True) for knot in knots]
        done, left = apply_stage(frame, picked := _picked(solved), found.left)
        whole = {each.rule for each in done if not each.given_up}
        if len(whole) < len(picked):
            # Some floor binds, which a loose search does not see; where there was one rule only, it made no choice.
            bound = [
                place
                for place, each in enumerate(solved)
                if len(knots[place]) > 1 and not _keeps_all(frame, each, found.left, whole)
            ]
            for place in bound:
                solved[place] = _solve_knot(book, frame, candidates, knots[place], found.left, lost, loose=False)
            if bound:
                done, left = apply_stage(frame, picked := _picked(solved), found.left)
        found.chosen += picked
        found.done += done
        found.left = left
        found.early += sum(each.bound for each in solved) if stage is Stage.SHOP else 0
        found.work += sum(each.work for each in solved)
        found.proven = found.proven and all(each.proven for each in solved)
    return found


class _Knot(NamedTuple):
    """The best of one knot, an upper bound of it, the work done, and whether it is proven to be the best."""

    chosen: Chosen
    bound: int
    work: int = 0
    proven: bool = True


def _keeps_all(frame: Frame, knot: _Knot, left: Sequence[int], whole: Collection[Rule]) -> bool:
    """Whether the rules of a knot give nothing up to floors, alone or, those in `whole`, even with all others."""
    if all(rule in whole for rule, _ in knot.chosen):
        return True
    done, _ = apply_stage(frame, knot.chosen, left)
    return len(done) == len(knot.chosen) and not any(each.given_up for each in done)


def _picked(solved: Sequence[_Knot]) -> list[tuple[Rule, Sequence[int]]]:
    return sorted((each for knot in solved for each in knot.chosen), key=_bit)


def _bound(book: Book, frame: Frame, candidates: Sequence[Candidate]) -> tuple[int, int]:
    """An upper bound of what the later stage can take off, as if nothing was taken off before; the work done."""
    bound = work = 0
    members = [number for number, each in enumerate(candidates) if each.rule.stage is not Stage.SHOP]
    for knot in _knots(candidates, members):
        solved = _solve_knot(book, frame, candidates, knot, frame.base, {}, loose=True)
        bound += solved.bound
        work += solved.work
    return bound, work


def _bit(each: tuple[Rule, Sequence[int]]) -> int:
    return each[0].bit


def _lost(candidates: Sequence[Candidate], chosen: Chosen) -> dict[Rule, int]:
    """The lines that later candidates lose to what was chosen in an earlier stage."""
    lost: dict[Rule, int] = {}
    places = dict(chosen)
    for each in candidates:
        at = places.get(each.rule) if each.foes else None
        if at is not None:
            mask = sum([1 << place for place in at])
            for foe in each.foes:
                rule = candidates[foe].rule
                lost[rule] = lost.get(rule, 0) | mask
    return lost


def _knots(candidates: Sequence[Candidate], members: Sequence[int]) -> list[list[int]]:
    """The members grouped so that those of different knots do not exclude each other."""
    knot_of = {number: [number] for number in members}
    for number in members:
        for foe in candidates[number].foes:
            if foe in knot_of and knot_of[foe] is not knot_of[number]:
                joined = sorted(knot_of[number] + knot_of[foe])
                for each in joined:
                    knot_of[each] = joined
    return [knot for number, knot in knot_of.items() if knot[0] == number]


def _solve_knot(
    book: Book,
    frame: Frame,
    candidates: Sequence[Candidate],
    knot: Sequence[int],
    left: Sequence[int],
    lost: dict[Rule, int],
    *,
    loose: bool,
) -> _Knot:
    """Solve one knot; `loose`, as if no floor bound."""
    if len(knot) == 1 and not lost:
        alone = candidates[knot[0]]
        return _Knot([(alone.rule, alone.places)], alone.most)
    own: list[Candidate] = []
    for each in [candidates[number] for number in knot]:
        gone = lost.get(each.rule, 0)
        places = [place for place in each.places if not gone >> place & 1] if gone else each.places
        if places is each.places and left is frame.base:
            most = each.most
        else:
            most = _worth(book, each.rule, frame.reckon(each.rule, places, left)[0]) if places else 0
        if most > 0:
            own.append(Candidate(each.rule, places, most))
    if len(own) <= 1:
        return _Knot([(each.rule, each.places) for each in own], sum(each.most for each in own))
    if loose and _is_either_or(book, own):
        best = max(own, key=_most)
        return _Knot([(best.rule, best.places)], best.most)
    if len(own) > SEARCHED_MAX:
        return _Knot(_greedy(book, own), sum(each.most for each in own), 0, proven=False)
    _find_foes(book, own)
    at = Frame(frame.skus, left, frame.units, frame.floors, frame.shops)
    search = (_LooseSearch if loose else _Search)(book, at, own, _no_fee, 0)
    search.run()
    bound = search.bounds[0] if search.stopped else search.best
    return _Knot(search.chosen, bound, search.work, not search.stopped)


def _is_either_or(book: Book, members: Sequence[Candidate]) -> bool:
    """Whether it is one of them: each excludes all others, and of their lines, the same, none is left to a rival."""
    places = members[0].places
    if 1 < len(places) <= CONTESTED_MAX:
        return False
    bits = sum([1 << each.rule.bit for each in members])
    return all(each.places == places and not bits & ~(book.foes(each.rule) | 1 << each.rule.bit) for each in members)


def _most(candidate: Candidate) -> int:
    return candidate.most


def _greedy(book: Book, members: Sequence[Candidate]) -> Chosen:
    """Each takes what is free, the one that can take most off first."""
    picked: list[tuple[Rule, Sequence[int]]] = []
    for each in sorted(members, key=lambda each: (-each.most, each.rule.bit)):
        foes = book.foes(each.rule)
        held = {place for other, at in picked if foes >> other.bit & 1 for place in at}
        places = [place for place in each.places if place not in held]
        if places:
            picked.append((each.rule, places))
    return picked


def _gain_bound(frame: Frame, candidates: Sequence[Candidate], done: Sequence[Applied]) -> int | None:
    """The most, in minor units, that taking less off at first could gain later; None where that is hard to say.

    It is easy where the later rules reckon with an amount, exclude nobody, and count every line that the earlier ones
    reduce: then only how much is given up matters, and that gains most where it just reaches a step. Each percentage
    may gain one minor unit more by rounding.
    """
    late = [each for each in candidates if each.rule.stage is not Stage.SHOP]
    if not late:
        return None if any(each.given_up for each in done) else 0
    first = late[0].rule.bit
    if any(each.given_up for each in done):
        return None
    if any(candidates[foe].rule.bit >= first for each in candidates for foe in each.foes):
        return None
    reduced = {place for each in candidates if each.rule.stage is Stage.SHOP for place in each.places}
    if not all(_is_easy(each, reduced) for each in late):
        return None
    if not reduced:
        return 0
    base = frame.base[:]
    off = 0
    for each in done:
        if each.rule.bit < first and not each.rule.gift:
            off += each.off
            for place, part in zip(each.places, each.parts, strict=True):
                base[place] -= part
    return _best_gain(frame, late, base, min(reduced), off)


def _is_easy(late: Candidate, reduced: set[int]) -> bool:
    reckoner = late.rule.reckoner
    return isinstance(reckoner, AmountReckoner | PercentReckoner) and reduced.issubset(late.places)


def _best_gain(frame: Frame, late: Sequence[Candidate], base: list[int], place: int, off: int) -> int:
    """The most that the later rules gain at one of their steps, less what is given up for it."""
    gaps: set[int] = set()
    rounding = 0
    for each in late:
        reckoner = each.rule.reckoner
        if isinstance(reckoner, AmountReckoner | PercentReckoner):
            gaps.update(reckoner.gaps(reckoner.reached(each.places, base, frame.units), off))
            rounding += isinstance(reckoner, PercentReckoner)
    now = sum(frame.reckon(each.rule, each.places, base)[0] for each in late) if gaps else 0
    best = 0
    for gap in gaps:
        raised = base[:]
        raised[place] += gap
        best = max(best, sum(frame.reckon(each.rule, each.places, raised)[0] for each in late) - now - gap)
    return best + rounding


def _no_fee(_: Sequence[int], __: Chosen) -> int:
    return 0


class _Search:
    """Depth-first over the candidates in the order in which they apply, so that each step is exact."""

    def __init__(self, book: Book, frame: Frame, candidates: Sequence[Candidate], fee: Fee, full_fee: int) -> None:
        self._book = book
        self._frame = frame
        self._candidates = candidates
        self._fee = fee
        self._full_fee = full_fee
        self._fee_saved_most = (full_fee - min(fee(frame.base, ()), full_fee)) * _MONEY
        self._places = {each.rule: each.places for each in candidates}
        self.bounds = _bounds(candidates)
        self.best = -1
        self.chosen: Chosen = []
        self.work = 0
        self.stopped = False

    def run(self) -> None:
        """Search until all is proven or the work allowed is done."""
        base = self._frame.base
        self._step(0, Stage.PRICE, base, base, [0] * len(self._candidates), 0, [])

    def _step(
        self,
        number: int,
        stage: Stage,
        base: list[int],
        left: list[int],
        lost: list[int],
        worth: int,
        taken: list[tuple[Rule, Sequence[int]]],
    ) -> None:
        if number == len(self._candidates):
            worth += (self._full_fee - self._fee(left, taken)) * _MONEY
            if worth > self.best and self._is_whole(taken):
                self.best, self.chosen = worth, taken
            return
        if worth + self.bounds[number] + self._fee_saved_most <= self.best:
            return
        if self.work > WORK_MAX:
            self.stopped = self.best >= 0
            if self.stopped:
                return
        candidate = self._candidates[number]
        if candidate.rule.stage is not stage:
            base, stage = left, candidate.rule.stage
        gone = lost[number]
        for given in self._yields(candidate, gone):
            self._take(number, stage, base, left, lost, worth, taken, gone | given)
        self._step(number + 1, stage, base, left, lost, worth, taken)

    def _take(
        self,
        number: int,
        stage: Stage,
        base: list[int],
        left: list[int],
        lost: list[int],
        worth: int,
        taken: list[tuple[Rule, Sequence[int]]],
        gone: int,
    ) -> None:
        """Go on with this candidate on its lines but those that are gone."""
        candidate = self._candidates[number]
        mask = _mask(candidate)
        places, after, more = self._outcome(number, gone & mask, base, left)
        self.work += len(places) + 4
        if more <= 0:
            return
        if candidate.foes:
            lost = lost[:]
            for foe in candidate.foes:
                lost[foe] |= mask & ~gone
        self._step(number + 1, stage, base, after, lost, worth + more, [*taken, (candidate.rule, places)])

    def _outcome(
        self, number: int, gone: int, base: list[int], left: list[int]
    ) -> tuple[Sequence[int], list[int], int]:
        """A candidate's lines without those that are gone, what is left after it, and what it is worth."""
        candidate = self._candidates[number]
        places = [place for place in candidate.places if not gone >> place & 1] if gone else candidate.places
        after = left[:]
        applied = take_off(self._frame, candidate.rule, places, base, after) if places else None
        return places, after, _worth(self._book, candidate.rule, applied.off) if applied else 0

    def _is_whole(self, taken: Chosen) -> bool:
        """Whether no rule leaves a line to nobody: it lacks only what a rival has that is chosen."""
        for rule, places in taken:
            everything = self._places[rule]
            if len(places) < len(everything):
                foes = self._book.foes(rule)
                held = {place for other, at in taken if foes >> other.bit & 1 for place in at}
                if not held.issuperset(set(everything).difference(places)):
                    return False
        return True

    def _yields(self, candidate: Candidate, gone: int) -> Iterable[int]:
        """The masks of lines to leave to later rivals: none first, and all of them last."""
        own = _mask(candidate) & ~gone
        masks = [mask for foe in candidate.foes if (mask := _mask(self._candidates[foe]) & own)]
        if not masks:
            return (0,)
        contested = _union(masks)
        if contested.bit_count() <= CONTESTED_MAX:
            masks = [1 << place for place in bits_of(contested)]
        elif len(masks) > CONTESTED_MAX:
            return dict.fromkeys((0, *masks, contested))
        sums = [0]
        for mask in masks:
            sums += [each | mask for each in sums]
        return dict.fromkeys(sums)


class _LooseSearch(_Search):
    """The same for rules of one stage as if no floor bound: what a rule takes off depends on its own lines alone.

    Where the best combination so found gives nothing up to floors, no other can be better with floors either.
    """

    def __init__(self, book: Book, frame: Frame, candidates: Sequence[Candidate], fee: Fee, full_fee: int) -> None:
        super().__init__(book, frame, candidates, fee, full_fee)
        self._known: list[dict[int, tuple[Sequence[int], int]]] = [{0: (each.places, each.most)} for each in candidates]
        """The lines of each candidate, and what it takes off, by which of them are gone."""

    def _outcome(
        self, number: int, gone: int, base: list[int], left: list[int]
    ) -> tuple[Sequence[int], list[int], int]:
        known = self._known[number].get(gone)
        if known is None:
            candidate = self._candidates[number]
            places = [place for place in candidate.places if not gone >> place & 1]
            off = self._frame.reckon(candidate.rule, places, base)[0] if places else 0
            known = self._known[number][gone] = places, _worth(self._book, candidate.rule, off)
        places_left, more = known
        return places_left, left, more


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _bounds(candidates: Sequence[Candidate]) -> list[int]:
    """The most that the candidates from each number on can take off: of a group on the same single line, only one."""
    bounds = [0] * (len(candidates) + 1)
    most_of: dict[tuple[str, int], int] = {}
    for number in range(len(candidates) - 1, -1, -1):
        each = candidates[number]
        more = each.most
        group = each.rule.promotion.group
        if group and len(each.places) == 1:
            before = most_of.get((group, each.places[0]), 0)
            more = max(each.most - before, 0)
            most_of[group, each.places[0]] = before + more
        bounds[number] = bounds[number + 1] + more
    return bounds
