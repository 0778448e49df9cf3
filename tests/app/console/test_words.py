"""Every message of the console has its Chinese, and fills the same places in both languages."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract

import tidegate.app.console
from tidegate.app.pages.language import Language, Messages

CONSOLE = Path(tidegate.app.console.__file__).parent
_PLACES = re.compile(r"%\((\w+)\)s")
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "marked": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
_JINJA = {
    "extensions": "jinja2.ext.i18n,jinja2.ext.do,jinja2.ext.loopcontrols",
    "newstyle_gettext": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
}


def messages() -> Iterator[tuple[str | None, str]]:
    for path in sorted(CONSOLE.rglob("*")):
        if path.suffix not in {".py", ".html"}:
            continue
        method, options = ("python", {}) if path.suffix == ".py" else ("jinja2", _JINJA)
        for _, found, _, context in extract(method, BytesIO(path.read_bytes()), _KEYWORDS, options=options):
            yield context, found if isinstance(found, str) else next(each for each in found if isinstance(each, str))


@pytest.fixture(scope="module")
def chinese() -> Messages:
    """The Chinese catalogues."""
    return Messages.load(Language.ZH)


def test_every_message_is_translated(chinese: Messages) -> None:
    missing = [text for context, text in messages() if (context, text) not in chinese._texts]
    assert missing == []


def test_both_languages_fill_the_same_places(chinese: Messages) -> None:
    differing = [
        text
        for context, text in messages()
        if set(_PLACES.findall(text)) != set(_PLACES.findall(chinese.pgettext(context, text)))
    ]
    assert differing == []
