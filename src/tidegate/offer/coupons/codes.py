"""Unique codes: a coupon's name, a dash, letters at random, and a check letter. Pure, except for its randomness.

23 letters and digits of which none looks like another. The check letter makes the weighted sum of all letters a
multiple of 23; as 23 is a prime and all weights differ, any one wrong letter and any two exchanged ones are noticed.
"""

import secrets

from tidegate.offer.campaign.contracts import CODE_ALPHABET

_BASE = len(CODE_ALPHABET)
_VALUE = {letter: value for value, letter in enumerate(CODE_ALPHABET)}
_LETTERS = frozenset(CODE_ALPHABET)
TAIL_LENGTH_MIN, TAIL_LENGTH_MAX = 5, 13


def new_codes(name: str, letters: int, count: int) -> set[str]:
    """Return up to `count` different codes from the system's source of randomness; equal ones are drawn once."""
    space = _BASE**letters
    return {code_of(name, letters, secrets.randbelow(space)) for _ in range(count)}


def code_of(name: str, letters: int, number: int) -> str:
    """Return the code whose letters write `number`, with their check letter."""
    values = []
    for _ in range(letters):
        number, value = divmod(number, _BASE)
        values.append(value)
    check = -sum(weight * value for weight, value in enumerate(values, 2)) % _BASE
    return f"{name}-{''.join(CODE_ALPHABET[value] for value in values)}{CODE_ALPHABET[check]}"


def tidy(text: str) -> str:
    """Return a code as it is stored, however it was typed: capitals, no blanks."""
    return "".join(text.split()).upper()


def is_sound(tail: str) -> bool:
    """Return whether these letters can be the end of a code: as many as there may be, and the check letter fits."""
    if not TAIL_LENGTH_MIN <= len(tail) <= TAIL_LENGTH_MAX or not _LETTERS.issuperset(tail):
        return False
    *body, check = (_VALUE[letter] for letter in tail)
    return (check + sum(weight * value for weight, value in enumerate(body, 2))) % _BASE == 0


def coupon_name(text: str) -> str:
    """Return the name of the coupon that a code belongs to; what is no unique code is returned as it is, tidied."""
    code = tidy(text)
    name, _, tail = code.rpartition("-")
    return name if name and is_sound(tail) else code
