"""What of identity is sealed at rest, under which key, and how it is found again."""

from uuid import UUID

import msgspec

from tidegate.base.crypto import Vault, blind_index, derive_key
from tidegate.trust.identity import rules
from tidegate.trust.identity.contracts import AccountId, Address, AddressId, SavedAddress
from tidegate.trust.identity.sharing_store import PlaceRow
from tidegate.trust.identity.store import AccountRow, AddressRow


class Seals:
    """Seals phone numbers and addresses to their rows (AES-256-GCM), and makes the digests to find them by."""

    def __init__(self, secret: bytes) -> None:
        self._vault = Vault(derive_key(secret, "identity.vault"))
        self._index_key = derive_key(secret, "identity.index")
        self._code_key = derive_key(secret, "identity.code")

    def index(self, kind: str, text: str) -> bytes:
        """Return the keyed digest of a text; digests of different kinds have nothing in common."""
        return blind_index(self._index_key, f"{kind}:{text}")

    def code_hash(self, code_id: UUID, code: str) -> bytes:
        """Return the keyed digest of a code: a million codes are soon tried, so the key must not stand beside it."""
        return blind_index(self._code_key, f"{code_id}:{code}")

    def seal_phone(self, account_id: AccountId, number: str) -> bytes:
        """Return a number sealed to its account."""
        return self._vault.seal(number.encode(), f"identity.account.phone_sealed/{account_id}")

    def open_phone(self, row: AccountRow) -> str:
        """Return the number of an account. Raises ValueError where it was altered or moved."""
        return self._vault.open(row.phone_sealed, f"identity.account.phone_sealed/{row.account_id}").decode()

    def seal_address(self, address_id: AddressId, address: Address) -> bytes:
        """Return an address sealed to its row."""
        return self._vault.seal(msgspec.json.encode(address), f"identity.address.address_sealed/{address_id}")

    def address_index(self, account_id: AccountId, address: Address) -> bytes:
        """Return the digest by which an account's equal addresses meet; those of two accounts never do."""
        return self.index(f"address:{account_id}", msgspec.json.encode(address).decode())

    def place_index(self, address: Address) -> bytes:
        """Return the digest of where goods go: equal for equal places, of whatever accounts."""
        return self.index("place", rules.place_text(address))

    def open_place(self, row: PlaceRow) -> Address:
        """Return the address of a row. Raises ValueError where it was altered or moved."""
        plain = self._vault.open(row.address_sealed, f"identity.address.address_sealed/{row.address_id}")
        return msgspec.json.decode(plain, type=Address)

    def open_address(self, row: AddressRow) -> SavedAddress:
        """Return a remembered address. Raises ValueError where it was altered or moved."""
        plain = self._vault.open(row.address_sealed, f"identity.address.address_sealed/{row.address_id}")
        address = msgspec.json.decode(plain, type=Address)
        return SavedAddress(address_id=row.address_id, address=address, remembered_at=row.remembered_at)
