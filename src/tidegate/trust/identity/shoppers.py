"""Shoppers sign in with a phone and a code, and have sessions. Its use cases are part of `api.Identity`."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.trust.identity import code_store, rules, store
from tidegate.trust.identity.contracts import (
    AccountId,
    AccountView,
    CodeSent,
    Session,
    SessionFacts,
    SessionId,
    SessionView,
)
from tidegate.trust.identity.errors import (
    AccountUnknown,
    CodeNotValid,
    NotSignedIn,
    PhoneNotValid,
    SessionUnknown,
    TooManyCodes,
    TooManyTries,
)
from tidegate.trust.identity.ground import Ground
from tidegate.trust.identity.ports import Sms

# A revocation becomes visible when its transaction commits, up to this long after its time was taken.
_REVOCATION_OVERLAP = timedelta(seconds=60)


class Shoppers(Ground):
    """Codes, accounts and sessions of shoppers."""

    async def request_code(self, phone: str, client_address: str) -> CodeSent:
        """Send a sign-in code to a mobile number, asked for from a network address.

        The code is recorded and committed before it is sent. Raises PhoneNotValid, CodeTooSoon, TooManyCodes, or
        SmsNotSent, after which another code can be asked for at once.
        """
        number = rules.mobile_number(phone)
        now = self._clock.now()
        client = self._seals.index("client", rules.network_of(client_address))
        await self._require_calm_network("codes", client, rules.CODES_AN_ADDRESS_AN_HOUR_MAX, TooManyCodes, now)
        async with self._db.transaction() as tx:
            sms = await self._record_code(tx, number, client, now)
        await self._deliver(sms)
        return CodeSent(phone=rules.mask_phone(number), expires_at=sms.expires_at, resend_at=now + rules.RESEND_WAIT)

    async def _record_code(self, tx: Tx, number: str, client: bytes, now: datetime) -> Sms:
        phone = self._seals.index("phone", number)
        await code_store.lock_code_limits(tx, phone, client)
        rules.require_code_allowed(await code_store.code_history(tx, phone, client, now), now)
        sms = Sms(message_id=self._ids.new(), phone=number, code=self._new_code(), expires_at=now + rules.CODE_LIFE)
        await code_store.insert_code(
            tx,
            code_id=sms.message_id,
            phone_index=phone,
            client_index=client,
            code_hash=self._seals.code_hash(sms.message_id, sms.code),
            requested_at=now,
            expires_at=sms.expires_at,
        )
        return sms

    async def _deliver(self, sms: Sms) -> None:
        sent = False
        try:
            await self._sms.send(sms)
            sent = True
        finally:
            async with self._db.transaction() as tx:
                await code_store.set_delivery(tx, sms.message_id, sent=sent)

    async def sign_in(
        self, phone: str, code: str, device: str, client_address: str, *, known_device: UUID | None = None
    ) -> Session:
        """Open a session with the code that was sent, and the account too if the phone has none.

        `known_device` is the browser, where it was here before; otherwise the session names a new one. Of two
        sign-ins with one code, one wins. Raises PhoneNotValid, CodeNotValid (the try is counted) or TooManyTries.
        """
        number = rules.mobile_number(phone)
        now = self._clock.now()
        client = self._seals.index("client", rules.network_of(client_address))
        await self._require_calm_network("tries", client, rules.TRIES_AN_ADDRESS_AN_HOUR_MAX, TooManyTries, now)
        async with self._db.transaction() as tx:
            tried = await self._try_code(tx, number, code, device, known_device, now)
        if isinstance(tried, CodeNotValid):
            raise tried
        return tried

    async def _try_code(
        self, tx: Tx, number: str, code: str, device: str, known_device: UUID | None, now: datetime
    ) -> Session | CodeNotValid:
        """Return the refusal instead of raising it, so that the counted try is committed."""
        row = await code_store.newest_code_locked(tx, self._seals.index("phone", number))
        verdict = rules.judge_code(self._facts(row, code), now)
        match verdict, row:
            case rules.CodeVerdict.VALID, code_store.CodeRow():
                await code_store.use_code(tx, row.code_id, now)
                return await self._open_session(tx, number, row, device, known_device, now)
            case rules.CodeVerdict.WRONG, code_store.CodeRow():
                await code_store.count_try(tx, row.code_id)
                left = rules.CODE_TRIES_MAX - row.tries - 1
                return CodeNotValid(f"The code is not right; {left} tries are left.", tries_left=left)
            case _:
                return CodeNotValid("This code is used up or too old. Ask for a new one.", tries_left=0)

    def _facts(self, row: code_store.CodeRow | None, code: str) -> rules.CodeFacts | None:
        if row is None:
            return None
        matches = secrets.compare_digest(row.code_hash, self._seals.code_hash(row.code_id, code))
        return rules.CodeFacts(
            matches=matches, tries=row.tries, expires_at=row.expires_at, used=row.used_at is not None
        )

    async def _open_session(
        self,
        tx: Tx,
        number: str,
        code: code_store.CodeRow,
        device: str,
        known_device: UUID | None,
        now: datetime,
    ) -> Session:
        fresh = AccountId(self._ids.new())
        account_id = await store.open_account(
            tx,
            account_id=fresh,
            phone_index=self._seals.index("phone", number),
            phone_sealed=self._seals.seal_phone(fresh, number),
            now=now,
        )
        session = self._new_session(account_id, now + rules.SESSION_LIFE, known_device)
        await self._make_room_for_session(tx, account_id, now)
        await store.insert_session(
            tx,
            session_id=session.session_id,
            account_id=account_id,
            code_id=code.code_id,
            device=rules.device_text(device),
            device_id=known_device,
            opened_at=now,
            expires_at=session.expires_at,
        )
        return session

    async def _make_room_for_session(self, tx: Tx, account_id: AccountId, now: datetime) -> None:
        await store.lock_account(tx, account_id)
        oldest = (await store.open_sessions(tx, account_id, now))[rules.SESSIONS_MAX - 1 :]
        if oldest:
            await self._revoke(tx, account_id, [each.session_id for each in oldest], now)

    async def sandbox_code(self, phone: str) -> str | None:
        """Return the last code of a phone for the sign-in page of an example festival; None with a real gateway."""
        return await self._sms.last_code(rules.mobile_number(phone)) if self._sms.is_sandbox else None

    @property
    def sms_is_sandbox(self) -> bool:
        """Whether codes are shown on the sign-in page instead of being sent; the page must say so."""
        return self._sms.is_sandbox

    def session(self, token: str | None) -> SessionFacts | None:
        """Return whose valid session this token is, or None: no I/O, a few microseconds.

        A session revoked by another process is known here after the next `refresh`, within a second.
        """
        facts = self._tokens.read(token) if token else None
        if facts is None or facts.session_id in self._revoked or facts.expires_at <= self._clock.now():
            return None
        return facts

    def require_session(self, token: str | None) -> SessionFacts:
        """Return whose valid session this token is. Raises NotSignedIn."""
        facts = self.session(token)
        if facts is None:
            raise NotSignedIn("This needs a signed-in shopper; nothing was changed. Sign in and try again.")
        return facts

    async def refresh(self, tx: Tx) -> None:
        """Learn which sessions were revoked since the last time: every process calls this each second."""
        now = self._clock.now()
        since = (self._refreshed_at or now - rules.SESSION_LIFE) - _REVOCATION_OVERLAP
        self._revoked.update(await store.revoked_since(tx, since, now))
        for session_id in [each for each, expires_at in self._revoked.items() if expires_at <= now]:
            del self._revoked[session_id]
        self._refreshed_at = now

    async def sign_out(self, tx: Tx, session: SessionFacts) -> None:
        """End a session; ending an ended one changes nothing."""
        await self._revoke(tx, session.account_id, [session.session_id], self._clock.now())

    async def sessions(self, tx: Tx, account_id: AccountId) -> list[SessionView]:
        """Return an account's open sessions, newest first."""
        rows = await store.open_sessions(tx, account_id, self._clock.now())
        return [
            SessionView(
                session_id=row.session_id, device=row.device, opened_at=row.opened_at, expires_at=row.expires_at
            )
            for row in rows
        ]

    async def revoke_session(self, tx: Tx, account_id: AccountId, session_id: SessionId) -> None:
        """End one of the account's own sessions. Raises SessionUnknown."""
        if not await self._revoke(tx, account_id, [session_id], self._clock.now()):
            raise SessionUnknown("You have no open session with this id; nothing was changed.")

    async def _revoke(
        self, tx: Tx, account_id: AccountId, session_ids: list[SessionId], now: datetime
    ) -> list[SessionId]:
        revoked = await store.revoke_sessions(tx, account_id, session_ids, now)
        # Refused by this process from now on. If the transaction fails, the shopper signs in again: the safe side.
        self._revoked.update((each, now + rules.SESSION_LIFE) for each in revoked)
        return revoked

    async def account_of_phone(self, tx: Tx, phone: str) -> AccountId | None:
        """Return whose number this is, found by its blind index; None for a number that nobody signed in with."""
        try:
            number = rules.mobile_number(phone)
        except PhoneNotValid:
            return None
        return await store.known_account(tx, self._seals.index("phone", number))

    async def require_account(self, tx: Tx, account_id: AccountId) -> None:
        """Raise AccountUnknown unless there is such an account: for staff who name one."""
        if await store.account(tx, account_id) is None:
            raise AccountUnknown("There is no account with this id; nothing was changed. Check it in the order.")

    async def account(self, tx: Tx, account_id: AccountId) -> AccountView:
        """Return an account with its number masked. Raises NotSignedIn where there is none."""
        row = await store.account(tx, account_id)
        if row is None:
            raise NotSignedIn("This account does not exist; nothing was changed. Sign in again.")
        return AccountView(
            account_id=row.account_id, phone=rules.mask_phone(self._seals.open_phone(row)), opened_at=row.opened_at
        )
