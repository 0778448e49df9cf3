"""What points refuse. Nothing moves by a refusal.

Refusal
├── PointsShort     409  fewer points are available than the order would spend
├── PointsMoved     409  a ledger moved after it was looked at
└── GrantNotValid   422  a grant of none, too many or without a reason
"""

from tidegate.base.errors import Refusal


class PointsShort(Refusal):
    """Fewer points are available than the order would spend; `available` and `points` say how many of each."""

    code = "points-short"
    status = 409
    title = "Not enough points"


class PointsMoved(Refusal):
    """A ledger moved after it was looked at; or a form is sent for the second time."""

    code = "points-moved"
    status = 409
    title = "The points moved meanwhile"


class GrantNotValid(Refusal):
    """A grant is of one point at least and has a reason."""

    code = "points-grant-not-valid"
    status = 422
    title = "Points cannot be granted so"
