"""Unique codes: the check letter notices slips, and every code leads back to its coupon."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.campaign.contracts import CODE_ALPHABET
from tidegate.offer.coupons.codes import coupon_name, is_sound, new_codes, tidy

names = st.from_regex(r"[A-Z0-9][A-Z0-9-]{2,15}", fullmatch=True)
letters = st.integers(6, 12)


def code_of(name: str, count: int) -> str:
    [code] = new_codes(name, count, 1)
    return code


@given(names, letters)
def test_a_code_fits_an_order_and_leads_to_its_coupon(name: str, count: int) -> None:
    code = code_of(name, count)
    assert len(code) <= 32
    assert len(code.rpartition("-")[2]) == count + 1
    assert coupon_name(code) == name
    assert coupon_name(f" {code[:3].lower()} {code[3:].lower()}\n") == name


@given(letters, st.data())
def test_any_one_wrong_letter_is_noticed(count: int, data: st.DataObject) -> None:
    tail = code_of("SAVE", count).rpartition("-")[2]
    place = data.draw(st.integers(0, count))
    other = data.draw(st.sampled_from(CODE_ALPHABET).filter(lambda letter: letter != tail[place]))
    assert is_sound(tail)
    assert not is_sound(tail[:place] + other + tail[place + 1 :])


@given(letters, st.data())
def test_any_two_exchanged_letters_are_noticed(count: int, data: st.DataObject) -> None:
    tail = list(code_of("SAVE", count).rpartition("-")[2])
    one, two = data.draw(st.lists(st.integers(0, count), min_size=2, max_size=2, unique=True))
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
