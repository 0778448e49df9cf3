"""Splitting money exactly, and writing it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.money import allocate, format_money

totals = st.integers(0, 10**14)
weight_lists = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)


@given(totals, weight_lists)
def test_shares_add_up_and_lie_within_one_unit_of_their_exact_part(total: int, weights: list[int]) -> None:
    shares = allocate(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    exact = [Fraction(total * weight, whole) if whole else Fraction(total, len(weights)) for weight in weights]
    assert all(abs(share - part) < 1 for share, part in zip(shares, exact, strict=True))


@given(totals, weight_lists)
def test_a_larger_weight_never_gets_less_and_equal_weights_favour_the_earlier_place(
    total: int, weights: list[int]
) -> None:
    shares = allocate(total, weights)
    for first in range(len(weights)):
        for second in range(first + 1, len(weights)):
            if weights[first] > weights[second]:
                assert shares[first] >= shares[second]
            elif weights[first] == weights[second]:
                assert shares[first] - shares[second] in {0, 1}


@given(totals, weight_lists)
def test_a_weight_of_zero_gets_nothing_while_another_has_weight(total: int, weights: list[int]) -> None:
    if sum(weights):
        assert all(share == 0 for share, weight in zip(allocate(total, weights), weights, strict=True) if not weight)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (10, [3, 3, 1], [4, 4, 2]),
        (1, [0, 0], [1, 0]),
        (0, [5, 7], [0, 0]),
        (199, [1] * 200, [1] * 199 + [0]),
        (5_000, [9_900, 100], [4_950, 50]),
    ],
)
def test_known_splits(total: int, weights: list[int], shares: list[int]) -> None:
    assert allocate(total, weights) == shares


@pytest.mark.parametrize(("total", "weights"), [(1, []), (-1, [1]), (1, [2, -1])])
def test_what_cannot_be_split_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="allocate needs at least one weight"):
        allocate(total, weights)


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "written"),
    [
        (123_456, "CNY", "zh", "¥1,234.56"),
        (123_456, "CNY", "en", "CN¥1,234.56"),
        (5, "CNY", "zh", "¥0.05"),
        (0, "USD", "en", "$0.00"),
        (-150, "USD", "en", "-$1.50"),
        (1_234, "JPY", "en", "¥1,234"),
        (1_234, "KWD", "en", "KWD1.234"),
        (10**14, "CNY", "zh", "¥1,000,000,000,000.00"),
    ],
)
def test_money_is_written_as_people_of_the_place_write_it(minor: int, currency: str, locale: str, written: str) -> None:
    assert format_money(minor, currency, locale) == written
