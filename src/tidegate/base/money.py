"""Money is an integer count of the currency's minor unit (fen, cent); it is never a float."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units by `weights`, exactly, by the method of largest remainder (Hamilton).

    Each share is within one unit of its exact part, the shares add up to `total`, and equal remainders go to the
    earlier place, so that the result depends on nothing but the arguments. All weights zero: split evenly.
    Raises ValueError for no weights or a negative total or weight.
    """
    if not weights or total < 0 or min(weights) < 0:
        raise ValueError("allocate needs at least one weight, and neither total nor weights below zero")
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    shares = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return shares


# A page of goods writes the same few prices again and again: writing them anew was a sixth of its cost.
@lru_cache(maxsize=16_384)
def format_money(minor: int, currency: str, locale: str) -> str:
    """Return `minor` units of `currency` (ISO 4217) as people of `locale` write it."""
    exact = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(exact, currency, locale=locale)
