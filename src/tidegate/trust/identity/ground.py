"""What every use case of identity stands on: its dependencies, its keys, and the gate of limits."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.crypto import Signer, derive_key
from tidegate.base.db import Database
from tidegate.base.ids import Ids
from tidegate.trust.identity.adapters.frequency import Frequency
from tidegate.trust.identity.contracts import AccountId, Session, SessionId
from tidegate.trust.identity.errors import TooManyCodes, TooManyTries
from tidegate.trust.identity.ports import SmsGateway
from tidegate.trust.identity.sealing import Seals
from tidegate.trust.identity.tokens import Tokens

_HOUR_SECONDS = 3600
# Each password check takes some 50 ms and 64 MiB: two at a time keep a flood of them from starving the shop.
_PASSWORD_CHECKS_AT_ONCE = 2


def random_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


class Ground:
    """The dependencies of an installation's identity, and the little state that a process keeps of it."""

    def __init__(
        self,
        *,
        db: Database,
        cache: Cache,
        clock: Clock,
        ids: Ids,
        secret: bytes,
        sms: SmsGateway,
        secure_cookies: bool = False,
        new_code: Callable[[], str] = random_code,
    ) -> None:
        self.secure_cookies = secure_cookies
        self._db = db
        self._clock = clock
        self._ids = ids
        self._sms = sms
        self._new_code = new_code
        self._frequency = Frequency(cache)
        self._seals = Seals(secret)
        self._tokens = Tokens(derive_key(secret, "identity.session"))
        self._devices = Signer(derive_key(secret, "identity.device"))
        self._staff_tokens = Tokens(derive_key(secret, "identity.staff-session"))
        self._revoked: dict[SessionId, datetime] = {}
        self._refreshed_at: datetime | None = None
        self._password_checks = asyncio.Semaphore(_PASSWORD_CHECKS_AT_ONCE)
        self._nobodys_hash: str | None = None

    async def _require_calm_network(
        self, what: str, client: bytes, most: int, refusal: type[TooManyCodes | TooManyTries], now: datetime
    ) -> None:
        counted = await self._frequency.count(f"{what}:{client.hex()}", window_seconds=_HOUR_SECONDS, now=now)
        if counted > most:
            raise refusal(
                "Too many requests came from your network; nothing was done. Try again later, within an hour.",
                retry_after=_HOUR_SECONDS - int(now.timestamp()) % _HOUR_SECONDS,
            )

    def _new_session(self, account_id: AccountId, expires_at: datetime, known_device: UUID | None = None) -> Session:
        session_id = SessionId(self._ids.new())
        expires_at = expires_at.replace(microsecond=0)
        token = self._tokens.sign(account_id, session_id, expires_at, known_device)
        return Session(token=token, account_id=account_id, session_id=session_id, expires_at=expires_at)
