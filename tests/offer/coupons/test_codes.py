"""Unique codes: the check letter notices slips, and every code leads back to its coupon."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.campaign.contracts import CODE_ALPHABET
from tidegate.offer.coupons.codes import code_of, coupon_name, is_sound, new_codes, tidy

names = st.from_regex(r"[A-Z0-9][A-Z0-9-]{2,15}", fullmatch=True)
counts = st.integers(4, 12)
numbers = st.integers(0, 2**62)


@given(names, counts, numbers)
def test_a_code_fits_an_order_and_leads_to_its_coupon(name: str, count: int, number: int) -> None:
    code = code_of(name, count, number % 23**count)
    assert len(code) <= 32
    assert len(code.rpartition("-")[2]) == count + 1
    assert coupon_name(code) == name
    assert coupon_name(f" {code[:3].lower()} {code[3:].lower()}\n") == name


@given(counts, numbers, st.integers(0, 12), st.integers(1, 22))
def test_any_one_wrong_letter_is_noticed(count: int, number: int, place: int, by: int) -> None:
    tail = code_of("SAVE", count, number % 23**count).rpartition("-")[2]
    place %= count + 1
    other = CODE_ALPHABET[(CODE_ALPHABET.index(tail[place]) + by) % 23]
    assert is_sound(tail)
    assert not is_sound(tail[:place] + other + tail[place + 1 :])


@given(counts, numbers, st.integers(0, 12), st.integers(1, 12))
def test_any_two_exchanged_letters_are_noticed(count: int, number: int, one: int, by: int) -> None:
    tail = list(code_of("SAVE", count, number % 23**count).rpartition("-")[2])
    one, two = one % (count + 1), (one + by) % (count + 1)
    differ = tail[one] != tail[two]
    tail[one], tail[two] = tail[two], tail[one]
    assert is_sound("".join(tail)) is not differ


@given(st.text(max_size=40))
def test_whatever_is_typed_has_a_name(text: str) -> None:
    name = coupon_name(text)
    assert tidy(text).startswith(name)


def test_no_letter_looks_like_another() -> None:
    assert not set("0O1IL2Z5S8BUV") & set(CODE_ALPHABET)
    assert len(CODE_ALPHABET) == len(set(CODE_ALPHABET)) == 23


def test_codes_differ() -> None:
    assert len(new_codes("SAVE", 10, 10_000)) == 10_000
