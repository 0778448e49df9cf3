"""What group buying refuses. Nothing is ever taken, ordered or charged by a refusal.

Refusal
├── NotSoldToGroups 409  goods that the campaign does not sell to groups
├── GroupUnknown    404  no such group
├── GroupEnded      409  filled, failed, or its time is over
├── GroupFull       409  every seat is taken
└── AlreadyInGroup  409  the buyer has a seat in this group
"""

from tidegate.base.errors import Refusal


class NotSoldToGroups(Refusal):
    """The campaign does not sell these goods to groups; `sku` says which."""

    code = "not-sold-to-groups"
    status = 409
    title = "Not sold to groups"


class GroupUnknown(Refusal):
    """There is no such group."""

    code = "group-unknown"
    status = 404
    title = "Group not known"


class GroupEnded(Refusal):
    """The group is filled, failed, or its time is over; `state` says which."""

    code = "group-ended"
    status = 409
    title = "The group has ended"


class GroupFull(Refusal):
    """Every seat is taken; `unpaid` of them are not paid yet and may come back."""

    code = "group-full"
    status = 409
    title = "The group is full"


class AlreadyInGroup(Refusal):
    """The buyer has a seat in this group already; `order_id` is its order."""

    code = "already-in-group"
    status = 409
    title = "You are in this group"
