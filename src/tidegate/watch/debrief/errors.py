"""The refusals of a debrief."""

from typing import ClassVar

from tidegate.base.errors import Refusal


class NothingToDebrief(Refusal):
    """There was no campaign to look back on."""

    code: ClassVar[str] = "nothing-to-debrief"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "Nothing to look back on"
