"""Staff: names, roles, passwords, sessions, and the record of looks. Its use cases are part of `api.Identity`."""

import asyncio
import secrets
from datetime import datetime, timedelta

from tidegate.base.crypto import hash_password, verify_password
from tidegate.base.db import Tx
from tidegate.trust.identity import rules, staff_store, store
from tidegate.trust.identity.contracts import (
    AccountId,
    Permission,
    PersonalDataView,
    Role,
    SessionId,
    Staff,
    StaffId,
    StaffSession,
    StaffView,
)
from tidegate.trust.identity.errors import (
    AccountUnknown,
    StaffLocked,
    StaffNameTaken,
    StaffNotSignedIn,
    StaffSignInRefused,
    StaffUnknown,
    TooManyTries,
)
from tidegate.trust.identity.ground import Ground

_VIEWS_MAX = 500


class StaffDesk(Ground):
    """Members of staff and what they look at."""

    async def add_staff(self, tx: Tx, name: str, role: Role, password: str) -> Staff:
        """Add a member of staff. Raises StaffNameNotValid, PasswordTooWeak or StaffNameTaken."""
        clean = rules.staff_name(name)
        rules.require_password(password, clean)
        staff_id = StaffId(self._ids.new())
        password_hash = await asyncio.to_thread(hash_password, password)
        added = await staff_store.insert_staff(
            tx, staff_id=staff_id, name=clean, role=role, password_hash=password_hash, added_at=self._clock.now()
        )
        if not added:
            raise StaffNameTaken(f"Somebody is called {clean} already; nobody was added. Choose another name.")
        return Staff(staff_id=staff_id, name=clean, role=role, permissions=rules.PERMISSIONS[role])

    async def set_staff_password(self, tx: Tx, name: str, password: str) -> None:
        """Replace a password, end the lock and all sessions. Raises StaffUnknown or PasswordTooWeak."""
        clean = rules.staff_name(name)
        rules.require_password(password, clean)
        staff_id = await staff_store.set_password(tx, clean, await asyncio.to_thread(hash_password, password))
        await staff_store.revoke_sessions_of_staff(tx, _known(staff_id, clean), self._clock.now())

    async def close_staff(self, tx: Tx, name: str) -> None:
        """End a member's access for good; what they did stays on record. Raises StaffUnknown."""
        clean = rules.staff_name(name)
        now = self._clock.now()
        closed = await staff_store.close_staff(tx, clean, now)
        await staff_store.revoke_sessions_of_staff(tx, _known(closed, clean), now)

    async def all_staff(self, tx: Tx) -> list[StaffView]:
        """Return all staff by name, the closed ones too."""
        return [
            StaffView(
                staff=_staff(row), added_at=row.added_at, closed_at=row.closed_at, locked_until_at=row.locked_until_at
            )
            for row in await staff_store.all_staff(tx)
        ]

    async def require_named_staff(self, tx: Tx, name: str, permission: Permission) -> Staff:
        """Return who acts under this name. Raises StaffUnknown, or NotPermitted where the role does not include it."""
        views = await self.all_staff(tx)
        found = next((view.staff for view in views if view.staff.name == name and view.closed_at is None), None)
        if found is None:
            raise StaffUnknown(
                f"Nobody of the name {name} is among the staff. Nothing was changed: tidegate staff list"
            )
        found.require(permission)
        return found

    async def staff_sign_in(self, name: str, password: str, client_address: str) -> StaffSession:
        """Open a staff session of eight hours.

        A try is counted before the password is looked at, so that parallel guesses gain nothing. Raises
        StaffSignInRefused, StaffLocked or TooManyTries.
        """
        now = self._clock.now()
        client = self._seals.index("client", rules.network_of(client_address))
        await self._require_calm_network("staff", client, rules.STAFF_TRIES_AN_ADDRESS_AN_HOUR_MAX, TooManyTries, now)
        async with self._db.transaction() as tx:
            row = await self._count_staff_try(tx, name.strip().lower(), now)
        right = await self._password_is(row.password_hash if row else await self._nobody(), password)
        if row is None or not right:
            raise StaffSignInRefused("Name or password is not right. Try again, or ask an administrator.")
        async with self._db.transaction() as tx:
            return await self._open_staff_session(tx, row, now)

    async def _count_staff_try(self, tx: Tx, name: str, now: datetime) -> staff_store.StaffRow | None:
        row = await staff_store.staff_locked(tx, name)
        if row is None:
            return None
        if row.locked_until_at is not None and now < row.locked_until_at:
            wait_seconds = rules.seconds_until(row.locked_until_at, now)
            raise StaffLocked(
                f"Too many wrong passwords. Sign-in opens again in {wait_seconds} s.",
                locked_until_at=row.locked_until_at,
                retry_after=wait_seconds,
            )
        failures = row.failures + 1
        lock = rules.lock_seconds(failures)
        await staff_store.set_failures(tx, row.staff_id, failures, now + timedelta(seconds=lock) if lock else None)
        return row

    async def _open_staff_session(self, tx: Tx, seen: staff_store.StaffRow, now: datetime) -> StaffSession:
        row = await staff_store.staff_locked(tx, seen.name)
        if row is None or row.password_hash != seen.password_hash:
            raise StaffSignInRefused("Your access was changed just now. Try again, or ask an administrator.")
        await staff_store.set_failures(tx, row.staff_id, 0, None)
        session_id = SessionId(self._ids.new())
        expires_at = (now + rules.STAFF_SESSION_LIFE).replace(microsecond=0)
        await staff_store.insert_staff_session(
            tx, session_id=session_id, staff_id=row.staff_id, opened_at=now, expires_at=expires_at
        )
        token = self._staff_tokens.sign(row.staff_id, session_id, expires_at)
        return StaffSession(token=token, staff=_staff(row), session_id=session_id, expires_at=expires_at)

    async def _password_is(self, password_hash: str, password: str) -> bool:
        async with self._password_checks:
            return await asyncio.to_thread(verify_password, password_hash, password)

    async def _nobody(self) -> str:
        """Return a hash that no password gives, so that an unknown name takes as long as a wrong password."""
        if self._nobodys_hash is None:
            self._nobodys_hash = await asyncio.to_thread(hash_password, secrets.token_hex(32))
        return self._nobodys_hash

    async def staff(self, tx: Tx, token: str | None) -> Staff | None:
        """Return whose open staff session this token is; role and closing take effect at once."""
        facts = self._staff_tokens.read(token) if token else None
        if facts is None:
            return None
        row = await staff_store.staff_of_session(tx, facts.session_id, self._clock.now())
        return None if row is None or row.staff_id != facts.account_id else _staff(row)

    async def require_staff(self, tx: Tx, token: str | None) -> Staff:
        """Return whose open staff session this token is. Raises StaffNotSignedIn."""
        staff = await self.staff(tx, token)
        if staff is None:
            raise StaffNotSignedIn("This needs a signed-in member of staff; nothing was shown or changed. Sign in.")
        return staff

    async def staff_sign_out(self, tx: Tx, token: str | None) -> None:
        """End a staff session; a token that is none changes nothing."""
        facts = self._staff_tokens.read(token) if token else None
        if facts is not None:
            await staff_store.revoke_staff_session(tx, facts.session_id, self._clock.now())

    async def record_view(self, tx: Tx, staff: Staff, subject: str, purpose: str) -> None:
        """Record that this person looks at this subject's personal data, in the transaction that reads it.

        `subject` names a row, such as `order:<id>`, never the data itself. Raises NotPermitted or PurposeNotStated.
        """
        staff.require(Permission.ORDERS_PERSONAL_DATA_VIEW)
        stated = rules.require_purpose(purpose)
        await staff_store.insert_view(
            tx,
            view_id=self._ids.new(),
            staff_id=staff.staff_id,
            subject=subject,
            purpose=stated,
            viewed_at=self._clock.now(),
        )

    async def views(self, tx: Tx, *, subject: str | None = None, limit: int = 100) -> list[PersonalDataView]:
        """Return the newest recorded looks, at most 500, of one subject or of all."""
        return await staff_store.views(tx, subject=subject, limit=min(limit, _VIEWS_MAX))

    async def phone_for(self, tx: Tx, staff: Staff, account_id: AccountId, purpose: str) -> str:
        """Return a shopper's whole phone number to a member of staff, and record the look.

        Raises NotPermitted, PurposeNotStated or AccountUnknown.
        """
        await self.record_view(tx, staff, f"account:{account_id}", purpose)
        row = await store.account(tx, account_id)
        if row is None:
            raise AccountUnknown("There is no account with this id; nothing was shown.")
        return self._seals.open_phone(row)


def _staff(row: staff_store.StaffRow) -> Staff:
    return Staff(staff_id=row.staff_id, name=row.name, role=row.role, permissions=rules.PERMISSIONS[row.role])


def _known(staff_id: StaffId | None, name: str) -> StaffId:
    if staff_id is None:
        raise StaffUnknown(f"No open member of staff is called {name}; nothing was changed.")
    return staff_id
