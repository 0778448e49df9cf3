"""The language of a page, and that both languages say everything."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import tidegate.app
from tidegate.app.pages.language import LOCALES, Language, Messages, language_of

APP = Path(tidegate.app.__file__).parent
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"extensions": "jinja2.ext.do,jinja2.ext.loopcontrols", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "marked": None}


def extracted(folder: str) -> set[tuple[str | None, str]]:
    """All messages that templates and code of a folder ask for, with their contexts."""
    found = extract_from_dir(APP / folder, METHODS, OPTIONS, KEYWORDS)
    return {(context, text if isinstance(text, str) else text[0]) for _, _, text, _, context in found}


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        ("zh-TW", Language.ZH),
        ("fr-FR,en;q=0.5,zh;q=0.7", Language.ZH),
        ("fr", Language.ZH),
        ("en;q=0", Language.ZH),
        ("", Language.ZH),
        (",,;q=x", Language.ZH),
        (None, Language.ZH),
    ],
)
def test_the_language_that_the_browser_wants_most_is_spoken(accept: str | None, language: Language) -> None:
    assert language_of({}, accept) is language


def test_a_choice_by_hand_wins() -> None:
    assert language_of({"tg_language": "en"}, "zh-CN") is Language.EN
    assert language_of({"tg_language": "tlh"}, "zh-CN") is Language.ZH


@pytest.mark.parametrize("folder", ["pages", "storefront", "console"])
def test_every_message_is_there_in_chinese(folder: str) -> None:
    messages = Messages.load(Language.ZH)
    missing = [text for context, text in extracted(folder) if context is None and text not in messages]
    assert missing == []


def test_a_message_has_one_chinese_text_with_the_same_places() -> None:
    texts: dict[tuple[str | None, str], object] = {}
    for path in sorted((LOCALES / "zh").glob("*.po")):
        for message in read_po(BytesIO(path.read_bytes()), locale="zh", abort_invalid=True):
            if not message.id:
                continue
            one = message.id if isinstance(message.id, str) else message.id[0]
            assert message.string, f"{path.name}: {one!r} is not translated"
            for fault in message.check():
                raise AssertionError(f"{path.name}: {one!r}: {fault}")
            assert texts.setdefault((message.context, one), message.string) == message.string, f"two texts for {one!r}"


def test_the_storefronts_catalogue_holds_nothing_else() -> None:
    asked = extracted("pages") | extracted("storefront")
    for name in ("design.po", "storefront.po"):
        held = [m for m in read_po(BytesIO((LOCALES / "zh" / name).read_bytes()), locale="zh") if m.id]
        ids = {(m.context, m.id if isinstance(m.id, str) else m.id[0]) for m in held}
        assert ids - asked == set()


def test_english_counts() -> None:
    messages = Messages.load(Language.EN)
    assert messages.ngettext("%(num)s product", "%(num)s products", 1) == "%(num)s product"
    assert messages.ngettext("%(num)s product", "%(num)s products", 2) == "%(num)s products"
