"""What price protection refuses. Nothing is ever given back by a refusal.

Refusal
├── ProtectionNotPromised   409  the version that priced the order promises nothing for what is kept of it
├── ProtectionOver          409  the days after the payment are over
├── NothingToCompare        409  none of the goods is on sale now
├── DifferenceGiven         409  the difference to today's price was given back before
└── NothingCheaper          409  the goods do not cost less today
"""

from tidegate.base.errors import Refusal


class ProtectionNotPromised(Refusal):
    """Nothing was promised for these goods."""

    code = "protection-not-promised"
    status = 409
    title = "No price protection for these goods"


class ProtectionOver(Refusal):
    """The time is over; `until` says when it ended."""

    code = "protection-over"
    status = 409
    title = "The time of price protection is over"


class NothingToCompare(Refusal):
    """None of the goods can be bought now, so there is no price of today."""

    code = "nothing-to-compare"
    status = 409
    title = "Not on sale now"


class DifferenceGiven(Refusal):
    """The difference has been given back already; `given` is how much, in minor units."""

    code = "difference-given"
    status = 409
    title = "The difference was given back already"


class NothingCheaper(Refusal):
    """The goods do not cost less today."""

    code = "nothing-cheaper"
    status = 409
    title = "Not cheaper today"
