"""The refusals of bots.

Refusal
├── WorkRefused        403  no answer, not ours, expired, too early, used, somebody else's, or wrong
├── DecisionUnknown    404  no such decision
└── UndoNotValid       400  an undo that ends in the past or too late
"""

from tidegate.base.errors import Refusal


class WorkRefused(Refusal):
    """The answer buys no queue number. Fields: `reason`, a WorkFault; for a wait that is not over, `retry_after`."""

    code, status, title = "work-refused", 403, "Answer refused"


class DecisionUnknown(Refusal):
    """No decision has this id: it was never recorded as an example, or is too old."""

    code, status, title = "decision-unknown", 404, "No such decision"


class UndoNotValid(Refusal):
    """The undo names no end that is possible. Field: `ends_at`."""

    code, status, title = "undo-not-valid", 400, "Undo not possible"
