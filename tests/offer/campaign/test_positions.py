"""Where each key of a TOML text stands."""

import tomllib
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.offer.campaign.positions import Path, line_of, lines_of

TEXT = dedent('''\
    # a comment with [brackets] and "quotes"
    top = 1
    "quoted key" = 'a # no comment'
    dotted.key.here = true

    [phases.burst]          # a header
    starts_at = 2026-11-11T00:00:00+08:00
    words = """
    first ] line
    [[offer]] # inside a text
    \\""" still inside
    """
    literal = \'\'\'
    x = 1
    \'\'\'

    [[offer]]
    sku = "A-1"
    skus = [
        "one", # ] first
        "two",
        { zh = "三", en = "three" },
    ]

    [[offer]]
    sku = "B-1"
    label = { zh = "乙", en = "B" }
    [offer.more]
    deep = [[1, 2], [3]]
    [[offer.parts]]
    name = "x"
    [[offer.parts]]
    name = "y"
    ''')


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("dotted", "key", "here"), 4),
        (("phases", "burst"), 6),
        (("phases", "burst", "words"), 8),
        (("phases", "burst", "literal"), 13),
        (("offer", 0), 17),
        (("offer", 0, "skus", 1), 21),
        (("offer", 0, "skus", 2, "en"), 22),
        (("offer", 1, "sku"), 26),
        (("offer", 1, "label", "en"), 27),
        (("offer", 1, "more", "deep", 1, 0), 29),
        (("offer", 1, "parts", 1, "name"), 33),
        (("offer", 1, "not there"), 25),
        (("nothing", "of", "this"), 1),
    ],
)
def test_each_thing_is_found_at_its_line(path: Path, line: int) -> None:
    tomllib.loads(TEXT)
    assert line_of(lines_of(TEXT), path) == line
    assert line_of(lines_of(TEXT.replace("\n", "\r\n")), path) == line


def paths_of(value: object, path: Path = ()) -> set[Path]:
    """Every path in a parsed text."""
    match value:
        case dict():
            inner = value.items()
        case list():
            inner = dict(enumerate(value)).items()
        case _:
            return {path}
    return {path} | {found for key, each in inner for found in paths_of(each, (*path, key))}


KEYS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


def written(value: object) -> str:
    """A value as TOML."""
    match value:
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list():
            return "[\n" + ",\n".join(written(each) for each in value) + "]"
        case dict():
            return "{" + ", ".join(f"{written(key)} = {written(each)}" for key, each in value.items()) + "}"
        case _:
            return str(value).lower()


VALUES = st.recursive(
    st.integers() | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=4))
def test_every_path_that_tomllib_finds_has_a_line(head: dict[str, object], entries: list[dict[str, object]]) -> None:
    text = "".join(f"{key} = {written(value)}\n" for key, value in head.items())
    for entry in entries:
        text += "[[zzzzzzz]]\n" + "".join(f"{key} = {written(value)}\n" for key, value in entry.items())
    assert paths_of(tomllib.loads(text)) - {()} <= lines_of(text).keys()
