"""Simulated shoppers with a session and an address, opened in bulk and kept in a file for the next run.

Signing in one by one would take a code by SMS each. The file holds session tokens: it can be read by its owner only.
"""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId
from tidegate.watch.rehearsal.contracts import FloodSession
from tidegate.watch.rehearsal.crowd import Crowd
from tidegate.watch.rehearsal.errors import SessionsOver
from tidegate.watch.rehearsal.shop import Shopper

_AT_ONCE = 1_000
_LIFE_LEFT = timedelta(minutes=30)


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds of one shopper of a log."""

    account: str
    token: str
    account_id: UUID
    address_id: UUID
    expires_at: datetime


class Opening:
    """Opens simulated shoppers, many in a transaction."""

    def __init__(self, db: Database, identity: Identity, clock: Clock) -> None:
        self._db = db
        self._identity = identity
        self.clock = clock

    async def open(self, count: int, members: Collection[int] = ()) -> tuple[list[FloodSession], datetime]:
        """Open shoppers in one transaction, each with an address; return their sessions and when these end.

        `members` are the places of those who are members.
        """
        async with self._db.transaction() as tx:
            shoppers = await self._identity.open_rehearsal_accounts(tx, count, members)
        sessions = [
            FloodSession(token=each.session.token, account_id=each.session.account_id, address_id=each.address_id)
            for each in shoppers
        ]
        return sessions, shoppers[0].session.expires_at

    async def knows(self, account_id: UUID) -> bool:
        """Return whether this account, from an earlier run, still has its address here."""
        async with self._db.read() as tx:
            return bool(await self._identity.addresses(tx, AccountId(account_id)))


class LogAccounts:
    """The shoppers of a log: the same account for the same customer, also in the next run."""

    def __init__(self, opening: Opening, file: Path) -> None:
        self._opening = opening
        self._file = file
        self._shoppers: dict[str, Shopper] = {}

    def shopper(self, account: str) -> Shopper:
        """Return the shopper of an account that `ensure` was told."""
        return self._shoppers[account]

    async def ensure(self, accounts: Sequence[str], opened: Callable[[int], None]) -> None:
        """Open those that an earlier run did not open; `opened` hears how many are ready.

        Raises SessionsOver when those of an earlier run have ended: its orders belong to them.
        """
        await self._take_up()
        missing = [account for account in accounts if account not in self._shoppers]
        opened(len(accounts) - len(missing))
        for start in range(0, len(missing), _AT_ONCE):
            names = missing[start : start + _AT_ONCE]
            sessions, expires_at = await self._opening.open(len(names))
            self._keep(zip(names, sessions, strict=True), expires_at)
            opened(len(accounts) - len(missing) + start + len(names))

    async def _take_up(self) -> None:
        if not self._file.exists():
            return
        kept = [msgspec.json.decode(line, type=_Kept) for line in self._file.read_bytes().splitlines()]
        if not kept or not await self._opening.knows(kept[0].account_id):
            self._file.unlink()
            return
        if min(each.expires_at for each in kept) - _LIFE_LEFT < self._opening.clock.now():
            raise SessionsOver(
                f"The sessions of the earlier replay have ended; nothing was sent. To replay the log from the beginning"
                f" as other shoppers, remove {self._file} and run it again."
            )
        for each in kept:
            self._shoppers[each.account] = Shopper(each.token, each.account_id, each.address_id)

    def _keep(self, opened: Iterable[tuple[str, FloodSession]], expires_at: datetime) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            for account, session in opened:
                self._shoppers[account] = Shopper(session.token, session.account_id, session.address_id)
                kept = _Kept(
                    account=account,
                    token=session.token,
                    account_id=session.account_id,
                    address_id=session.address_id,
                    expires_at=expires_at,
                )
                file.write(msgspec.json.encode(kept) + b"\n")


async def write_flood_sessions(
    opening: Opening, count: int, crowd: Crowd, file: Path, opened: Callable[[int], None]
) -> None:
    """Open `count` shoppers for a flood and write their sessions to `file`, readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as lines:
        for start in range(0, count, _AT_ONCE):
            size = min(_AT_ONCE, count - start)
            seats = [crowd.seat(place) for place in range(start, start + size)]
            sessions, _ = await opening.open(size, [place for place, seat in enumerate(seats) if seat.member])
            for seat, session in zip(seats, sessions, strict=True):
                seated = msgspec.structs.replace(session, client=seat.client, farm=seat.farm, member=seat.member)
                lines.write(msgspec.json.encode(seated) + b"\n")
            opened(start + size)
