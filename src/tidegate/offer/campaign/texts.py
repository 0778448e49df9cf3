"""A text in both languages of the shop."""

from msgspec import Struct


class Words(Struct, frozen=True):
    """One text in both languages of the shop."""

    zh: str
    en: str

    def of(self, locale: str) -> str:
        """The words for a locale such as ``zh``, ``zh_Hans_CN`` or ``en``."""
        return self.zh if locale.lower().startswith("zh") else self.en
