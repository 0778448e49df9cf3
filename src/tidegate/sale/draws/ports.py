"""What draws want to know from outside."""

from typing import Protocol

from tidegate.gate.queue.api import PublishedNumber
from tidegate.gate.queue.contracts import AnnouncedNumber


class PublicNumbers(Protocol):
    """An outside source of numbers that nobody knows before their time."""

    async def number(self, wanted: AnnouncedNumber) -> PublishedNumber | None:
        """Return the announced number; None while it cannot be had.

        Raises NumberNotGenuine where the source gave one that the announced key did not sign; for nothing else.
        """
        ...
