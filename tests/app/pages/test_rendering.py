"""Templates to HTML: the page's own style, compressed forms, times and money."""

import re
from collections import Counter
from pathlib import Path

import brotli
import pytest
from jinja2 import DictLoader

from tidegate.app.pages.assets import Assets
from tidegate.app.pages.language import Language
from tidegate.app.pages.rendering import Pages, PageStyle

APP = Path(__file__).parents[3] / "src" / "tidegate" / "app"


@pytest.mark.parametrize("template", sorted(APP.rglob("*.html")), ids=lambda path: str(path.relative_to(APP)))
def test_no_template_defines_a_macro_twice(template: Path) -> None:
    named = Counter(re.findall(r"{%-?\s*macro (\w+)\(", template.read_text(encoding="utf-8")))
    assert [name for name, count in named.items() if count > 1] == []


def test_a_colour_known_only_at_run_time_becomes_a_class() -> None:
    style = PageStyle("a{}")
    assert style.colour("#dfe9e6") == "p-dfe9e6"
    assert style.colour("#ffffff") == "p-ffffff"
    assert style.colour("#dfe9e6") == "p-dfe9e6"
    assert style.css() == "a{}.p-dfe9e6{background:#dfe9e6}.p-ffffff{background:#ffffff}"


def test_a_colour_that_is_none_fills_nothing() -> None:
    style = PageStyle()
    assert style.colour("url(//evil)") == ""
    assert style.css() == ""


def test_money_and_times_are_written_as_each_language_does() -> None:
    pages = Pages(Assets({}, {}))
    for language, money in ((Language.ZH, "¥1,299.00"), (Language.EN, "¥1,299.00")):
        environment = pages._environments[language]
        environment.loader = DictLoader({"x": "{{ money(129900, 'CNY') }}|{{ _('Sold out') }}|{{ number(1024) }}"})
        assert environment.get_template("x").render() == f"{money}|{'已售罄' if language == 'zh' else 'Sold out'}|1,024"


def test_a_page_has_one_validator_in_every_encoding() -> None:
    pages = Pages(Assets({}, {}))
    html = pages.html(
        "storefront/closed.html", Language.EN, definition=None, version=None, path="/", query="", sandbox=False
    )
    assert html.tag.startswith('W/"')
    assert brotli.decompress(html.encoded("br")) == html.body
    assert b"Nothing is on sale right now" in html.body
    assert html.style_sources == ()
