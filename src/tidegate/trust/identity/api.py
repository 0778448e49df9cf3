"""What others may ask of identity: sign in, know who is asking, remember addresses, staff and their rights.

Methods take an open `tx`, except three that open their own, because what they record must stay even when they refuse:
`request_code` and `sign_in` (a wrong try counts) and `staff_sign_in` (a wrong password counts). Masks and the rights of
roles are pure functions, offered here too.
"""

from collections.abc import Iterable
from datetime import timedelta

from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.crypto import derive_key
from tidegate.base.db import Database, Tx
from tidegate.base.http import cookie_of
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.trust.identity import invariants, store
from tidegate.trust.identity.adapters.http_sms import HttpSms
from tidegate.trust.identity.adapters.sandbox_sms import SandboxSms
from tidegate.trust.identity.addressbook import AddressBook
from tidegate.trust.identity.members import Members, read_members
from tidegate.trust.identity.ports import SmsGateway
from tidegate.trust.identity.rules import (
    PERMISSIONS,
    SESSION_LIFE,
    STAFF_SESSION_LIFE,
    address_for,
    mask_address,
    mask_name,
    mask_phone,
    may,
)
from tidegate.trust.identity.segments import Segments, read_numbers
from tidegate.trust.identity.sharing import Sharing
from tidegate.trust.identity.shoppers import Shoppers
from tidegate.trust.identity.simulated import SimulatedShoppers
from tidegate.trust.identity.staff import StaffDesk

__all__ = [
    "DEVICE_COOKIE",
    "DEVICE_SECONDS",
    "PERMISSIONS",
    "SESSION_COOKIE",
    "SESSION_SECONDS",
    "STAFF_COOKIE",
    "STAFF_SESSION_SECONDS",
    "Identity",
    "address_for",
    "build_identity",
    "mask_address",
    "mask_name",
    "mask_phone",
    "may",
    "read_members",
    "read_numbers",
    "sms_gateway",
    "token_of",
]

SESSION_COOKIE = "tg_session"
DEVICE_COOKIE = "tg_device"
DEVICE_SECONDS = 365 * 86_400
STAFF_COOKIE = "tg_staff"
SESSION_SECONDS = int(SESSION_LIFE.total_seconds())
STAFF_SESSION_SECONDS = int(STAFF_SESSION_LIFE.total_seconds())


class Identity(Shoppers, AddressBook, Members, Segments, Sharing, SimulatedShoppers, StaffDesk):
    """Shoppers, their addresses and memberships, and staff of one installation."""

    async def close(self) -> None:
        """Close the connections to the SMS gateway."""
        await self._sms.close()

    async def tidy(self, tx: Tx) -> int:
        """Delete codes after two days and sessions thirty days after their end; return how many rows went."""
        now = self._clock.now()
        return await store.delete_old(
            tx, codes_before=now - timedelta(days=2), sessions_before=now - timedelta(days=30)
        )

    async def check(self, tx: Tx) -> list[Check]:
        """Hold identity's invariants against the live database."""
        return await invariants.check(tx, self._clock.now(), self._phone_fits)

    def _phone_fits(self, row: store.AccountRow) -> bool:
        try:
            return self._seals.index("phone", self._seals.open_phone(row)) == row.phone_index
        except ValueError:
            return False


def build_identity(config: Config, *, db: Database, cache: Cache, clock: Clock, ids: Ids) -> Identity:
    """Return identity as the settings want it."""
    return Identity(
        db=db,
        cache=cache,
        clock=clock,
        ids=ids,
        secret=config.secret,
        sms=sms_gateway(config, cache, clock),
        secure_cookies=config.secure_cookies,
    )


def sms_gateway(config: Config, cache: Cache, clock: Clock) -> SmsGateway:
    """Return the gateway that the settings name. Raises ValueError for settings that name none."""
    match config.sms:
        case "sandbox":
            return SandboxSms(cache, clock, derive_key(config.secret, "identity.sandbox"))
        case "http" if config.sms_url and config.sms_secret:
            return HttpSms(config.sms_url, config.sms_secret.encode(), clock)
        case "http":
            raise ValueError("TIDEGATE_SMS=http needs TIDEGATE_SMS_URL and TIDEGATE_SMS_SECRET")
        case other:
            raise ValueError(f"TIDEGATE_SMS must be sandbox or http, not {other!r}")


def token_of(headers: Iterable[tuple[bytes, bytes]], cookie: str = SESSION_COOKIE) -> str | None:
    """Return the session token in a request's raw headers: `Authorization: Bearer` first, then the cookie.

    For the hot lane, which reads ASGI headers itself; the headers' names are in lower case, as ASGI gives them.
    """
    sent = list(headers)
    for name, value in sent:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip().decode("latin-1")
    return cookie_of(sent, cookie)
