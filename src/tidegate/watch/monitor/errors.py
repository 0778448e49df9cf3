"""The monitor's refusals.

Refusal
└── NotWithinReach    the asked span of time is longer than can be answered at once
"""

from tidegate.base.errors import Refusal


class NotWithinReach(Refusal):
    """The asked span is too long, ends before it begins, or lies before anything was recorded."""

    code = "span-not-within-reach"
    status = 422
    title = "This span of time cannot be answered"
