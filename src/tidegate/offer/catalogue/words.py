"""Text into search words, the same way for goods and for queries: Latin words, numbers, and runs of Chinese.

Chinese is not written with spaces; a run of it is found by its single characters (recall) and its neighbouring
pairs (order), so that no dictionary is needed and a new brand name is found on its first day.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

WORDS_MAX: Final = 8
WORD_LENGTH_MAX: Final = 40
RUN_LENGTH_MAX: Final = 16

_CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"(?P<run>[{_CJK}]+)|(?P<number>\d+(?:\.\d+)?)|(?P<word>[^\W\d_{_CJK}][^\W_{_CJK}]*)")
_STOP_WORDS = frozenset({"a", "an", "and", "for", "in", "of", "on", "or", "the", "to", "with", "的", "和", "与"})


class Wanted(NamedTuple):
    """One thing a query asks for: a Latin word or number (`run` false), or a run of Chinese characters."""

    text: str
    run: bool


def normalise(text: str) -> str:
    """Fold what people do not mean to tell apart: case, width of letters, accents."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(each for each in folded if not unicodedata.combining(each)))


def index_words(text: str) -> list[str]:
    """Every word under which a text is to be found, repeated as often as it stands there."""
    found: list[str] = []
    for token in _TOKEN.finditer(normalise(text)):
        if token.lastgroup == "run":
            found += [*token[0], *pairs_of(token[0])]
        else:
            found.append(token[0][:WORD_LENGTH_MAX])
    return found


def joined_words(text: str) -> list[str]:
    """Latin neighbours written as one word: "Power bank" is also found as "powerbank"."""
    tokens = list(_TOKEN.finditer(normalise(text)))
    return [
        f"{one[0]}{other[0]}"[:WORD_LENGTH_MAX]
        for one, other in pairwise(tokens)
        if one.lastgroup == other.lastgroup == "word"
    ]


def wanted(query: str) -> list[Wanted]:
    """What a query asks for: at most eight things; words such as "the" only when there is nothing else."""
    tokens = [_wanted(token) for token in _TOKEN.finditer(normalise(query))]
    telling = [each for each in tokens if each.text not in _STOP_WORDS]
    return list(dict.fromkeys(telling or tokens))[:WORDS_MAX]


def _wanted(token: re.Match[str]) -> Wanted:
    run = token.lastgroup == "run"
    return Wanted(token[0][: RUN_LENGTH_MAX if run else WORD_LENGTH_MAX], run)


def joinings(asked: Sequence[Wanted]) -> list[list[Wanted]]:
    """The same query with two neighbouring Latin words written as one: "head phone" also asks for "headphone"."""
    return [
        [*asked[:at], Wanted((one.text + other.text)[:WORD_LENGTH_MAX], run=False), *asked[at + 2 :]]
        for at, (one, other) in enumerate(pairwise(asked))
        if not one.run and not other.run and one.text.isalpha() and other.text.isalpha()
    ]


def pairs_of(run: str) -> list[str]:
    """Neighbouring characters: 保温杯 gives 保温, 温杯."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def typos_allowed(word: str) -> int:
    """How many slips of a finger a word of this length forgives; none in numbers, whose digits all count."""
    if len(word) < 4 or word[0].isdigit():
        return 0
    return 1 if len(word) < 8 else 2
