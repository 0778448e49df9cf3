"""Templates to HTML: one Jinja environment a language, with the words, figures and colours that templates use."""

import gzip
import re
from base64 import b64encode
from datetime import datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import brotli
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from jinja2 import BytecodeCache, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.bccache import Bucket
from litestar.datastructures import State
from markupsafe import Markup

from tidegate.app.pages.assets import Assets
from tidegate.app.pages.keeping import PageCache, PartCache
from tidegate.app.pages.language import Language, Messages
from tidegate.base.http import etag
from tidegate.base.money import format_money

_APP = Path(__file__).parent.parent
_FACES = {
    "design": _APP / "pages" / "templates" / "design",
    "storefront": _APP / "storefront" / "templates",
    "console": _APP / "console" / "templates",
}
_STYLE_MARK = "<!--page-style-->"
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-z]+")
_PATTERNS = {
    Language.ZH: {"day": "M月d日", "minute": "M月d日 HH:mm", "second": "M月d日 HH:mm:ss", "full": "y年M月d日 HH:mm:ss"},
    Language.EN: {"day": "d MMM", "minute": "d MMM, HH:mm", "second": "d MMM, HH:mm:ss", "full": "d MMM y, HH:mm:ss"},
}


_DAYS = {Language.ZH: "y年M月d日", Language.EN: "d MMM y"}


class InTwoLanguages(Protocol):
    """Any text that the modules hold in both languages."""

    @property
    def zh(self) -> str:
        """The Chinese words."""

    @property
    def en(self) -> str:
        """The English words."""


class Html:
    """A rendered page, its validator and its compressed forms, each made once however often the page is sent."""

    def __init__(self, body: bytes, style_sources: tuple[str, ...] = ()) -> None:
        self.body = body
        self.style_sources = style_sources
        self._encoded: dict[str, bytes] = {}

    @cached_property
    def tag(self) -> str:
        """The weak validator: the same page in another encoding has the same one."""
        return f"W/{etag(self.body)}"

    def encoded(self, encoding: str) -> bytes:
        """Return the page as `br` or `gzip`. Brotli at level 4 costs about a millisecond a page."""
        if encoding not in self._encoded:
            self._encoded[encoding] = _brotli(self.body) if encoding == "br" else gzip.compress(self.body, 5, mtime=0)
        return self._encoded[encoding]


def _brotli(body: bytes) -> bytes:
    compressed: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=4)
    return compressed


class PageStyle:
    """The rules that only this page has, collected while it is rendered."""

    def __init__(self, css: str = "") -> None:
        self._css = css
        self._inline: list[str] = []
        self._colours: dict[str, str] = {}  # in the order of asking

    def colour(self, colour: str) -> str:
        """Return a class that fills an element with `colour`; a string that is not a plain CSS colour fills nothing.

        A colour has the same class on every page, so that a part of a page can be kept.
        """
        if not _COLOUR.fullmatch(colour):
            return ""
        return self._colours.setdefault(colour, "p-" + colour.removeprefix("#"))

    def inline(self, css: str) -> Markup:
        """Return a style element with `css`, which is our own, and remember to allow it."""
        self._inline.append(css)
        return Markup("<style>{}</style>").format(Markup(css))  # noqa: S704  built by us, from our own sources

    def sources(self) -> tuple[str, ...]:
        """Return what the content security policy has to allow: a hash of each style element."""
        return tuple(_source(css) for css in (*self._inline, self.css()) if css)

    def css(self) -> str:
        """Return all rules."""
        return self._css + "".join(f".{name}{{background:{colour}}}" for colour, name in self._colours.items())


@lru_cache(maxsize=256)
def _source(css: str) -> str:
    return f"'sha256-{b64encode(sha256(css.encode()).digest()).decode()}'"


class _Compiled(BytecodeCache):
    """The code of templates, kept by the process: languages differ in their words, not in their code."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of a template whose text is the same as when it was kept."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_compiled = _Compiled()


class Pages:
    """Renders the templates of both faces. Built once a process; `kept` holds pages that are the same for everyone."""

    def __init__(self, assets: Assets, zone: ZoneInfo | None = None) -> None:
        self.assets = assets
        self.kept = PageCache[Html]()
        self.zone = zone or ZoneInfo("Asia/Shanghai")
        self._environments = {language: self._environment(language) for language in Language}

    def html(self, template: str, language: Language, *, css: str = "", **values: Any) -> Html:
        """Render `template` (such as ``storefront/goods.html``) with `css` as the page's own rules."""
        style = PageStyle(css)
        text = self._environments[language].get_template(template).render(style=style, **values)
        rules = style.css()
        element = f"<style>{rules}</style>" if rules else ""
        return Html(text.replace(_STYLE_MARK, element, 1).encode(), style.sources())

    def messages(self, language: Language) -> Messages:
        """Return the messages of a language, for words that are chosen outside a template."""
        messages = self._environments[language].globals["messages"]
        assert isinstance(messages, Messages)
        return messages

    def _environment(self, language: Language) -> Environment:
        messages = Messages.load(language)
        environment = Environment(
            loader=PrefixLoader({face: FileSystemLoader(folder) for face, folder in _FACES.items()}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=_compiled,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        )
        install = environment.install_gettext_callables  # type: ignore[attr-defined]  # added by the i18n extension
        install(
            messages.gettext, messages.ngettext, newstyle=True, pgettext=messages.pgettext, npgettext=messages.npgettext
        )
        environment.globals.update(
            messages=messages, lang=language, assets=self.assets, kept=PartCache(), **self._written(language)
        )
        return environment

    def _written(self, language: Language) -> dict[str, Any]:
        """Return how this language writes money, numbers, parts, times, and texts held in both languages."""

        def when(moment: datetime, width: str = "minute") -> str:
            return format_datetime(moment.astimezone(self.zone), _PATTERNS[language][width], locale=language.locale)

        def words(text: InTwoLanguages) -> str:
            return text.zh if language is Language.ZH else text.en

        return {
            # Babel's English says "CN¥", to tell it from the yen; a shop that has one currency just says "¥".
            "money": lambda minor, currency: format_money(minor, currency, language.locale).replace("CN¥", "¥"),
            # Kept, as money is: units left and counts repeat on every page.
            "number": lru_cache(maxsize=4_096)(lambda value: format_decimal(value, locale=language.locale)),
            "percent": lambda part, pattern="0.0%": format_percent(part, pattern, locale=language.locale),
            "when": when,
            "day": lambda each: format_date(each, _DAYS[language], locale=language.locale),
            "words": words,
            "zone_name": "北京时间" if language is Language.ZH else "Beijing time",
        }


def provide_pages(state: State) -> Pages:
    """Dependency `pages`: made at the first page of a process and kept with its web application."""
    pages: Pages | None = state.get("pages")
    if pages is None:
        pages = state["pages"] = Pages(Assets.load())
    return pages
