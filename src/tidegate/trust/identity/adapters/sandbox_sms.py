"""The SMS gateway of an example festival: keeps the last code of a phone in Valkey, for the sign-in page to show."""

from datetime import datetime

from tidegate.base.cache import Cache, CacheDown
from tidegate.base.clock import Clock
from tidegate.base.crypto import blind_index
from tidegate.trust.identity.errors import SmsNotSent
from tidegate.trust.identity.ports import Sms


class SandboxSms:
    """Sends nothing. Whoever can see the sign-in page can read the code: never for a real festival."""

    is_sandbox = True

    def __init__(self, cache: Cache, clock: Clock, key: bytes) -> None:
        self._cache = cache
        self._clock = clock
        self._key = key

    async def send(self, sms: Sms) -> None:
        """Keep the code until it expires. Raises SmsNotSent when Valkey is down."""
        life_seconds = max(1, int((sms.expires_at - self._clock.now()).total_seconds()))
        kept = f"{sms.expires_at.isoformat()} {sms.code}"
        try:
            # Valkey down: the code could not be shown, so the message counts as not sent.
            await self._cache.client.set(self._name(sms.phone), kept, ex=life_seconds)
        except CacheDown as fault:
            raise SmsNotSent("The code could not be kept for this page; nothing was sent. Try again.") from fault

    async def last_code(self, phone: str) -> str | None:
        """Return the last code of a phone while it is good."""
        try:
            # Valkey down: no code is shown; the page offers to ask for another.
            kept = await self._cache.client.get(self._name(phone))
        except CacheDown:
            return None
        if kept is None:
            return None
        expires_at, code = kept.decode().split(" ")
        return code if self._clock.now() < datetime.fromisoformat(expires_at) else None

    async def close(self) -> None:
        """Do nothing: the connections are the cache's."""

    def _name(self, phone: str) -> str:
        return f"identity:sandbox-code:{blind_index(self._key, phone).hex()}"
