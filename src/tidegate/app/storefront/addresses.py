"""Where an order goes, as forms ask for it: one of the shopper's addresses, or a new one that is remembered."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tidegate.app.storefront.forms import Form
from tidegate.app.storefront.visit import uuid_of
from tidegate.app.storefront.wording import ADDRESS_FAULTS
from tidegate.base.db import Database, Tx
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Address, SavedAddress
from tidegate.trust.identity.errors import AddressNotValid

ADDRESS_FIELDS = tuple(ADDRESS_FAULTS)


class AddressDesk:
    """A shopper's addresses, as forms use them."""

    def __init__(self, identity: Identity, db: Database) -> None:
        self._identity = identity
        self._db = db

    async def of(self, tx: Tx, account: AccountId) -> list[SavedAddress]:
        """Return the shopper's addresses, the one used last first."""
        return await self._identity.addresses(tx, account)

    async def take(self, account: AccountId, address_id: str, fields: Mapping[str, str]) -> UUID:
        """Return the chosen address, or remember the one that was entered. Raises AddressNotValid."""
        chosen = uuid_of(address_id)
        if chosen is not None:
            return chosen
        async with self._db.transaction() as tx:
            return await self._identity.remember_address(tx, account, Address(**fields))

    @staticmethod
    def faults(refusal: AddressNotValid) -> dict[str, str]:
        """Return what is wrong with each field of an address that was entered."""
        found: Any = refusal.fields.get("faults", ())
        named = [fault["field"] if isinstance(fault, dict) else getattr(fault, "field", "") for fault in found]
        return {name: ADDRESS_FAULTS[name] for name in ADDRESS_FIELDS if name in named}


def chosen_address(address_id: str, addresses: Sequence[SavedAddress]) -> str:
    """Return which address is marked: the one of the form, else the one used last, else a new one."""
    if address_id:
        return address_id
    return str(addresses[0].address_id) if addresses else "new"


def address_fields(form: Form) -> dict[str, str]:
    """Return what the form says of a new address."""
    return {name: form.text(name, 200) for name in ADDRESS_FIELDS}


def open_address_desk(identity: Identity, db: Database) -> AddressDesk:
    """Dependency `address_desk`."""
    return AddressDesk(identity, db)
