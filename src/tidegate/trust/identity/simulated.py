"""Simulated shoppers for rehearsals, opened in bulk by staff. Its use cases are part of `api.Identity`."""

from collections.abc import Collection
from datetime import timedelta

from tidegate.base.db import Tx
from tidegate.trust.identity import member_store, store
from tidegate.trust.identity.contracts import AccountId, Address, AddressId, Session, SimulatedShopper
from tidegate.trust.identity.ground import Ground
from tidegate.trust.identity.members import DEFAULT_TIER

_AT_ONCE_MAX = 100_000
_LIFE = timedelta(days=1)
# A place that no courier looks for, and a number under a country code that no telephone has.
_ADDRESS = Address(
    name="演练",
    phone="+8610000000000",
    province="演练省",
    city="演练市",
    district="演练区",
    street="演练路 1 号",
)


class SimulatedShoppers(Ground):
    """Accounts of kind `rehearsal`."""

    async def open_rehearsal_accounts(
        self, tx: Tx, count: int, members: Collection[int] = ()
    ) -> list[SimulatedShopper]:
        """Open `count` simulated shoppers, each with a session of a day and an address, in one statement.

        `members` are the places, from 0 on, of those who are members.

        For rehearsals, by staff on the command line or in the console only. Their numbers lie under a country code
        that no telephone has (+999), so that nobody can ever sign in to them. Raises ValueError beyond 100,000.
        """
        if not 1 <= count <= _AT_ONCE_MAX:
            raise ValueError(f"1 to {_AT_ONCE_MAX} simulated shoppers can be opened at once, not {count}")
        now = self._clock.now()
        numbers = [f"+999{number:012d}" for number in await store.next_rehearsal_numbers(tx, count)]
        sessions = [self._new_session(AccountId(self._ids.new()), now + _LIFE) for _ in numbers]
        rows = [self._simulated(session, number) for session, number in zip(sessions, numbers, strict=True)]
        await store.insert_simulated(tx, rows, opened_at=now, expires_at=sessions[0].expires_at)
        if members:
            tiers = {rows[place].phone_index: DEFAULT_TIER for place in members}
            await member_store.put(tx, dict(sorted(tiers.items())), now)
        return [
            SimulatedShopper(session=session, address_id=AddressId(row.address_id))
            for session, row in zip(sessions, rows, strict=True)
        ]

    def _simulated(self, session: Session, number: str) -> store.SimulatedRow:
        address_id = AddressId(self._ids.new())
        return store.SimulatedRow(
            account_id=session.account_id,
            phone_index=self._seals.index("phone", number),
            phone_sealed=self._seals.seal_phone(session.account_id, number),
            session_id=session.session_id,
            address_id=address_id,
            content_index=self._seals.address_index(session.account_id, _ADDRESS),
            place_index=self._seals.index("place", number),  # one door each, though the words are the same
            address_sealed=self._seals.seal_address(address_id, _ADDRESS),
        )
