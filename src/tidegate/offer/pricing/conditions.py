"""Conditions of promotions: CEL expressions over declared facts, compiled once.

Facts that every condition may declare: ``audience`` and ``segments`` (lists of strings), ``tier``, ``points``; others
come by name. A condition that declares an unknown fact, or that fails or is not true, does not hold; it never raises.
All conditions whose facts are known are one program: a list costs a tenth of its expressions one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum

from tidegate.base import expressions

PROGRAMS_MAX = 256
"""Programs and outcomes kept; beyond it the oldest goes."""
OUTCOMES_MAX = 4_096

Fact = str | int | bool | list[str]


class Outcome(IntEnum):
    """What became of a condition."""

    HOLDS = 0
    FACT_MISSING = 1
    NOT_MET = 2
    FAILED = 3


class Conditions:
    """The distinct conditions of a rule set, each with the facts that it declares."""

    def __init__(self, conditions: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """Compile them. Raises ValueError for an expression that is not CEL."""
        self._conditions = list(conditions)
        self._single = [expressions.compile(expression) for expression, _ in self._conditions]
        self._needs = [frozenset(declared) for _, declared in self._conditions]
        self._programs: dict[tuple[int, ...], expressions.Program] = {}
        self._outcomes: dict[object, list[Outcome]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._conditions)

    def judge(self, key: object, facts: Callable[[], Mapping[str, Fact]]) -> list[Outcome]:
        """The outcome of each condition under these facts; `key` stands for the facts and is remembered."""
        known = self._outcomes.get(key)
        if known is None:
            known = self._judge(facts())
            if len(self._outcomes) >= OUTCOMES_MAX:
                self._outcomes.pop(next(iter(self._outcomes)))
            self._outcomes[key] = known
        return known

    def missing(self, place: int, facts: Mapping[str, Fact]) -> list[str]:
        """The facts that a condition needs and that are not known."""
        return sorted(self._needs[place] - facts.keys())

    def _judge(self, facts: Mapping[str, Fact]) -> list[Outcome]:
        outcomes = [Outcome.FACT_MISSING] * len(self._conditions)
        ready = tuple(place for place, needs in enumerate(self._needs) if needs <= facts.keys())
        if not ready:
            return outcomes
        try:
            results = self._program(ready).execute(dict(facts))
        except (TypeError, ValueError, RuntimeError, OverflowError):
            results = [self._alone(place, facts) for place in ready]
        for place, result in zip(ready, results, strict=True):
            outcomes[place] = _outcome(result)
        return outcomes

    def _program(self, ready: tuple[int, ...]) -> expressions.Program:
        program = self._programs.get(ready)
        if program is None:
            program = expressions.compile("[" + ", ".join(f"({self._conditions[place][0]})" for place in ready) + "]")
            if len(self._programs) >= PROGRAMS_MAX:
                self._programs.pop(next(iter(self._programs)))
            self._programs[ready] = program
        return program

    def _alone(self, place: int, facts: Mapping[str, Fact]) -> object:
        try:
            return self._single[place].execute(dict(facts))
        except (TypeError, ValueError, RuntimeError, OverflowError):
            return None


def _outcome(result: object) -> Outcome:
    if result is True:
        return Outcome.HOLDS
    return Outcome.NOT_MET if result is False else Outcome.FAILED
