"""Decisions about points, pure: what a batch of orders may hold, and what a refund takes back."""

from collections.abc import Mapping
from uuid import UUID

from tidegate.base.errors import Refusal
from tidegate.sale.points.errors import PointsShort


class Purse:
    """Balances read and locked for one transaction: a batch of orders is decided on it, then it is written once."""

    def __init__(self, available: Mapping[UUID, int]) -> None:
        self._available = dict(available)
        self._held: dict[UUID, tuple[UUID, int]] = {}

    def try_hold(self, order_id: UUID, account_id: UUID, points: int) -> Refusal | None:
        """Hold points for an order, or return why they cannot be."""
        available = self._available.get(account_id, 0)
        if points > available:
            return PointsShort(
                f"The order would spend {points} points, and {available} are there. Nothing was ordered. "
                "Look at the price with fewer points and order again.",
                points=points,
                available=available,
            )
        self._available[account_id] = available - points
        self._held[order_id] = (account_id, points)
        return None

    def give_back(self, order_id: UUID) -> None:
        """Undo a `try_hold` of this transaction, for an order that was refused for another reason afterwards."""
        account_id, points = self._held.pop(order_id)
        self._available[account_id] += points

    def held(self) -> list[tuple[UUID, UUID, int]]:
        """Return (order, account, points) of what was held."""
        return [(order_id, *held) for order_id, held in self._held.items()]


def taken_back(earned: int, paid: int, refunded: int) -> int:
    """Return how many of the points that an order earned are to be gone in all, for so much of what was paid refunded.

    `paid` and `refunded` in minor units. The buyer keeps the whole points that the rest of the money is worth.
    """
    if not paid:
        return 0
    kept = max(paid - refunded, 0)
    return earned - earned * kept // paid
