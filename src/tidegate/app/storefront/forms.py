"""Reads what a form sent: bounded texts and whole numbers, never a file."""

from collections.abc import Mapping

from tidegate.app.pages.form import sent_form
from tidegate.app.storefront.visit import Asking

TEXT_MAX = 500


class Form:
    """The fields of one form."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def text(self, name: str, length_max: int = TEXT_MAX) -> str:
        """Return a field's text without the space around it, cut to its longest; empty where it is missing."""
        value = self._fields.get(name, "")
        return value.strip()[:length_max] if isinstance(value, str) else ""

    def whole(self, name: str, least: int, most: int) -> int:
        """Return a field's whole number, brought between its bounds; the least where it is none."""
        text = self.text(name, 20)
        return min(most, max(least, int(text))) if text.isascii() and text.isdigit() else least


async def read_form(request: Asking) -> Form:
    """Return what the form sent; the size of the body is bounded by the router. Raises what `sent_form` raises."""
    return Form(await sent_form(request))
