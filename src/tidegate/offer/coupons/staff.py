"""What staff do with coupons: make codes in bulk, take them from a file, write them out, look one up, withdraw it."""

from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.ids import Ids
from tidegate.offer.campaign.contracts import CODES_MAX
from tidegate.offer.coupons import store, store_staff
from tidegate.offer.coupons.codes import coupon_name, new_codes, tidy
from tidegate.offer.coupons.contracts import (
    REASON_LENGTH_MAX,
    Batch,
    BatchId,
    BatchKind,
    CodeStory,
    CouponState,
    Export,
    Template,
    Totals,
    Why,
)
from tidegate.offer.coupons.errors import (
    BatchUnknown,
    CannotRevoke,
    CodesFaulty,
    CodesNotLeft,
    CouponUnknown,
    ReasonNeeded,
)
from tidegate.offer.coupons.rules import may_move, sources_of
from tidegate.offer.coupons.store import Moving

Progress = Callable[[int], None]
"""Told how many codes were made since it was told before."""

_CHUNK = 2_000
_BATCHES_SHOWN = 200
_FAULTS_SHOWN = 10


class CouponDesk:
    """Staff's side of coupons. Who may do what is for the doors to ask; `by` names who did it."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, template: Callable[[str], Template]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._template = template

    async def generate(self, name: str, count: int, by: str, progress: Progress) -> Batch:
        """Make so many codes to be handed out; some thousands a transaction, so that claims hardly wait.

        What is made stays when this is interrupted: the batch says how many those are.
        They never use half of all codes there are: the campaign's plan, which is checked for that, is the most there
        can be. Raises TemplateUnknown, and CodesNotLeft before anything is made or when claims took the rest meanwhile.
        """
        template = self._template(name)
        async with self._db.transaction() as tx:
            await self._require_room(tx, template, count)
            batch = await self._open(tx, template, BatchKind.GENERATED, by)
        made = 0
        while made < count:
            async with self._db.transaction() as tx:
                wanted = min(_CHUNK, count - made)
                await self._require_room(tx, template, wanted)
                codes = new_codes(template.name, template.unique.letters, wanted)
                fresh = await store_staff.make_codes(tx, batch, codes, template.claims_close_at)
            made += fresh
            progress(fresh)
        async with self._db.read() as tx:
            return await self.batch(tx, batch.batch_id)

    async def take(self, name: str, texts: Sequence[str], by: str, progress: Progress) -> Batch:
        """Take codes that were made elsewhere, all of them or none.

        Raises TemplateUnknown, CodesFaulty for codes of another form or coupon, twice in the file or known already,
        and CodesNotLeft.
        """
        template = self._template(name)
        codes = _sound(texts, template)
        async with self._db.transaction() as tx:
            await self._require_room(tx, template, len(codes))
            known = await store_staff.known_codes(tx, codes)
            if known:
                raise _faulty([f"{code} exists already" for code in known])
            batch = await self._open(tx, template, BatchKind.IMPORTED, by)
            for start in range(0, len(codes), _CHUNK):
                part = codes[start : start + _CHUNK]
                await store_staff.make_codes(tx, batch, part, template.claims_close_at)
                progress(len(part))
            made = await store_staff.batch(tx, batch.batch_id)
        assert made is not None
        return made

    async def _require_room(self, tx: Tx, template: Template, count: int) -> None:
        left = await store_staff.open_plan(tx, template.campaign_id, template.name, template.unique.count)
        if not 1 <= count <= left:
            raise CodesNotLeft(
                f"{template.name} may have {left} more codes; {count} were asked for. Nothing more was made. "
                "Ask for fewer, or raise its count in the campaign file.",
                left=left,
            )

    async def _open(self, tx: Tx, template: Template, kind: BatchKind, by: str) -> Batch:
        batch = Batch(
            batch_id=BatchId(self._ids.new()),
            campaign_id=template.campaign_id,
            template=template.name,
            kind=kind,
            codes=0,
            made_by=by,
            made_at=self._clock.now(),
        )
        await store_staff.insert_batch(tx, batch)
        return batch

    async def batch(self, tx: Tx, batch_id: BatchId) -> Batch:
        """Return a batch. Raises BatchUnknown."""
        found = await store_staff.batch(tx, batch_id)
        if found is None:
            raise BatchUnknown("There is no such batch of codes. Nothing was done; look at the list of batches.")
        return found

    async def batches(self, tx: Tx, campaign_id: str) -> list[Batch]:
        """Return a campaign's batches, newest first; 200 at most."""
        return await store_staff.batches(tx, campaign_id, _BATCHES_SHOWN)

    async def exports(self, tx: Tx, batch_ids: Sequence[BatchId]) -> list[Export]:
        """Return who wrote out the codes of these batches and why, newest first."""
        return await store_staff.exports(tx, batch_ids)

    async def record_export(self, tx: Tx, batch_id: BatchId, by: str, reason: str) -> Batch:
        """Record, before a code leaves the house, who writes out a batch and why. Raises BatchUnknown, ReasonNeeded."""
        batch = await self.batch(tx, batch_id)
        await store_staff.insert_export(
            tx,
            Export(
                batch_id=batch_id,
                codes=batch.codes,
                by=by,
                reason=_reason(reason, "written out"),
                exported_at=self._clock.now(),
            ),
        )
        return batch

    async def codes_of(self, batch_id: BatchId) -> AsyncIterator[list[tuple[str, str]]]:
        """Give a batch's codes with their states, some thousands at a time. Record the export first."""
        async with self._db.read() as tx:
            async for part in store_staff.codes_of(tx, batch_id):
                yield part

    async def totals(self, tx: Tx, campaign_id: str) -> dict[str, Totals]:
        """Return the totals of a campaign's templates of which a code was made, by name."""
        return await store_staff.totals(tx, campaign_id)

    async def story(self, tx: Tx, text: str) -> CodeStory:
        """Return all that is known of a code. Raises CouponUnknown."""
        found = await store_staff.story(tx, tidy(text))
        if found is None:
            raise CouponUnknown("There is no such code. Nothing was changed; look at it again.")
        return found

    async def revoke(self, tx: Tx, text: str, by: str, reason: str) -> None:
        """Withdraw a code that no order has. Raises CouponUnknown, ReasonNeeded, CannotRevoke."""
        reason = _reason(reason, "withdrawn")
        code = tidy(text)
        held = (await store.lock(tx, [code])).get(code)
        if held is None:
            raise CouponUnknown("There is no such code. Nothing was withdrawn; look at it again.")
        if not may_move(held.state, CouponState.REVOKED):
            order = " Give up that order first." if held.state is CouponState.FROZEN else ""
            raise CannotRevoke(f"This code is {held.state}. Nothing was withdrawn.{order}", state=held.state)
        moving = Moving(
            sources=sources_of(CouponState.REVOKED),
            to=CouponState.REVOKED,
            now=self._clock.now(),
            why=Why.REVOKED,
            by=by,
            note=reason,
        )
        no_order: UUID | None = None
        await store.move_codes(tx, [(code, no_order)], moving)


def _reason(text: str, what: str) -> str:
    reason = " ".join(text.split())[:REASON_LENGTH_MAX]
    if not reason:
        raise ReasonNeeded(f"Say why, in words: it is recorded. Nothing was {what}.")
    return reason


def _sound(texts: Sequence[str], template: Template) -> list[str]:
    """Return the codes, tidied. Raises CodesFaulty with the first faults."""
    if not 1 <= len(texts) <= CODES_MAX:
        raise _faulty([f"there are {len(texts)} codes; a file has 1 to {CODES_MAX}"])
    faults: list[str] = []
    seen: set[str] = set()
    for line, text in enumerate(texts, 1):
        code = tidy(text)
        if code in seen:
            faults.append(f"{line}: {code} stands here twice")
        elif code == template.name or coupon_name(code) != template.name:
            faults.append(f"{line}: {code or 'nothing'} is no code of {template.name}")
        seen.add(code)
        if len(faults) == _FAULTS_SHOWN:
            break
    if faults:
        raise _faulty(faults)
    return [tidy(text) for text in texts]


def _faulty(faults: list[str]) -> CodesFaulty:
    return CodesFaulty(f"The file cannot be taken: {'; '.join(faults)}. Nothing was taken.", faults=faults)
