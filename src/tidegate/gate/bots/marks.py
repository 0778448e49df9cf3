"""What Valkey remembers: spent answers, marks and the last page of a session, accounts of a device, slowed accounts.

All of it may be lost. Each call states what it answers while Valkey is down. Networks, devices and accounts stand here
as keyed digests or random ids, for a day at most.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

import msgspec
from valkey.asyncio.client import Pipeline

from tidegate.base.cache import Cache, CacheDown
from tidegate.gate.bots.contracts import HONEYPOTS, Evidence, Signals
from tidegate.gate.bots.work import Proof

MARK_MEMORY = timedelta(hours=24)
PAGE_MEMORY = timedelta(hours=1)
SLOWED_MEMORY = timedelta(hours=1)
SLOWED_MAX = 100_000
"""Accounts whose rates are lowered at one time, at most: the newest. Each costs a process some 200 bytes."""

LOAD_WINDOW_SECONDS = 10
_SLOWED = "bots:slowed"
_NONE: frozenset[Evidence] = frozenset()

_encode = msgspec.json.Encoder().encode
_decode_page = msgspec.json.Decoder(Signals).decode


class Subject(NamedTuple):
    """Who is marked and asked about. `device` and `network` are keyed digests; empty: unknown."""

    session_id: UUID
    account_id: UUID
    device: str
    network: str


class Seen(NamedTuple):
    """What is remembered when a visit begins; nothing while Valkey is down. `page` is the session's last page.

    `device_accounts` is an estimate (HyperLogLog: it keeps no account): four are taken for three once in 2,700 times.
    """

    honeypots: frozenset[Evidence] = frozenset()
    network_marks: int = 0
    device_accounts: int = 0
    challenges_per_second: float = 0.0
    page: Signals | None = None


class Slowed(NamedTuple):
    """An account whose rates are lowered until a moment."""

    account_id: UUID
    factor: float
    until: datetime


class Marks:
    """The short memory of bots, shared by all processes."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def spend(self, proofs: Sequence[tuple[Proof, UUID]], now: datetime) -> list[bool]:
        """Return of each answer, with its session, whether it was unspent; all of them are spent now.

        While Valkey is down: true. An answer stays bound to its session, and an account has one place in the queue.
        """
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                for proof, session_id in proofs:
                    seconds = max(1, int((proof.expires_at - now).total_seconds()) + 1)
                    pipeline.set(f"bots:spent:{proof.challenge_id}", session_id.hex, nx=True, ex=seconds)
                taken = await pipeline.execute()
        except CacheDown:
            return [True] * len(proofs)
        return [bool(each) for each in taken]

    async def touch(self, honeypot: Evidence, subjects: Sequence[str], network: str) -> None:
        """Remember for a day that accounts or devices touched a honeypot, and count it for the network.

        While Valkey is down: forgotten.
        """
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                for subject in subjects:
                    pipeline.setbit(_mark_key(subject), HONEYPOTS.index(honeypot), 1)
                    pipeline.expire(_mark_key(subject), MARK_MEMORY)
                if network:
                    pipeline.incr(_network_key(network))
                    pipeline.expire(_network_key(network), MARK_MEMORY)
                await pipeline.execute()
        except CacheDown:
            return

    async def visit(self, subject: Subject, now: datetime) -> Seen:
        """Count a visit that has a page, and return what is remembered. While Valkey is down: nothing, and calm."""
        load_key = f"bots:load:{int(now.timestamp()) // LOAD_WINDOW_SECONDS}"
        device_key = f"bots:device:{subject.device}:{now:%Y%m%d}"
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                pipeline.incr(load_key)
                pipeline.expire(load_key, 2 * LOAD_WINDOW_SECONDS)
                marks = [_mark_key(each) for each in marked_as(subject.account_id, subject.device)]
                pipeline.mget(_network_key(subject.network), *marks)
                if subject.device:
                    pipeline.pfadd(device_key, subject.account_id.bytes)
                    pipeline.expire(device_key, 86_400)
                    pipeline.pfcount(device_key)
                answers = await pipeline.execute()
        except CacheDown:
            return Seen()
        return Seen(
            honeypots=_honeypots(answers[2][1:]),
            network_marks=int(answers[2][0] or 0),
            device_accounts=answers[5] if subject.device else 0,
            challenges_per_second=answers[0] / LOAD_WINDOW_SECONDS,
        )

    async def look(self, subjects: Sequence[Subject]) -> list[Seen]:
        """Return what is remembered of these, by one command. While Valkey is down: nothing."""
        keys = [
            key
            for each in subjects
            for key in (
                _mark_key(_account(each.account_id)),
                _network_key(each.network),
                _page_key(each.session_id),
            )
        ]
        try:
            found = await self._cache.client.mget(keys)
        except CacheDown:
            return [Seen()] * len(subjects)
        return [
            Seen(_honeypots([marks]), int(network or 0), page=_decode_page(page) if page else None)
            for marks, network, page in zip(found[::3], found[1::3], found[2::3], strict=True)
        ]

    async def keep(self, session_id: UUID, signals: Signals, slowed: Slowed | None) -> None:
        """Remember for an hour what a session's page told, and that its account's rates are lowered.

        While Valkey is down: forgotten.
        """
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                pipeline.set(_page_key(session_id), _encode(signals), ex=PAGE_MEMORY)
                if slowed is not None:
                    _slow(pipeline, slowed)
                await pipeline.execute()
        except CacheDown:
            return

    async def slow(self, slowed: Sequence[Slowed]) -> None:
        """Tell all processes that the rates of these accounts are lowered. While Valkey is down: forgotten."""
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                for each in slowed:
                    _slow(pipeline, each)
                await pipeline.execute()
        except CacheDown:
            return

    async def slowed_since(self, moment: datetime, now: datetime) -> list[Slowed]:
        """Return the accounts that were slowed since a moment, oldest first, and forget those whose time is over.

        While Valkey is down: none.
        """
        since = (moment + SLOWED_MEMORY).timestamp()
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                pipeline.zremrangebyscore(_SLOWED, "-inf", now.timestamp())
                pipeline.zremrangebyrank(_SLOWED, 0, -SLOWED_MAX - 1)
                pipeline.zrangebyscore(_SLOWED, since, "+inf", withscores=True)
                found = (await pipeline.execute())[2]
        except CacheDown:
            return []
        return [_slowed(member, until, now) for member, until in found]


def marked_as(account_id: UUID | None, device: str = "") -> list[str]:
    """Return the names under which an account and a device are marked, those that are known."""
    named = [_account(account_id)] if account_id is not None else []
    return [*named, f"d:{device}"] if device else named


def _account(account_id: UUID) -> str:
    return f"a:{account_id.hex}"


def _honeypots(marks: Iterable[bytes | None]) -> frozenset[Evidence]:
    """Return the honeypots whose bits are set, the first one in the highest bit as SETBIT counts."""
    touched = reduce(or_, (mark[0] for mark in marks if mark), 0)
    return frozenset(each for place, each in enumerate(HONEYPOTS) if touched & 0x80 >> place) if touched else _NONE


# One hash tag for all that is read together, so that it is one command in a cluster too.
def _mark_key(subject: str) -> str:
    return f"{{bots}}:mark:{subject}"


def _network_key(network: str) -> str:
    return f"{{bots}}:network:{network}"


def _page_key(session_id: UUID) -> str:
    return f"{{bots}}:page:{session_id.hex}"


def _slow(pipeline: Pipeline, slowed: Slowed) -> None:
    member = slowed.account_id.bytes + bytes([round(slowed.factor * 100)])
    pipeline.zadd(_SLOWED, {member: slowed.until.timestamp()})
    pipeline.expire(_SLOWED, SLOWED_MEMORY)


def _slowed(member: bytes, until: float, now: datetime) -> Slowed:
    return Slowed(UUID(bytes=member[:16]), member[16] / 100, datetime.fromtimestamp(until, now.tzinfo))
