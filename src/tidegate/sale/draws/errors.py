"""What prize draws refuse.

Refusal
└── DrawUnknown 404  no such draw
"""

from tidegate.base.errors import Refusal


class DrawUnknown(Refusal):
    """There is no such draw."""

    code = "draw-unknown"
    status = 404
    title = "Draw not known"
