"""What the page machinery refuses.

Refusal
├── ForeignForm   403  a form that another site sent
└── PageUnknown   404  no page at this address
"""

from typing import ClassVar

from tidegate.base.errors import Refusal


class ForeignForm(Refusal):
    """A form that did not come from a page of ours."""

    code: ClassVar[str] = "foreign-form"
    status: ClassVar[int] = 403
    title: ClassVar[str] = "Form not accepted"


class PageUnknown(Refusal):
    """There is no page at this address."""

    code: ClassVar[str] = "page-unknown"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "Page not found"
