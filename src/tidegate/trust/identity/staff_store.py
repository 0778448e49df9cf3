"""All SQL of staff, their sessions and the record of looks at personal data, as thin functions."""

from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import class_row, scalar_row

from tidegate.base.db import Tx
from tidegate.trust.identity.contracts import PersonalDataView, Role, StaffId


class StaffRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff with what sign-in needs."""

    staff_id: StaffId
    name: str
    role: Role
    password_hash: str
    failures: int
    locked_until_at: datetime | None
    added_at: datetime
    closed_at: datetime | None

    def __post_init__(self) -> None:
        """Turn the role's text into the enum; a text that is none is a bug."""
        msgspec.structs.force_setattr(self, "role", Role(self.role))


async def insert_staff(
    tx: Tx, *, staff_id: UUID, name: str, role: Role, password_hash: str, added_at: datetime
) -> bool:
    """Add a member of staff; False where the name is taken."""
    cursor = await tx.execute(
        """
        insert into identity.staff (staff_id, name, role, password_hash, added_at) values (%s, %s, %s, %s, %s)
        on conflict on constraint staff_name_once do nothing
        """,
        [staff_id, name, role.value, password_hash, added_at],
    )
    return cursor.rowcount == 1


async def staff_by_name(tx: Tx, name: str) -> StaffRow | None:
    """Return a member of staff."""
    async with tx.cursor(row_factory=class_row(StaffRow)) as cursor:
        await cursor.execute(
            """
            select staff_id, name, role, password_hash, failures, locked_until_at, added_at, closed_at
              from identity.staff where name = %s
            """,
            [name],
        )
        return await cursor.fetchone()


async def staff_locked(tx: Tx, name: str) -> StaffRow | None:
    """Return a member of staff whose sign-in is open, locked against others who count tries."""
    async with tx.cursor(row_factory=class_row(StaffRow)) as cursor:
        await cursor.execute(
            """
            select staff_id, name, role, password_hash, failures, locked_until_at, added_at, closed_at
              from identity.staff where name = %s and closed_at is null for update
            """,
            [name],
        )
        return await cursor.fetchone()


async def all_staff(tx: Tx) -> list[StaffRow]:
    """Return all staff by name."""
    async with tx.cursor(row_factory=class_row(StaffRow)) as cursor:
        await cursor.execute(
            """
            select staff_id, name, role, password_hash, failures, locked_until_at, added_at, closed_at
              from identity.staff order by name
            """
        )
        return await cursor.fetchall()


async def staff_of_session(tx: Tx, session_id: UUID, now: datetime) -> StaffRow | None:
    """Return the member of staff behind an open session."""
    async with tx.cursor(row_factory=class_row(StaffRow)) as cursor:
        await cursor.execute(
            """
            select s.staff_id, s.name, s.role, s.password_hash, s.failures, s.locked_until_at, s.added_at, s.closed_at
              from identity.staff_session as each join identity.staff as s using (staff_id)
             where each.session_id = %s and each.revoked_at is null and each.expires_at > %s and s.closed_at is null
            """,
            [session_id, now],
        )
        return await cursor.fetchone()


async def set_failures(tx: Tx, staff_id: UUID, failures: int, locked_until_at: datetime | None) -> None:
    """Record the wrong passwords in a row and until when sign-in is locked."""
    await tx.execute(
        "update identity.staff set failures = %s, locked_until_at = %s where staff_id = %s",
        [failures, locked_until_at, staff_id],
    )


async def set_password(tx: Tx, name: str, password_hash: str) -> StaffId | None:
    """Replace a password, which also ends the lock; None where nobody open has this name."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            update identity.staff set password_hash = %s, failures = 0, locked_until_at = null
             where name = %s and closed_at is null returning staff_id
            """,
            [password_hash, name],
        )
        found = await cursor.fetchone()
    return None if found is None else StaffId(found)


async def close_staff(tx: Tx, name: str, now: datetime) -> StaffId | None:
    """Close a member's sign-in for good; None where nobody open has this name."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "update identity.staff set closed_at = %s where name = %s and closed_at is null returning staff_id",
            [now, name],
        )
        found = await cursor.fetchone()
    return None if found is None else StaffId(found)


async def insert_staff_session(
    tx: Tx, *, session_id: UUID, staff_id: UUID, opened_at: datetime, expires_at: datetime
) -> None:
    """Open a staff session."""
    await tx.execute(
        "insert into identity.staff_session (session_id, staff_id, opened_at, expires_at) values (%s, %s, %s, %s)",
        [session_id, staff_id, opened_at, expires_at],
    )


async def revoke_staff_session(tx: Tx, session_id: UUID, now: datetime) -> None:
    """Revoke one staff session."""
    await tx.execute(
        """
        update identity.staff_session set revoked_at = greatest(%s, opened_at)
         where session_id = %s and revoked_at is null
        """,
        [now, session_id],
    )


async def revoke_sessions_of_staff(tx: Tx, staff_id: UUID, now: datetime) -> None:
    """Revoke all sessions of a member of staff."""
    await tx.execute(
        """
        update identity.staff_session set revoked_at = greatest(%s, opened_at)
         where staff_id = %s and revoked_at is null
        """,
        [now, staff_id],
    )


# Looks at personal data


async def insert_view(
    tx: Tx, *, view_id: UUID, staff_id: UUID, subject: str, purpose: str, viewed_at: datetime
) -> None:
    """Record one look."""
    await tx.execute(
        """
        insert into identity.personal_data_view (view_id, staff_id, subject, purpose, viewed_at)
        values (%s, %s, %s, %s, %s)
        """,
        [view_id, staff_id, subject, purpose, viewed_at],
    )


async def views(tx: Tx, *, subject: str | None, limit: int) -> list[PersonalDataView]:
    """Return the newest looks, of one subject or of all."""
    async with tx.cursor(row_factory=class_row(PersonalDataView)) as cursor:
        await cursor.execute(
            """
            select v.view_id, v.staff_id, s.name as staff_name, v.subject, v.purpose, v.viewed_at
              from identity.personal_data_view as v join identity.staff as s using (staff_id)
             where %(subject)s::text is null or v.subject = %(subject)s
             order by v.viewed_at desc, v.view_id desc limit %(limit)s
            """,
            {"subject": subject, "limit": limit},
        )
        return await cursor.fetchall()


async def records_protected(tx: Tx) -> bool:
    """Return whether the triggers that keep the records of looks and of changes as they are are in place and on."""
    async with tx.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select count(*) from pg_catalog.pg_trigger
             where tgrelid in ('identity.personal_data_view'::regclass, 'identity.segment_change'::regclass)
               and tgname = 'only_grows' and tgenabled = 'O'
            """
        )
        return await cursor.fetchone() == 2
