"""Text into search words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.catalogue.words import (
    WORD_LENGTH_MAX,
    WORDS_MAX,
    Wanted,
    index_words,
    joined_words,
    joinings,
    normalise,
    typos_allowed,
    wanted,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Gooseneck kettle, 0.8 L", ["gooseneck", "kettle", "0.8", "l"]),
        ("500ml USB3", ["500", "ml", "usb3"]),
        ("保温杯", ["保", "温", "杯", "保温", "温杯"]),
        ("T恤 XL", ["t", "恤", "xl"]),
        ("Ｃａｆé", ["cafe"]),
        ("16 GB + 1 TB", ["16", "gb", "1", "tb"]),
        ('"*:(){}[]^~\\', []),
        ("", []),
    ],
)
def test_a_text_is_found_under_its_words(text: str, words: list[str]) -> None:
    assert index_words(text) == words


def test_a_query_asks_for_words_and_runs_without_stop_words() -> None:
    assert wanted("the kettle 保温杯 with 42") == [
        Wanted("kettle", run=False),
        Wanted("保温杯", run=True),
        Wanted("42", run=False),
    ]


def test_stop_words_count_when_there_is_nothing_else() -> None:
    assert wanted("The") == [Wanted("the", run=False)]


def test_neighbours_are_also_one_word() -> None:
    assert joined_words("Fast-charging power bank, 10 W") == ["fastcharging", "chargingpower", "powerbank"]
    assert joinings(wanted("head phone 黑")) == [[Wanted("headphone", run=False), Wanted("黑", run=True)]]


@pytest.mark.parametrize(("word", "typos"), [("cup", 0), ("lamp", 1), ("kettle", 1), ("headphone", 2), ("12345678", 0)])
def test_longer_words_forgive_more(word: str, typos: int) -> None:
    assert typos_allowed(word) == typos


@given(st.text(max_size=200))
def test_any_text_becomes_few_short_words(text: str) -> None:
    asked = wanted(text)
    assert len(asked) <= WORDS_MAX
    assert all(0 < len(each.text) <= WORD_LENGTH_MAX for each in asked)
    assert not any(set(each.text) & set(" \t\n\"'()[]{}*?~^:\\/+-&|!") for each in asked)


@given(st.text(max_size=100))
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert index_words(once) == index_words(text)


@given(st.text(alphabet="abc保温杯壶 12", max_size=30))
def test_what_a_query_asks_for_stands_in_a_text_equal_to_it(text: str) -> None:
    words = set(index_words(text))
    for each in wanted(text):
        assert words.issuperset(each.text if each.run else [each.text])
