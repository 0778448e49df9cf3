"""What accounts may share: a device, a place where goods go. Its use cases are part of `api.Identity`.

A device is the browser that signed in, known again by a signed cookie of its own; a client that keeps no cookies is a
new device at each sign-in. A place is an address without its name and number, whatever its spaces and punctuation.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.trust.identity import rules, sharing_store
from tidegate.trust.identity.ground import Ground


class Sharing(Ground):
    """Devices and places."""

    def device_token(self, device_id: UUID) -> str:
        """Return what a browser keeps to be known again."""
        return self._devices.sign(device_id.bytes)

    def known_device(self, token: str | None) -> UUID | None:
        """Return the device that a token names, or None where we did not sign it. No I/O."""
        named = self._devices.verify(token) if token and len(token) <= rules.DEVICE_TOKEN_LENGTH_MAX else None
        return UUID(bytes=named) if named is not None and len(named) == 16 else None

    async def devices_of(self, tx: Tx, session_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Return the device of each session, in one statement; a session that is not known is its own."""
        known = await sharing_store.devices(tx, session_ids)
        return {each: known.get(each, each) for each in session_ids}

    async def places_of(self, tx: Tx, address_ids: Sequence[UUID]) -> Mapping[UUID, bytes]:
        """Return the place of each address that exists, as a keyed digest: equal for equal places of any accounts.

        One statement; addresses from before digests were kept get theirs now.
        """
        found = await sharing_store.places(tx, address_ids)
        places = {row.address_id: row.place_index for row in found if row.place_index is not None}
        missing = {
            row.address_id: self._seals.place_index(self._seals.open_place(row))
            for row in found
            if row.place_index is None
        }
        if missing:
            await sharing_store.put_places(tx, dict(sorted(missing.items())))
        return places | missing
