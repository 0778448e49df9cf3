"""What points refuse. Nothing moves by a refusal.

Refusal
├── PointsShort     409  fewer points are available than the order would spend
└── GrantNotValid   422  a grant of none, too many or without a reason
"""

from tidegate.base.errors import Refusal


class PointsShort(Refusal):
    """Fewer points are available than the order would spend; `available` and `points` say how many of each."""

    code = "points-short"
    status = 409
    title = "Not enough points"


class GrantNotValid(Refusal):
    """A grant is of one point at least and has a reason."""

    code = "points-grant-not-valid"
    status = 422
    title = "Points cannot be granted so"
