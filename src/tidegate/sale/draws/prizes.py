"""What happens with prizes after the draw: winners claim them, staff give them, or forfeit those not claimed."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.sale.draws import store_prizes as store
from tidegate.sale.draws.contracts import (
    Award,
    AwardState,
    GivenFault,
    GivenLine,
    GivenWrong,
    OwnAward,
    PrizeAct,
    Tally,
)
from tidegate.sale.draws.errors import (
    AddressNeeded,
    ClaimedOtherwise,
    ClaimOver,
    NoteNeeded,
    NotForfeitable,
    PrizeEnded,
    PrizeNotWon,
)
from tidegate.sale.draws.listing import faulty
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, AddressId

NOTE_LENGTH_MAX = 300
OWN_MAX = 50


class Page(NamedTuple):
    """A part of a draw's prizes, and whether there are more behind it."""

    awards: list[Award]
    more: bool


class Prizes:
    """Prizes from the draw to their end. Who may do what is for the doors to ask; `by` names who did it."""

    def __init__(self, clock: Clock, identity: Identity) -> None:
        self._clock = clock
        self._identity = identity

    # Winners

    async def won(self, tx: Tx, draw_id: UUID, account_id: UUID) -> Award:
        """Return the prize that an account won in a draw. Raises PrizeNotWon."""
        return _known(await store.award(tx, draw_id, account_id))

    async def won_by(self, tx: Tx, account_id: UUID) -> list[Award]:
        """Return an account's prizes of whatever campaign, those drawn last first; 50 at most."""
        return await store.awards_of(tx, account_id, OWN_MAX)

    async def claim(self, tx: Tx, draw_id: UUID, account_id: UUID, address_id: UUID | None = None) -> Award:
        """Claim the prize that an account won, with one of its addresses where the prize is sent.

        Claimed again it stays as it was; one that is given without a claim needs none. Raises PrizeNotWon, PrizeEnded,
        ClaimedOtherwise, ClaimOver, AddressNeeded and AddressUnknown.
        """
        held = _known(await store.lock_won(tx, draw_id, account_id))
        wanted = address_id if held.what.sent else None
        if not _may_claim(held, wanted):
            return held
        self._require_in_time(held)
        if held.what.sent:
            await self._require_own(tx, account_id, wanted)
        await store.insert_act(tx, held, PrizeAct.CLAIMED, self._clock.now(), address_id=wanted)
        return await self.won(tx, draw_id, account_id)

    def _require_in_time(self, held: Award) -> None:
        until = held.claim_until
        if until is not None and self._clock.now() >= until:
            raise ClaimOver(
                f"This prize could be claimed before {until:%Y-%m-%d %H:%M} UTC. Nothing was changed; our service can "
                "tell you more.",
                claim_until=until,
            )

    async def _require_own(self, tx: Tx, account_id: UUID, address_id: UUID | None) -> None:
        if address_id is None:
            raise AddressNeeded("This prize is sent to you. Nothing was claimed; choose an address or enter one.")
        await self._identity.address(tx, AccountId(account_id), AddressId(address_id))

    def shown(self, award: Award) -> OwnAward:
        """Return a prize as its winner may see it."""
        return OwnAward(
            draw_id=award.draw_id,
            label=award.terms.label,
            prize=award.what,
            redemption=award.terms.redemption,
            order_id=award.order_id,
            state=award.state,
            claim_until=award.claim_until,
            claimed_at=award.claimed_at,
            ended_at=award.ended_at,
            note=award.note,
        )

    # Staff

    async def tallies(self, tx: Tx) -> list[Tally]:
        """Return how the prizes of each draw stand, the draws that were drawn last first."""
        by_draw: dict[UUID, list[store.Counted]] = {}
        for each in await store.counted(tx):
            by_draw.setdefault(each.draw_id, []).append(each)
        return [self._tally(found) for found in by_draw.values()]

    def _tally(self, found: Sequence[store.Counted]) -> Tally:
        one, counts = found[0], {each.state: each.prizes for each in found}
        until = one.terms.claim_until(one.drawn_at)
        unclaimed = counts.get(AwardState.UNCLAIMED, 0)
        return Tally(
            draw_id=one.draw_id,
            campaign_id=one.campaign_id,
            label=one.terms.label,
            drawn_at=one.drawn_at,
            claim_until=until,
            unclaimed=unclaimed,
            late=unclaimed if until is not None and self._clock.now() >= until else 0,
            due=counts.get(AwardState.DUE, 0),
            given=counts.get(AwardState.GIVEN, 0),
            forfeited=counts.get(AwardState.FORFEITED, 0),
        )

    async def of_draw(self, tx: Tx, draw_id: UUID, state: AwardState | None, limit: int, offset: int = 0) -> Page:
        """Return a part of a draw's prizes, all or those in one state, the best first."""
        found = await store.awards(tx, draw_id, state, limit + 1, offset)
        return Page(found[:limit], len(found) > limit)

    async def award(self, tx: Tx, draw_id: UUID, serial: int) -> Award:
        """Return one prize by its winner's serial, locked for this transaction. Raises PrizeNotWon."""
        return _known(await store.lock_award(tx, draw_id, serial))

    async def give(self, tx: Tx, draw_id: UUID, serial: int, by: str, note: str) -> Award:
        """Record that a prize was given, with what and how, such as a parcel's number: its winner reads it.

        Also of one that its winner did not claim, in time or at all: that is to the winner's good. The same again
        changes nothing. Raises PrizeNotWon, NoteNeeded and PrizeEnded.
        """
        said = _note(note)
        if not said:
            raise NoteNeeded("Say how it was given, such as a parcel's number: it is recorded. Nothing was changed.")
        return await self._end(tx, await self.award(tx, draw_id, serial), PrizeAct.GIVEN, by, said)

    async def give_many(self, tx: Tx, draw_id: UUID, lines: Sequence[GivenLine], by: str) -> int:
        """Record that prizes were given as the lines of a file say, all of them or none; return how many those are.

        The same file again changes nothing. Raises GivenFaulty with the lines that are wrong.
        """
        faults = []
        for each in sorted(lines, key=lambda each: each.serial):
            try:
                await self.give(tx, draw_id, each.serial, by, each.note)
            except PrizeNotWon:
                faults.append(GivenFault(line=each.line, why=GivenWrong.NO_PRIZE))
            except PrizeEnded:
                faults.append(GivenFault(line=each.line, why=GivenWrong.ENDED))
        if faults:
            raise faulty(faults)
        return len(lines)

    async def forfeit(self, tx: Tx, draw_id: UUID, serial: int, by: str, note: str = "") -> Award:
        """Record that a prize which was not claimed in its time is forfeited. The same again changes nothing.

        Raises PrizeNotWon, PrizeEnded and NotForfeitable.
        """
        held = await self.award(tx, draw_id, serial)
        if held.ended is None and not held.is_late(self._clock.now()):
            raise NotForfeitable(
                "Only a prize that was not claimed in the time that its draw states is forfeited. Nothing was changed.",
                state=held.state,
            )
        return await self._end(tx, held, PrizeAct.FORFEITED, by, _note(note))

    async def _end(self, tx: Tx, held: Award, act: PrizeAct, by: str, note: str) -> Award:
        if (held.ended, held.by, held.note) == (act, by, note):
            return held
        if held.ended is not None:
            raise PrizeEnded(f"This prize is {held.ended} already. Nothing was changed.", state=held.state)
        await store.insert_act(tx, held, act, self._clock.now(), by=by, note=note)
        return await self.award(tx, held.draw_id, held.serial)

    async def check(self, tx: Tx) -> Check:
        """Hold what was done with prizes against their terms."""
        examined, unlawful = await store.unlawful(tx)
        return Check(
            name="draws: prizes are claimed in time, and forfeited only where they were not",
            holds=not unlawful,
            examined=examined,
            detail=", ".join(unlawful),
        )


def _may_claim(held: Award, address_id: UUID | None) -> bool:
    """Whether a claim would change anything. Raises PrizeEnded and ClaimedOtherwise."""
    if held.ended is PrizeAct.FORFEITED or (held.ended is not None and held.claimed_at is None):
        raise PrizeEnded(f"This prize is {held.ended} already. Nothing was changed.", state=held.state)
    if held.claimed_at is not None and address_id not in {None, held.address_id}:
        raise ClaimedOtherwise("You claimed this prize before, with another address. Nothing was changed.")
    return held.state is AwardState.UNCLAIMED


def _known(award: Award | None) -> Award:
    if award is None:
        raise PrizeNotWon("There is no such prize of yours in this draw. Nothing was changed; look at the draws.")
    return award


def _note(text: str) -> str:
    return " ".join(text.split())[:NOTE_LENGTH_MAX]
