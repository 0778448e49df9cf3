"""What the law refuses.

Refusal
└── WaiverFaulty  422  a waiver without an article that is known, a name or a reason
"""

from typing import ClassVar

from tidegate.base.errors import Refusal


class WaiverFaulty(Refusal):
    """A waiver that names no article that may be waived, no person or no reason."""

    code: ClassVar[str] = "waiver-faulty"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The waiver cannot be taken"
