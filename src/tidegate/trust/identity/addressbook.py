"""The addresses that a shopper has remembered. Its use cases are part of `api.Identity`."""

from collections.abc import Sequence
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.trust.identity import rules, store
from tidegate.trust.identity.contracts import AccountId, Address, AddressId, SavedAddress
from tidegate.trust.identity.errors import AddressUnknown, NotSignedIn, TooManyAddresses
from tidegate.trust.identity.ground import Ground


class AddressBook(Ground):
    """Remembered addresses, sealed at rest."""

    async def addresses(self, tx: Tx, account_id: AccountId) -> list[SavedAddress]:
        """Return the addresses of an account, newest use first: the first is the one-click address."""
        return [self._seals.open_address(row) for row in await store.addresses(tx, account_id)]

    async def address(self, tx: Tx, account_id: AccountId, address_id: AddressId) -> SavedAddress:
        """Return one address of an account. Raises AddressUnknown."""
        for row in await store.addresses(tx, account_id):
            if row.address_id == address_id:
                return self._seals.open_address(row)
        raise AddressUnknown("You have no address with this id; nothing was changed.")

    async def foreign_addresses(self, tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
        """Return those of the (account, address) pairs that are not true; one statement for a whole batch of orders."""
        return await store.foreign_addresses(tx, pairs)

    async def remember_address(self, tx: Tx, account_id: AccountId, address: Address) -> AddressId:
        """Remember an address, sealed, and put it first; the same address again keeps its id.

        Raises AddressNotValid with every fault, or TooManyAddresses.
        """
        clean = rules.clean_address(address)
        now = self._clock.now()
        content = self._seals.address_index(account_id, clean)
        if not await store.lock_account(tx, account_id):
            raise NotSignedIn("This account does not exist; nothing was changed. Sign in again.")
        known = await store.touch_address(tx, account_id, content, now)
        if known is not None:
            return known
        if len(await store.addresses(tx, account_id)) >= rules.ADDRESSES_MAX:
            raise TooManyAddresses(
                f"You have {rules.ADDRESSES_MAX} addresses; this one was not saved. Remove one first.",
                addresses_max=rules.ADDRESSES_MAX,
            )
        address_id = AddressId(self._ids.new())
        await store.insert_address(
            tx,
            address_id=address_id,
            account_id=account_id,
            content_index=content,
            place_index=self._seals.place_index(clean),
            address_sealed=self._seals.seal_address(address_id, clean),
            now=now,
        )
        return address_id

    async def forget_address(self, tx: Tx, account_id: AccountId, address_id: AddressId) -> None:
        """Forget an address. Raises AddressUnknown."""
        if not await store.delete_address(tx, account_id, address_id):
            raise AddressUnknown("You have no address with this id; nothing was changed.")
