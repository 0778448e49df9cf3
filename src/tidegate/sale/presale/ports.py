"""What presale asks of those who know shoppers."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from tidegate.base.db import Tx


class Addresses(Protocol):
    """Who knows which addresses belong to whom."""

    async def foreign_addresses(self, tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
        """Return those of the (account, address) pairs that are not true."""
        ...


class Devices(Protocol):
    """Who knows what accounts share."""

    async def devices_of(self, tx: Tx, session_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Return the device of each session."""
        ...


class AddressBook(Addresses, Devices, Protocol):
    """Who knows both."""
