"""Refusals: the expected ways to say no.

Exception
└── Refusal            code, status and title are stated by every subclass
    └── (one class for each reason, in its module's errors.py)

Anything that is not a Refusal is a bug: it is answered with 500, logged and counted.
"""

from typing import ClassVar


class Refusal(Exception):
    """A request that cannot be met, for a reason that the asker can understand.

    `detail` says in plain words what was wrong, what was left untouched and what to do.
    `fields` are facts for machines; they become members of the problem document (RFC 9457).
    """

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Refuse a subclass that does not state its code, status and title."""
        for name in ("code", "status", "title"):
            if not hasattr(cls, name):
                raise TypeError(f"{cls.__name__} must state {name}")

    def __init__(self, detail: str, **fields: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = fields
