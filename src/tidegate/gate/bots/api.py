"""What others may ask of bots: a challenge, whether an answer is good, and for staff what was decided and its undo."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.crypto import blind_index, derive_key
from tidegate.base.db import Tx
from tidegate.base.ids import Ids
from tidegate.gate.bots import rules, store
from tidegate.gate.bots.contracts import (
    Answer,
    Challenge,
    Decision,
    DecisionId,
    DecisionView,
    Evidence,
    PageSignals,
    Signals,
    Tally,
    Undo,
    UndoId,
    WorkFault,
)
from tidegate.gate.bots.errors import DecisionUnknown
from tidegate.gate.bots.marks import Marks
from tidegate.gate.bots.networks import Networks
from tidegate.gate.bots.work import Workshop, refused
from tidegate.trust.identity.contracts import SessionFacts, StaffId

__all__ = ["Bots"]

KEPT = timedelta(days=30)
EXAMPLES_PER_COUNT = 3
"""Whole decisions that one process keeps of one kind, lane and factor in one minute."""

NETWORKS_FILE = "datacenter-networks.txt"


class Bots:
    """Challenges, decisions and undos of one installation; `refresh` and `flush` run each second in each process."""

    def __init__(self, config: Config, cache: Cache, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._marks = Marks(cache)
        self._workshop = Workshop(config.secret)
        self._device_key = derive_key(config.secret, "bots.device")
        self._networks = Networks.read(config.data_dir / NETWORKS_FILE)
        self._undos: list[Undo] = []
        self._counts: Counter[store.Count] = Counter()
        self._examples: list[tuple[str, Decision]] = []
        self._taken: Counter[store.Count] = Counter()

    # A shopper's way to a number

    async def challenge(self, session: SessionFacts, page: PageSignals, address: str) -> Challenge:
        """Weigh a visit, note the decision, and return work and wait that fit it and the load.

        One Valkey call, and one Argon2id of a few milliseconds off the event loop. Never refuses. While Valkey is down
        honeypots, device and load count for nothing.
        """
        now = self._clock.now()
        device = blind_index(self._device_key, page.fingerprint).hex() if page.fingerprint else ""
        seen = await self._marks.visit(session.session_id, session.account_id, device, now)
        signals = Signals(
            honeypot_field=bool(page.website),
            honeypot_link=Evidence.HONEYPOT_LINK.encode() in seen.honeypots,
            honeypot_goods=Evidence.HONEYPOT_GOODS.encode() in seen.honeypots,
            automation=page.automation,
            headless=page.headless,
            shown_ms=page.shown_ms,
            datacenter=address in self._networks,
            device_accounts=seen.device_accounts,
            fingerprint=bool(device),
        )
        decision = self.decide(session, device, signals)
        tries = rules.tries(decision.work_factor, rules.load_factor(seen.challenges_per_second))
        return await asyncio.to_thread(self._workshop.challenge, session.session_id, decision, tries, now)

    def decide(self, session: SessionFacts, device: str, signals: Signals) -> Decision:
        """Score a visit and note the decision in memory; no I/O, some microseconds."""
        score = rules.score(signals)
        undone = self._undo_of(session.account_id, device) is not None
        points = 0 if undone else score.points
        decision = Decision(
            decision_id=DecisionId(self._ids.new()),
            decided_at=self._clock.now(),
            account_id=session.account_id,
            session_id=session.session_id,
            device=device,
            signals=signals,
            score=score,
            undone=undone,
            lane=rules.lane(points),
            work_factor=rules.work_factor(points),
            rules=rules.EDITION,
        )
        self._note(decision)
        return decision

    async def require_work(self, session: SessionFacts, answer: Answer | None) -> None:
        """Spend the answer to a challenge: for the waiting room's door, never for the buy call.

        One Valkey call. Raises WorkRefused with a `reason`; an answer that was refused for another reason than being
        used is not spent. While Valkey is down an answer may be used again, by its own session.
        """
        now = self._clock.now()
        proof = self._workshop.judge(session.session_id, answer, now)
        if not await self._marks.spend(proof, session.session_id, now):
            raise refused(WorkFault.USED)

    async def touched(self, session: SessionFacts, honeypot: Evidence) -> None:
        """Remember for a day that a session followed a hidden link, or put a product in its cart that no page shows."""
        await self._marks.touch(session.session_id, honeypot)

    # The officer's view

    async def overview(self, tx: Tx, since: datetime) -> list[Tally]:
        """Return counts by kind, lane and work factor since a moment, most visits first; some seconds behind."""
        return await store.tallies(tx, since)

    async def examples(
        self, tx: Tx, kind: str | None = None, *, account_id: UUID | None = None, limit: int = 50
    ) -> list[Decision]:
        """Return the newest recorded decisions, of one kind or of all, of one account or of all."""
        return await store.decisions(tx, kind, limit, account_id)

    async def decision(self, tx: Tx, decision_id: UUID) -> DecisionView:
        """Return a decision with its reasons, scored again from its recorded signals. Raises DecisionUnknown."""
        found = await store.decision(tx, decision_id)
        if found is None:
            raise DecisionUnknown("No decision has this id; nothing was changed. Choose one from the list.")
        replayed = rules.score(found.signals)
        undos = await store.undos(tx, self._clock.now())
        return DecisionView(
            decision=found,
            replayed=replayed,
            agrees=replayed == found.score,
            undo=next((each for each in undos if _covers(each, found.account_id, found.device)), None),
        )

    async def undo(self, tx: Tx, staff_id: StaffId, decision_id: UUID, reason: str, ends_at: datetime) -> Undo:
        """Clear the account and device of a decision until `ends_at`; each process follows within a second.

        Raises DecisionUnknown, or UndoNotValid for an end that is past or more than thirty days ahead.
        """
        rules.undo_end(ends_at, self._clock.now())
        found = (await self.decision(tx, decision_id)).decision
        return await self._clear(tx, staff_id, found.account_id, found.device, reason, ends_at)

    async def undo_account(self, tx: Tx, staff_id: StaffId, account_id: UUID, reason: str, ends_at: datetime) -> Undo:
        """Clear an account on all its devices until `ends_at`, whether or not a decision about it was recorded.

        Its devices are not cleared: others may use them. Whether there is such an account is the caller's to know.
        Raises UndoNotValid for an end that is past or more than thirty days ahead.
        """
        return await self._clear(tx, staff_id, account_id, "", reason, ends_at)

    async def _clear(
        self, tx: Tx, staff_id: StaffId, account_id: UUID, device: str, reason: str, ends_at: datetime
    ) -> Undo:
        now = self._clock.now()
        undo = Undo(
            undo_id=UndoId(self._ids.new()),
            account_id=account_id,
            device=device,
            staff_id=staff_id,
            reason=reason,
            undone_at=now,
            ends_at=rules.undo_end(ends_at, now),
        )
        await store.insert_undo(tx, undo)
        return undo

    async def undone(self, tx: Tx, *, limit: int = 50) -> list[Undo]:
        """Return the undos of the last thirty days, those that ended too, newest first."""
        return await store.newest_undos(tx, limit)

    # Each second, and each night

    async def refresh(self, tx: Tx) -> None:
        """Follow the undos that stand."""
        self._undos = await store.undos(tx, self._clock.now())

    @property
    def pending(self) -> bool:
        """Return whether anything was noted that is not written."""
        return bool(self._counts)

    async def flush(self, tx: Tx) -> None:
        """Write the counts and examples noted since the last time. What a failed transaction held is lost."""
        counts, self._counts = self._counts, Counter()
        examples, self._examples = self._examples, []
        if counts:
            await store.add_tallies(tx, list(counts.items()))
            await store.insert_decisions(tx, examples)

    async def tidy(self, tx: Tx) -> int:
        """Delete what is older than thirty days; return how many rows went."""
        return await store.delete_old(tx, self._clock.now() - KEPT)

    def _note(self, decision: Decision) -> None:
        minute = decision.decided_at.replace(second=0, microsecond=0)
        kind = rules.kind(decision.score, undone=decision.undone)
        count = store.Count(minute, kind, decision.lane, decision.work_factor)
        self._counts[count] += 1
        if self._taken[count] < EXAMPLES_PER_COUNT:
            self._taken[count] += 1
            self._examples.append((kind, decision))
            self._taken = Counter({each: taken for each, taken in self._taken.items() if each.minute_at >= minute})

    def _undo_of(self, account_id: UUID, device: str) -> Undo | None:
        now = self._clock.now()
        standing = (each for each in self._undos if each.ends_at > now)
        return next((each for each in standing if _covers(each, account_id, device)), None)


def _covers(undo: Undo, account_id: UUID, device: str) -> bool:
    return undo.account_id == account_id or (device != "" and undo.device == device)
