"""Remembered addresses: sealed, each one's own, newest use first, limited in number."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from tests.trust.identity.conftest import signed_in
from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Address, AddressId, SavedAddress, Session
from tidegate.trust.identity.errors import AddressNotValid, AddressUnknown, NotSignedIn, TooManyAddresses


def at_door(address: Address, number: int) -> Address:
    return msgspec.structs.replace(address, street=f"文三路 {number} 号")


async def test_an_address_comes_back_as_it_was(
    identity: Identity, session: Session, address: Address, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        address_id = await identity.remember_address(tx, session.account_id, address)
    saved = SavedAddress(address_id=address_id, address=address, remembered_at=clock.now())
    async with db.transaction() as tx:
        assert await identity.addresses(tx, session.account_id) == [saved]
        assert await identity.address(tx, session.account_id, address_id) == saved


async def test_the_database_cannot_read_it(
    identity: Identity, session: Session, address: Address, db: Database
) -> None:
    async with db.transaction() as tx:
        await identity.remember_address(tx, session.account_id, address)
        [(sealed,)] = await (await tx.execute("select address_sealed from identity.address")).fetchall()
    for text in (address.name, address.phone, address.city, address.street):
        assert text.encode() not in sealed


async def test_a_sealed_address_moved_to_another_row_does_not_open(
    identity: Identity, session: Session, address: Address, db: Database
) -> None:
    stranger = await signed_in(identity, "13900139000")
    async with db.transaction() as tx:
        await identity.remember_address(tx, session.account_id, address)
        await identity.remember_address(tx, stranger.account_id, at_door(address, 7))
        await tx.execute(
            """
            update identity.address set address_sealed =
                (select address_sealed from identity.address where account_id = %s)
            """,
            [session.account_id],
        )
        with pytest.raises(ValueError, match="does not belong"):
            await identity.addresses(tx, stranger.account_id)


async def test_the_same_address_again_keeps_its_id_and_comes_first(
    identity: Identity, session: Session, address: Address, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        home = await identity.remember_address(tx, session.account_id, address)
        clock.advance(seconds=1)
        work = await identity.remember_address(tx, session.account_id, at_door(address, 7))
        assert [each.address_id for each in await identity.addresses(tx, session.account_id)] == [work, home]
        clock.advance(seconds=1)
        spaced = msgspec.structs.replace(address, name=" 张三 ", phone="138 0013 1234")
        assert await identity.remember_address(tx, session.account_id, spaced) == home
        assert [each.address_id for each in await identity.addresses(tx, session.account_id)] == [home, work]


async def test_one_remembers_at_most_twenty_even_all_at_once(
    identity: Identity, session: Session, address: Address, db: Database
) -> None:
    async def remember(number: int) -> AddressId:
        async with db.transaction() as tx:
            return await identity.remember_address(tx, session.account_id, at_door(address, number))

    answers = await asyncio.gather(*(remember(number) for number in range(25)), return_exceptions=True)
    assert sum(isinstance(each, UUID) for each in answers) == 20
    assert sum(isinstance(each, TooManyAddresses) for each in answers) == 5
    async with db.transaction() as tx:
        assert len(await identity.addresses(tx, session.account_id)) == 20


async def test_a_stranger_sees_forgets_and_finds_nothing(
    identity: Identity, session: Session, address: Address, db: Database
) -> None:
    stranger = await signed_in(identity, "13900139000")
    async with db.transaction() as tx:
        address_id = await identity.remember_address(tx, session.account_id, address)
        assert await identity.addresses(tx, stranger.account_id) == []
        with pytest.raises(AddressUnknown):
            await identity.address(tx, stranger.account_id, address_id)
        with pytest.raises(AddressUnknown):
            await identity.forget_address(tx, stranger.account_id, address_id)
        assert len(await identity.addresses(tx, session.account_id)) == 1


async def test_a_batch_learns_which_addresses_are_whose(
    identity: Identity, session: Session, address: Address, db: Database
) -> None:
    stranger = await signed_in(identity, "13900139000")
    async with db.transaction() as tx:
        home = await identity.remember_address(tx, session.account_id, address)
        work = await identity.remember_address(tx, session.account_id, at_door(address, 7))
        theirs = await identity.remember_address(tx, stranger.account_id, address)
        true = {(session.account_id, home), (session.account_id, work), (stranger.account_id, theirs)}
        false = {(session.account_id, theirs), (stranger.account_id, home), (session.account_id, UUID(int=1))}
        assert await identity.foreign_addresses(tx, [*true, *false, *true]) == false
        assert await identity.foreign_addresses(tx, []) == set()


async def test_a_forgotten_address_is_gone(
    identity: Identity, session: Session, address: Address, db: Database
) -> None:
    async with db.transaction() as tx:
        address_id = await identity.remember_address(tx, session.account_id, address)
        await identity.forget_address(tx, session.account_id, address_id)
        assert await identity.addresses(tx, session.account_id) == []
        with pytest.raises(AddressUnknown):
            await identity.forget_address(tx, session.account_id, address_id)


async def test_a_faulty_address_or_an_unknown_account_saves_nothing(
    identity: Identity, session: Session, address: Address, db: Database
) -> None:
    async with db.transaction() as tx:
        with pytest.raises(AddressNotValid):
            await identity.remember_address(tx, session.account_id, msgspec.structs.replace(address, city=""))
        with pytest.raises(NotSignedIn):
            await identity.remember_address(tx, AccountId(UUID(int=1)), address)
        assert await identity.addresses(tx, session.account_id) == []
