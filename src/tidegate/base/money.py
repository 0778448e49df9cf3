"""Money is an integer count of the currency's minor unit (fen, cent); it is never a float."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from operator import le

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
    missing = total - sum(shares)
    if missing:
        remainders = [total * weight % whole for weight in weights]
        if missing == 1:
            shares[remainders.index(max(remainders))] += 1
        else:
            # The sort is stable: equal remainders stay in the order of their places.
            for place in sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)[:missing]:
                shares[place] += 1
    return shares


def allocate_within(total: int, weights: Sequence[int], caps: Sequence[int]) -> list[int]:
    """Split `total` by `weights` as `allocate` does, but give no place more than its cap or anything for weight 0.

    What does not fit is split again among the others; what fits nowhere is given up, so that the shares add up to the
    lesser of `total` and the room there is. Raises ValueError as `allocate` does.
    """
    room = sum([cap for weight, cap in zip(weights, caps, strict=True) if weight])
    total = min(total, room)
    if total == 0:
        return [0] * len(weights)
    shares = allocate(total, weights)
    if all(map(le, shares, caps)):
        return shares
    open_weights = list(weights)
    while True:
        over = [place for place, share in enumerate(shares) if open_weights[place] and share > caps[place]]
        if not over:
            return shares
        for place in over:
            shares[place] = caps[place]
            open_weights[place] = 0
        kept = sum(share for share, weight in zip(shares, open_weights, strict=True) if not weight)
        again = allocate(total - kept, open_weights)
        shares = [new if weight else old for new, old, weight in zip(again, shares, open_weights, strict=True)]


# A page of goods writes the same few prices again and again: writing them anew was a sixth of its cost.
@lru_cache(maxsize=16_384)
def format_money(minor: int, currency: str, locale: str) -> str:
    """Return `minor` units of `currency` (ISO 4217) as people of `locale` write it."""
    exact = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(exact, currency, locale=locale)
