"""The refusals of a rehearsal."""

from typing import ClassVar

from tidegate.base.errors import Refusal


class LogNotReadable(Refusal):
    """The order log cannot be read as it is."""

    code: ClassVar[str] = "log-not-readable"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Order log not readable"


class ReplayUnderWay(Refusal):
    """Somebody else replays a log on this installation."""

    code: ClassVar[str] = "replay-under-way"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "A replay is under way"


class SystemNotReachable(Refusal):
    """No running system answers at the address."""

    code: ClassVar[str] = "system-not-reachable"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "System not reachable"


class FloodFailed(Refusal):
    """The simulated shoppers could not be sent."""

    code: ClassVar[str] = "flood-failed"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Flood failed"


class SessionsOver(Refusal):
    """The simulated shoppers of an earlier replay cannot act any more."""

    code: ClassVar[str] = "sessions-over"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Sessions of the earlier replay are over"


class NothingToBuy(Refusal):
    """A flood needs a campaign with offers."""

    code: ClassVar[str] = "nothing-to-buy"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Nothing to buy"
