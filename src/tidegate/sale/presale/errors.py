"""What presale refuses. Nothing is reserved, paid or ended by a refusal.

Refusal
├── PresaleUnknown        404  no presale of that SKU
├── PresaleNotOpen        409  outside the time for reserving
├── PresaleLimitReached   409  more units than one buyer may reserve
├── ReservationUnknown    404  no such reservation, or not this buyer's
├── ReservationEnded      409  it is over, or an order already
├── BalanceNotDue         409  the time for the balance has not begun, or the deposit is not paid
├── DepositWouldBeLost    409  giving up loses the deposit, and that was not agreed to
└── ReasonNeeded          422  an act of staff without a reason
"""

from tidegate.base.errors import Refusal


class PresaleUnknown(Refusal):
    """No presale of that SKU."""

    code = "presale-unknown"
    status = 404
    title = "Not in presale"


class PresaleNotOpen(Refusal):
    """Outside the time for reserving; `opens_at` and `closes_at` say when it is."""

    code = "presale-not-open"
    status = 409
    title = "Not the time for reserving"


class PresaleLimitReached(Refusal):
    """More units than one buyer may reserve; `cap` and `reserved` say how many may be and are."""

    code = "presale-limit-reached"
    status = 409
    title = "Limit reached"


class ReservationUnknown(Refusal):
    """No such reservation, or not this buyer's."""

    code = "reservation-unknown"
    status = 404
    title = "Reservation not known"


class ReservationEnded(Refusal):
    """The reservation is over, or an order already."""

    code = "reservation-ended"
    status = 409
    title = "Reservation is over"


class BalanceNotDue(Refusal):
    """The time for the balance has not begun, or the deposit is not paid."""

    code = "balance-not-due"
    status = 409
    title = "Balance not due yet"


class DepositWouldBeLost(Refusal):
    """Giving up loses the deposit, and that was not agreed to."""

    code = "deposit-would-be-lost"
    status = 409
    title = "The deposit would be lost"


class ReasonNeeded(Refusal):
    """An act of staff without a reason."""

    code = "reason-needed"
    status = 422
    title = "A reason is needed"
