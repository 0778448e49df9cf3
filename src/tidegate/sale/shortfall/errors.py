"""What is refused about shortfalls. Nothing is changed by a refusal.

Refusal
├── ShortfallMalformed 422  not one of both counts, or a day that does not go with the remedy
├── NothingMissing     409  as many are there as the books say
├── MoreThanThere      409  more are said to be missing than there are
├── ShortfallUnknown   404  no such line of this buyer's order
└── NothingLater       409  nothing of the line comes later any more
"""

from tidegate.base.errors import Refusal


class ShortfallMalformed(Refusal):
    """The statement does not say one count, or its day does not go with its remedy."""

    code = "shortfall-malformed"
    status = 422
    title = "Not a statement of a shortfall"


class NothingMissing(Refusal):
    """As many units are there as the books say; `there` is how many."""

    code = "nothing-missing"
    status = 409
    title = "Nothing is missing"


class MoreThanThere(Refusal):
    """More units are said to be missing than there are; `there` is how many."""

    code = "more-than-there"
    status = 409
    title = "So many units are not there"


class ShortfallUnknown(Refusal):
    """This order has no such line."""

    code = "shortfall-unknown"
    status = 404
    title = "No such shortfall"


class NothingLater(Refusal):
    """Nothing of this line comes later: it was given back, or declined before."""

    code = "nothing-later"
    status = 409
    title = "Nothing of this comes later"
