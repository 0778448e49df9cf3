"""The two languages of both faces, the reader's choice among them, and the message catalogues.

A message's id is its English text. `locales/zh/*.po` hold the Chinese, in the format of gettext, read as they are.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

COOKIE = "tg_language"
"""Kept only after a person chose a language by hand."""

LOCALES = Path(__file__).parent.parent / "locales"
_PREFERENCE = re.compile(r"\s*([a-zA-Z]{2,3})[^;,]*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*")


class Language(StrEnum):
    """A language that every page speaks; the value is the tag that HTML and Babel know."""

    ZH = "zh"
    EN = "en"

    @property
    def html(self) -> str:
        """The tag for the `lang` attribute."""
        return "zh-Hans-CN" if self is Language.ZH else "en"

    @property
    def locale(self) -> str:
        """The locale by which numbers, dates and money are written."""
        return "zh_Hans_CN" if self is Language.ZH else "en"

    @property
    def other(self) -> "Language":
        """The language that a reader can switch to."""
        return Language.EN if self is Language.ZH else Language.ZH


def language_of(cookies: Mapping[str, str], accept_language: str | None) -> Language:
    """Return the language chosen by hand, else the one the browser asks for first, else Chinese."""
    chosen = cookies.get(COOKIE)
    if chosen in tuple(Language):
        return Language(chosen)
    for tag in _preferred(accept_language or ""):
        if tag in tuple(Language):
            return Language(tag)
    return Language.ZH


def _preferred(accept_language: str) -> list[str]:
    """Return the primary tags of the header (RFC 9110, section 12.5.4), most wanted first."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:200].split(","):
        found = _PREFERENCE.fullmatch(part)
        if found:
            wanted.append((float(found[2] or 1), found[1].lower()))
    return [tag for weight, tag in sorted(wanted, key=lambda each: -each[0]) if weight > 0]


class Messages:
    """The messages of one language, with the four functions that Jinja's `i18n` extension calls."""

    def __init__(self, texts: Mapping[tuple[str | None, str], tuple[str, ...]]) -> None:
        self._texts = dict(texts)

    @classmethod
    @cache
    def load(cls, language: Language, folder: Path = LOCALES) -> "Messages":
        """Read every catalogue of `language`, once a process; English needs none, since its texts are the ids."""
        texts: dict[tuple[str | None, str], tuple[str, ...]] = {}
        for path in sorted((folder / language.value).glob("*.po")):
            with path.open("rb") as file:
                catalogue = read_po(file, locale=language.value, abort_invalid=True)
            for message in catalogue:
                if message.id and message.string:
                    texts[_key(message.context, message.id)] = _forms(message.string)
        return cls(texts)

    def __contains__(self, message: str) -> bool:
        """Whether this language has a text of its own for the message."""
        return (None, message) in self._texts

    def gettext(self, message: str) -> str:
        """Return the text of a message."""
        return self.pgettext(None, message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the text that fits `count` things."""
        return self.npgettext(None, one, many, count)

    def pgettext(self, context: str | None, message: str) -> str:
        """Return the text of a message that means something else in another place."""
        return self._texts.get((context, message), (message,))[0]

    def npgettext(self, context: str | None, one: str, many: str, count: int) -> str:
        """Return the text that fits `count` things, of a message that means something else in another place."""
        forms = self._texts.get((context, one), (one, many))
        return forms[0] if count == 1 else forms[-1]


def _key(context: str | None, message: str | list[str] | tuple[str, ...]) -> tuple[str | None, str]:
    return (context or None, message if isinstance(message, str) else message[0])


def _forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
