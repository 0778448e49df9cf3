"""What staff do with coupons: make codes in bulk, take them from a file, write them out, look one up, withdraw it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.ids import Ids
from tidegate.offer.campaign.contracts import CODES_MAX
from tidegate.offer.coupons import store, store_staff
from tidegate.offer.coupons.codes import new_codes, tidy
from tidegate.offer.coupons.contracts import (
    AT_ONCE_MAX,
    REASON_LENGTH_MAX,
    Batch,
    BatchId,
    BatchKind,
    CodeLine,
    CodeStory,
    CouponState,
    Export,
    Template,
    Totals,
    Why,
)
from tidegate.offer.coupons.errors import (
    BatchMadeAlready,
    BatchSizeNotValid,
    BatchUnknown,
    CannotRevoke,
    CodesNotLeft,
    CouponUnknown,
    ReasonNeeded,
)
from tidegate.offer.coupons.listing import known_already, require_sound
from tidegate.offer.coupons.rules import may_move, sources_of
from tidegate.offer.coupons.store import Moving

Progress = Callable[[int], None]
"""Told how many codes were made since it was told before."""

_CHUNK = 2_000
_BATCHES_SHOWN = 200


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

    async def make(self, tx: Tx, name: str, count: int, by: str, batch_id: BatchId) -> Batch:
        """Make so many codes to be handed out, all or none, once for each `batch_id`: sent again, it is the same batch.

        Raises TemplateUnknown, BatchSizeNotValid, BatchMadeAlready and CodesNotLeft.
        """
        template = self._template(name)
        if not 1 <= count <= AT_ONCE_MAX:
            raise BatchSizeNotValid(
                f"One form makes 1 to {AT_ONCE_MAX:,} codes. Nothing was made; make more of them in several "
                "batches, or at the command line.",
                most=AT_ONCE_MAX,
            )
        made = await self._open(tx, template, BatchKind.GENERATED, by, batch_id)
        if made.codes:
            return _same(made, count)
        await self._require_room(tx, template, count)
        while made.codes < count:
            codes = new_codes(template.name, template.unique.letters, min(_CHUNK, count - made.codes))
            await store_staff.make_codes(tx, made, codes, template.claims_close_at)
            made = await self.batch(tx, batch_id)
        return made

    async def take(
        self, name: str, lines: Sequence[CodeLine], by: str, progress: Progress, batch_id: BatchId | None = None
    ) -> Batch:
        """Take codes that were made elsewhere, all of them or none; with `batch_id` once, as `make` makes them.

        Raises TemplateUnknown, CodesFaulty for codes of another form or coupon, twice in the file or known already,
        CodesNotLeft and BatchMadeAlready.
        """
        template = self._template(name)
        most = AT_ONCE_MAX if batch_id else CODES_MAX
        codes = await asyncio.to_thread(require_sound, lines, template.name, most)
        async with self._db.transaction() as tx:
            made = await self._open(tx, template, BatchKind.IMPORTED, by, batch_id)
            if made.codes:
                return _same(made, len(codes))
            await self._require_room(tx, template, len(codes))
            known = await store_staff.known_codes(tx, codes)
            if known:
                raise known_already(lines, known, template.name)
            for start in range(0, len(codes), _CHUNK):
                part = codes[start : start + _CHUNK]
                await store_staff.make_codes(tx, made, part, template.claims_close_at)
                progress(len(part))
            return await self.batch(tx, made.batch_id)

    async def _require_room(self, tx: Tx, template: Template, count: int) -> None:
        left = await store_staff.open_plan(tx, template.campaign_id, template.name, template.unique.count)
        if not 1 <= count <= left:
            raise CodesNotLeft(
                f"{template.name} may have {left} more codes; {count} were asked for. Nothing more was made. "
                "Ask for fewer, or raise its count in the campaign file.",
                left=left,
            )

    async def _open(
        self, tx: Tx, template: Template, kind: BatchKind, by: str, batch_id: BatchId | None = None
    ) -> Batch:
        """Return a new batch; or the one of this id, where the same person made one of this kind and coupon before."""
        batch = Batch(
            batch_id=batch_id or BatchId(self._ids.new()),
            campaign_id=template.campaign_id,
            template=template.name,
            kind=kind,
            codes=0,
            made_by=by,
            made_at=self._clock.now(),
        )
        if await store_staff.insert_batch(tx, batch):
            return batch
        made = await self.batch(tx, batch.batch_id)
        if (made.campaign_id, made.template, made.kind, made.made_by) != (batch.campaign_id, batch.template, kind, by):
            raise _made_already(made)
        return made

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


def _same(made: Batch, count: int) -> Batch:
    """Return a batch that was asked for again. Raises BatchMadeAlready where other codes were asked for then."""
    if made.codes != count:
        raise _made_already(made)
    return made


def _made_already(made: Batch) -> BatchMadeAlready:
    return BatchMadeAlready(
        f"This form made a batch of {made.codes:,} codes of {made.template} before. Nothing more was made; open the "
        "page again for another batch.",
        codes=made.codes,
        coupon=made.template,
    )
