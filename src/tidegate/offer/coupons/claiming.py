"""Claims by button: all who claim one coupon at a time are decided in memory under locks, and written by one statement.

A coupon's totals are one row, so that claims would commit one after the other; together they commit once.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from tidegate.base.batch import Batcher
from tidegate.base.clock import Clock
from tidegate.base.db import Database, DatabaseUnavailable, Tx
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import Audience
from tidegate.offer.coupons import store
from tidegate.offer.coupons.codes import new_codes
from tidegate.offer.coupons.contracts import CouponState, Kept, Template
from tidegate.offer.coupons.errors import ClaimLimitReached, ClaimsUsedUp
from tidegate.offer.coupons.rules import expiry, require_claimable

_TRIES = 5
_RACES = (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation, psycopg.errors.DeadlockDetected)

Audiences = Callable[[Tx, Template, Sequence[UUID]], Awaitable[Mapping[UUID, frozenset[Audience]]]]


class Asking(NamedTuple):
    """One account that claims one coupon."""

    template: Template
    account_id: UUID


class Raced(Exception):
    """Another transaction made a row that was not there to be locked: roll back, decide again."""


class ClaimLane:
    """Takes claims in batches, those of each coupon in a transaction of their own."""

    def __init__(self, db: Database, clock: Clock, audiences: Audiences) -> None:
        self._db = db
        self._clock = clock
        self._audiences = audiences
        self._batcher: Batcher[Asking, Kept] = Batcher("claim", self._take, size_max=256, in_flight_max=1)

    def submit(self, template: Template, account_id: UUID) -> "asyncio.Future[Kept]":
        """Return the future answer to one claim. Raises Overloaded when the line is full."""
        return self._batcher.submit(Asking(template, account_id))

    async def _take(self, batch: list[Asking]) -> Sequence[Kept | Exception]:
        """Answer a batch; a coupon whose claims fail as a whole leaves those of the others alone."""
        answers: dict[int, Kept | Exception] = {}
        keys = {(each.template.campaign_id, each.template.name): each.template for each in batch}
        for key, template in sorted(keys.items()):
            places = [
                place for place, each in enumerate(batch) if (each.template.campaign_id, each.template.name) == key
            ]
            part = await self._of_one(template, [batch[place].account_id for place in places])
            answers.update(zip(places, part, strict=True))
        return [answers[place] for place in range(len(batch))]

    async def _of_one(self, template: Template, account_ids: Sequence[UUID]) -> Sequence[Kept | Exception]:
        for _ in range(_TRIES):
            try:
                async with self._db.pipelined() as tx:
                    audiences = await self._audiences(tx, template, account_ids)
                    return await claim_together(tx, template, account_ids, self._clock.now(), audiences)
            except (Raced, *_RACES):
                continue
            except psycopg.OperationalError:
                return [DatabaseUnavailable()] * len(account_ids)
        return [DatabaseUnavailable()] * len(account_ids)


async def claim_together(
    tx: Tx,
    template: Template,
    account_ids: Sequence[UUID],
    now: datetime,
    audiences: Mapping[UUID, frozenset[Audience]],
) -> list[Kept | Refusal]:
    """Give each of the accounts a new code in the order of asking, or say why not. Raises Raced.

    Locks the accounts' claims in their order, then the coupon's totals; the statement that writes guards both again.
    """
    claimed = await store.lock_claims(tx, template.campaign_id, template.name, sorted(set(account_ids)))
    made = await store.lock_made(tx, template.campaign_id, template.name)
    answers: list[Kept | Refusal] = []
    taken: Counter[UUID] = Counter()
    codes = new_codes(template.name, template.unique.letters, len(account_ids))
    for account_id in account_ids:
        so_far, known = claimed.get(account_id, 0) + taken[account_id], audiences.get(account_id, frozenset())
        refusal = _refusal(template, so_far, made + taken.total(), now, known)
        if refusal is None and not codes:
            raise Raced  # two codes drawn were equal
        if refusal is None:
            taken[account_id] += 1
        answers.append(refusal or _kept(template, codes.pop(), now))
    fresh = [
        store.NewCode(code=answer.code, account_id=account_id)
        for account_id, answer in zip(account_ids, answers, strict=True)
        if isinstance(answer, Kept)
    ]
    if fresh and not await store.make_claims(tx, _plan_of(template, now), fresh):
        raise Raced
    return answers


def _refusal(
    template: Template, claimed: int, made: int, now: datetime, audiences: frozenset[Audience]
) -> Refusal | None:
    """Why an account with so many claims gets no code of a coupon of which so many were made; None where it does."""
    try:
        require_claimable(template, now, audiences)
    except Refusal as refusal:
        return refusal
    if 0 < template.unique.per_account <= claimed:
        return limit_reached(template)
    if made >= template.unique.count:
        return ClaimsUsedUp("All coupons of this kind are claimed. Nothing was claimed; look for another.")
    return None


def limit_reached(template: Template) -> ClaimLimitReached:
    """The refusal for an account that has as many as one may claim."""
    most = template.unique.per_account
    return ClaimLimitReached(
        f"One account may claim {most} of this coupon. Nothing was claimed; yours are among your coupons.", limit=most
    )


def _plan_of(template: Template, now: datetime) -> store.ClaimPlan:
    return store.ClaimPlan(
        campaign_id=template.campaign_id,
        template=template.name,
        per_account=template.unique.per_account,
        planned=template.unique.count,
        now=now,
        expires_at=expiry(template, now),
    )


def _kept(template: Template, code: str, now: datetime) -> Kept:
    return Kept(
        code=code,
        campaign_id=template.campaign_id,
        template=template.name,
        state=CouponState.UNUSED,
        claimed_at=now,
        expires_at=expiry(template, now),
    )
