"""All SQL of shoppers, their sessions and addresses, as thin functions. The account is locked before what it has."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import class_row, scalar_row

from tidegate.base import columns
from tidegate.base.db import Tx
from tidegate.trust.identity.contracts import AccountId, AddressId, SessionId


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account, its phone number sealed."""

    account_id: AccountId
    kind: str
    phone_index: bytes
    phone_sealed: bytes
    opened_at: datetime


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a shopper."""

    session_id: SessionId
    device: str
    opened_at: datetime
    expires_at: datetime


class AddressRow(msgspec.Struct, frozen=True, kw_only=True):
    """A remembered address, sealed."""

    address_id: AddressId
    address_sealed: bytes
    remembered_at: datetime


# Accounts and sessions


async def open_account(
    tx: Tx, *, account_id: UUID, phone_index: bytes, phone_sealed: bytes, now: datetime
) -> AccountId:
    """Return the account of a phone, opened under `account_id` if there was none."""
    await tx.execute(
        """
        insert into identity.account (account_id, phone_index, phone_sealed, opened_at)
        values (%s, %s, %s, %s)
        on conflict (phone_index) do nothing
        """,
        [account_id, phone_index, phone_sealed, now],
    )
    found = await known_account(tx, phone_index)
    assert found is not None
    return found


async def known_account(tx: Tx, phone_index: bytes) -> AccountId | None:
    """Return the account of a phone, or None."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select account_id from identity.account where phone_index = %s", [phone_index])
        found = await cursor.fetchone()
    return None if found is None else AccountId(found)


async def account(tx: Tx, account_id: UUID) -> AccountRow | None:
    """Return one account."""
    async with tx.cursor(row_factory=class_row(AccountRow)) as cursor:
        await cursor.execute(
            "select account_id, kind, phone_index, phone_sealed, opened_at from identity.account where account_id = %s",
            [account_id],
        )
        return await cursor.fetchone()


async def newest_accounts(tx: Tx, count: int) -> list[AccountRow]:
    """Return the accounts opened last."""
    async with tx.cursor(row_factory=class_row(AccountRow)) as cursor:
        await cursor.execute(
            """
            select account_id, kind, phone_index, phone_sealed, opened_at
              from identity.account order by account_id desc limit %s
            """,
            [count],
        )
        return await cursor.fetchall()


async def insert_session(
    tx: Tx,
    *,
    session_id: UUID,
    account_id: UUID,
    code_id: UUID,
    device: str,
    device_id: UUID | None,
    opened_at: datetime,
    expires_at: datetime,
) -> None:
    """Open a session."""
    await tx.execute(
        """
        insert into identity.session (session_id, account_id, code_id, device, device_id, opened_at, expires_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [session_id, account_id, code_id, device, device_id, opened_at, expires_at],
    )


async def next_rehearsal_numbers(tx: Tx, count: int) -> list[int]:
    """Return `count` numbers that no simulated shopper has had."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select nextval('identity.rehearsal_number') from generate_series(1, %s::integer)", [count]
        )
        return [int(number) for number in await cursor.fetchall()]


class SimulatedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated shopper to insert."""

    account_id: UUID
    phone_index: bytes
    phone_sealed: bytes
    session_id: UUID
    address_id: UUID
    content_index: bytes
    place_index: bytes
    address_sealed: bytes


async def insert_simulated(tx: Tx, rows: Sequence[SimulatedRow], *, opened_at: datetime, expires_at: datetime) -> None:
    """Open simulated shoppers, each with one session and one address, in one statement."""
    columns = {field: [getattr(row, field) for row in rows] for field in SimulatedRow.__struct_fields__}
    await tx.execute(
        """
        with simulated as (
            select * from unnest(
                %(account_id)s::uuid[], %(phone_index)s::bytea[], %(phone_sealed)s::bytea[], %(session_id)s::uuid[],
                %(address_id)s::uuid[], %(content_index)s::bytea[], %(place_index)s::bytea[],
                %(address_sealed)s::bytea[]
            ) as each (
                account_id, phone_index, phone_sealed, session_id, address_id, content_index, place_index,
                address_sealed
            )
        ), accounts as (
            insert into identity.account (account_id, kind, phone_index, phone_sealed, opened_at)
            select account_id, 'rehearsal', phone_index, phone_sealed, %(opened_at)s from simulated
        ), addresses as (
            insert into identity.address
                (address_id, account_id, content_index, place_index, address_sealed, remembered_at)
            select address_id, account_id, content_index, place_index, address_sealed, %(opened_at)s from simulated
        )
        insert into identity.session (session_id, account_id, device, opened_at, expires_at)
        select session_id, account_id, 'rehearsal', %(opened_at)s, %(expires_at)s from simulated
        """,
        {**columns, "opened_at": opened_at, "expires_at": expires_at},
    )


async def open_sessions(tx: Tx, account_id: UUID, now: datetime) -> list[SessionRow]:
    """Return an account's open sessions, newest first."""
    async with tx.cursor(row_factory=class_row(SessionRow)) as cursor:
        await cursor.execute(
            """
            select session_id, device, opened_at, expires_at
              from identity.session
             where account_id = %s and revoked_at is null and expires_at > %s
             order by opened_at desc, session_id desc
            """,
            [account_id, now],
        )
        return await cursor.fetchall()


async def revoke_sessions(tx: Tx, account_id: UUID, session_ids: Sequence[UUID], now: datetime) -> list[SessionId]:
    """Revoke those sessions of the account that are still open, and return them."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            update identity.session
               set revoked_at = greatest(%(now)s, opened_at)
             where account_id = %(account_id)s and session_id = any(%(session_ids)s)
               and revoked_at is null and expires_at > %(now)s
            returning session_id
            """,
            {"account_id": account_id, "session_ids": list(session_ids), "now": now},
        )
        return [SessionId(each) for each in await cursor.fetchall()]


async def revoked_since(tx: Tx, since: datetime, now: datetime) -> list[tuple[SessionId, datetime]]:
    """Return the sessions revoked since a moment that would still be good, each with its end."""
    cursor = await tx.execute(
        "select session_id, expires_at from identity.session where revoked_at >= %s and expires_at > %s", [since, now]
    )
    return [(SessionId(session_id), expires_at) for session_id, expires_at in await cursor.fetchall()]


# Addresses


async def lock_account(tx: Tx, account_id: UUID) -> bool:
    """Lock an account, so that its addresses or sessions are counted by one at a time; False if there is none."""
    cursor = await tx.execute("select from identity.account where account_id = %s for no key update", [account_id])
    return await cursor.fetchone() is not None


async def addresses(tx: Tx, account_id: UUID) -> list[AddressRow]:
    """Return an account's addresses, newest use first."""
    async with tx.cursor(row_factory=class_row(AddressRow)) as cursor:
        await cursor.execute(
            """
            select address_id, address_sealed, remembered_at
              from identity.address where account_id = %s
             order by remembered_at desc, address_id desc
            """,
            [account_id],
        )
        return await cursor.fetchall()


async def foreign_addresses(tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Return those (account, address) pairs that do not exist, looked up in one statement."""
    cursor = await tx.execute(
        # One look into the index for each: a join would be planned while the table is young, and read all of it later.
        """
        select asked.account_id, asked.address_id
          from unnest(%s, %s) as asked (account_id, address_id)
          left join lateral (select known.account_id from identity.address as known
                              where known.address_id = asked.address_id limit 1) as owner on true
         where owner.account_id is distinct from asked.account_id
        """,
        [
            columns.uuids([account_id for account_id, _ in pairs]),
            columns.uuids([address_id for _, address_id in pairs]),
        ],
    )
    return {(account_id, address_id) for account_id, address_id in await cursor.fetchall()}


async def touch_address(tx: Tx, account_id: UUID, content_index: bytes, now: datetime) -> AddressId | None:
    """Move an address that is remembered already to the front, and return its id."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            update identity.address set remembered_at = %s
             where account_id = %s and content_index = %s
            returning address_id
            """,
            [now, account_id, content_index],
        )
        found = await cursor.fetchone()
    return None if found is None else AddressId(found)


async def insert_address(
    tx: Tx,
    *,
    address_id: UUID,
    account_id: UUID,
    content_index: bytes,
    place_index: bytes,
    address_sealed: bytes,
    now: datetime,
) -> None:
    """Remember an address."""
    await tx.execute(
        """
        insert into identity.address
            (address_id, account_id, content_index, place_index, address_sealed, remembered_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        [address_id, account_id, content_index, place_index, address_sealed, now],
    )


async def delete_address(tx: Tx, account_id: UUID, address_id: UUID) -> bool:
    """Forget an address; False if the account has none with this id."""
    cursor = await tx.execute(
        "delete from identity.address where account_id = %s and address_id = %s", [account_id, address_id]
    )
    return cursor.rowcount == 1


# Upkeep and invariants


async def delete_old(tx: Tx, *, codes_before: datetime, sessions_before: datetime) -> int:
    """Delete codes and ended sessions that no decision needs any more; return how many rows went."""
    codes = await tx.execute("delete from identity.code where requested_at < %s", [codes_before])
    sessions = await tx.execute("delete from identity.session where expires_at < %s", [sessions_before])
    staff = await tx.execute("delete from identity.staff_session where expires_at < %s", [sessions_before])
    return codes.rowcount + sessions.rowcount + staff.rowcount


async def codes_misused(tx: Tx) -> tuple[int, int]:
    """Return how many codes there are, and how many were used late, tried too often or opened two sessions."""
    cursor = await tx.execute(
        """
        select count(*), count(*) filter (where c.used_at >= c.expires_at or c.tries > 5 or s.sessions > 1)
          from identity.code as c
          left join (select code_id, count(*) as sessions from identity.session group by code_id) as s using (code_id)
        """
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1]


async def accounts_over(tx: Tx, *, addresses_max: int, sessions_max: int, now: datetime) -> tuple[int, list[AccountId]]:
    """Return how many accounts there are, and those with more addresses or open sessions than they may have."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select count(*) from identity.account")
        examined = int((await cursor.fetchone()) or 0)
        await cursor.execute(
            """
            select account_id from identity.address group by account_id having count(*) > %(addresses)s
            union
            select account_id from identity.session where revoked_at is null and expires_at > %(now)s
             group by account_id having count(*) > %(sessions)s
            limit 5
            """,
            {"addresses": addresses_max, "sessions": sessions_max, "now": now},
        )
        return examined, [AccountId(each) for each in await cursor.fetchall()]
