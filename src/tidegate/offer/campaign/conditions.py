"""Conditions of promotions in CEL (Common Expression Language): what facts one asks for, what is wrong in it."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from tidegate.base import expressions
from tidegate.offer.campaign.reading import meant

CONDITION_LENGTH_MAX = 500
FACTS: Final = frozenset({"audience", "points", "segments", "tier"})
"""What is known of an order and of who places it; a condition that asks for anything else would never hold."""

_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_OWN_VARIABLE = re.compile(r"\.(?:all|exists|exists_one|existsOne|filter|map)\(\s*([A-Za-z_]\w*)\s*,")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# fmt: off
_FUNCTIONS: Final = frozenset({
    "size", "contains", "startsWith", "endsWith", "matches", "has", "int", "uint", "double", "string", "bool", "bytes",
    "timestamp", "duration", "type", "dyn", "min", "max", "getFullYear", "getMonth", "getDate", "getDayOfMonth",
    "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
})
# fmt: on
"""What the language itself provides; operators and macros have names that no person can write."""


@lru_cache(maxsize=1_024)
def facts_of(condition: str) -> frozenset[str]:
    """The facts that a condition asks for. Raises ValueError for one that is not CEL."""
    return frozenset(expressions.compile(condition).references()["variables"]) - frozenset(
        _OWN_VARIABLE.findall(condition)
    )


def condition_faults(condition: str, facts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What is wrong with a condition and the facts it declares: a message and the key that it stands at."""
    if len(condition) > CONDITION_LENGTH_MAX:
        yield f"has {len(condition)} characters; the most is {CONDITION_LENGTH_MAX}", "when"
        return
    try:
        program = expressions.compile(condition)
    except ValueError as fault:
        yield _syntax(condition, str(fault)), "when"
        return
    for name in sorted(set(program.references()["functions"]) - _FUNCTIONS):
        if _NAME.fullmatch(name):
            yield f'there is no function "{name}" here', "when"
    wanted = facts_of(condition)
    if not wanted:
        yield "asks for no fact, so that it is the same for every order; leave it out", "when"
    for name in sorted(wanted - FACTS):
        message = (
            f'nobody knows "{name}"; a condition may ask for audience, points, segments and tier{meant(name, FACTS)}'
        )
        yield message, "facts" if name in facts else "when"
    for name in sorted((wanted & FACTS) - frozenset(facts)):
        yield f'the condition asks for "{name}"; declare it here, facts = ["{name}"]', "facts"
    for name in sorted(frozenset(facts) - wanted):
        yield f'the condition does not ask for "{name}"; leave it out', "facts"


def _syntax(condition: str, said: str) -> str:
    found = _PLACE.search(said)
    if not found:
        return "this is not an expression in CEL"
    line, column, words = int(found[1]), int(found[2]), found[3]
    place = f"character {column}" if line == 1 and "\n" not in condition else f"line {line}, character {column}"
    words = words.replace("'<EOF>'", "the end").partition(" expecting ")[0]
    return f"at {place} of the condition: {words.strip()}"
