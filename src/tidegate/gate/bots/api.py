"""What others may ask of bots: a challenge, whether an answer is good, and for staff what was decided and its undo."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from tidegate.base.batch import Batcher
from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.crypto import blind_index, derive_key
from tidegate.base.db import Tx
from tidegate.base.http import network_of
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.gate.bots import invariants, metrics, rules, store
from tidegate.gate.bots.contracts import (
    HONEYPOTS,
    Answer,
    Challenge,
    Course,
    Decision,
    DecisionId,
    DecisionView,
    Evidence,
    Lane,
    MisuseTally,
    PageSignals,
    Signals,
    Tally,
    TokenKind,
    Undo,
    UndoId,
    Visitor,
    WorkFault,
)
from tidegate.gate.bots.errors import DecisionUnknown, WorkRefused
from tidegate.gate.bots.marks import SLOWED_MEMORY, Marks, Seen, Slowed, Subject, marked_as
from tidegate.gate.bots.misuse import Misuses
from tidegate.gate.bots.networks import NetworkList
from tidegate.gate.bots.stamps import Stamps
from tidegate.gate.bots.work import Proof, Workshop, refused
from tidegate.trust.identity.contracts import SessionFacts, StaffId

__all__ = ["Bots"]

KEPT = timedelta(days=30)
EXAMPLES_PER_COUNT = 3
"""Whole decisions that one process keeps of one kind, lane and factor in one minute."""

NETWORKS_FILE = "datacenter-networks.txt"
_FOLLOW_BACK = timedelta(seconds=5)
"""How far back a process looks for slowed accounts each second: it may miss a few seconds, and clocks differ."""


class Bots:
    """Challenges, decisions and undos of one installation; `refresh`, `follow` and `flush` run each second in each
    process.
    """

    def __init__(self, config: Config, cache: Cache, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._marks = Marks(cache)
        self._workshop = Workshop(config.secret)
        self._stamps = Stamps(derive_key(config.secret, "bots.page"))
        self._device_key = derive_key(config.secret, "bots.device")
        self._network_key = derive_key(config.secret, "bots.network")
        self._decoy_key = derive_key(config.secret, "bots.decoy")
        self._networks = NetworkList(config.datacenter_networks or config.data_dir / NETWORKS_FILE)
        self._looks: Batcher[Subject, Seen] = Batcher("bots", self._marks.look)
        self._undos: list[Undo] = []
        self._cleared: frozenset[UUID] = frozenset()
        self._slowed: dict[UUID, Slowed] = {}
        self._followed_at: datetime | None = None
        self._counts: Counter[store.Count] = Counter()
        self._examples: list[tuple[str, Decision]] = []
        self._taken: Counter[store.Count] = Counter()
        self._misuses = Misuses()

    # A shopper's way to a number

    async def challenge(self, session: SessionFacts, page: PageSignals, address: str, agent: str = "") -> Challenge:
        """Weigh a visit, note the decision, and return work and wait that fit it and the load.

        Two Valkey calls, three where the hidden field was filled, and one Argon2id of a few milliseconds off the event
        loop. Never refuses. While Valkey is down honeypots, device and load count for nothing.
        """
        now = self._clock.now()
        subject = self._subject(session, page.fingerprint, address)
        if page.website:
            await self._touch(Evidence.HONEYPOT_FIELD, marked_as(session.account_id, subject.device), subject.network)
        seen = await self._marks.visit(subject, now)
        signals = self._signals(session, page, address, agent, seen)
        signals = msgspec.structs.replace(signals, fingerprint=bool(page.fingerprint))
        decision = self.decide(session, subject.device, signals)
        await self._marks.keep(session.session_id, decision.signals, self._slow(decision))
        tries = rules.tries(decision.work_factor, rules.load_factor(seen.challenges_per_second))
        return await asyncio.to_thread(self._workshop.challenge, session.session_id, decision, tries, now)

    async def weigh(
        self, session: SessionFacts, address: str, agent: str = "", page: PageSignals | None = None
    ) -> Decision:
        """Weigh a session that asks for a place, note the decision and return it: its lane is where the place stands.

        With `page`, what its form says; without, what the session's last challenge said, of an hour at most. One Valkey
        call for all who ask together. Never refuses but by Overloaded. While Valkey is down marks count for nothing.
        """
        if page is not None and page.website:
            await self.touched(Evidence.HONEYPOT_FIELD, address, session)
        seen = await self._looks.submit(self._subject(session, "", address))
        decision = self.decide(session, "", self._signals(session, page, address, agent, seen))
        slowed = self._slow(decision)
        if slowed is not None and page is not None:
            # Else what its form said would be gone with the next form; that one is timed by a stamp of its own.
            told = msgspec.structs.replace(decision.signals, shown_ms=None)
            await self._marks.keep(session.session_id, told, slowed)
        elif slowed is not None:
            await self._marks.slow([slowed])
        return decision

    async def weigh_together(self, visitors: Sequence[Visitor]) -> list[Decision]:
        """Do as `weigh` does without a page, for all of them: one Valkey call, and another where any is slowed."""
        found = await self._marks.look([self._subject(each.session, "", each.address) for each in visitors])
        decisions = [
            self.decide(each.session, "", self._signals(each.session, None, each.address, each.agent, seen), number)
            for each, seen, number in zip(visitors, found, self._ids.many(len(visitors)), strict=True)
        ]
        slowed = [each for each in map(self._slow, decisions) if each is not None]
        if slowed:
            await self._marks.slow(slowed)
        return decisions

    def stamp(self, session: SessionFacts) -> str:
        """Return what a page carries that asks for a place: when it was shown, signed for this session."""
        return self._stamps.stamp(session.session_id, self._clock.now())

    def _subject(self, session: SessionFacts, fingerprint: str, address: str) -> Subject:
        device = blind_index(self._device_key, fingerprint).hex() if fingerprint else ""
        return Subject(session.session_id, session.account_id, device, self._network(address))

    def _network(self, address: str) -> str:
        network = network_of(address, bytes_v4=3, bytes_v6=6)
        return blind_index(self._network_key, network.hex()).hex() if network is not None else ""

    def _signals(
        self, session: SessionFacts, page: PageSignals | None, address: str, agent: str, seen: Seen
    ) -> Signals:
        """Return what speaks of a visit: its page, or the page of before, and what is remembered."""
        before = seen.page or Signals()
        field, link, goods = (honeypot in seen.honeypots for honeypot in HONEYPOTS)
        return Signals(
            honeypot_field=field or before.honeypot_field or bool(page is not None and page.website),
            honeypot_link=link or before.honeypot_link,
            honeypot_goods=goods or before.honeypot_goods,
            automation=before.automation or bool(page is not None and page.automation),
            headless=rules.steered(agent) or before.headless or bool(page is not None and page.headless),
            shown_ms=self._shown_ms(session, page) if page else before.shown_ms,
            datacenter=address in self._networks,
            device_accounts=max(seen.device_accounts, before.device_accounts),
            marked_network=seen.network_marks >= rules.NETWORK_MARKS_MIN,
            fingerprint=before.fingerprint,
        )

    def _shown_ms(self, session: SessionFacts, page: PageSignals) -> int:
        measured = self._stamps.shown_ms(session.session_id, page.page, self._clock.now())
        return page.shown_ms if measured is None else measured

    def decide(self, session: SessionFacts, device: str, signals: Signals, decision_id: UUID | None = None) -> Decision:
        """Score a visit and note the decision in memory; no I/O, some microseconds."""
        score = rules.score(signals)
        undone = self._undo_of(session.account_id, device) is not None
        points = 0 if undone else score.points
        decision = Decision(
            decision_id=DecisionId(decision_id or self._ids.new()),
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
            rate_factor=rules.rate_factor(points),
        )
        self._note(decision)
        return decision

    def _slow(self, decision: Decision) -> Slowed | None:
        """Lower the rates of a suspect account in this process, and return what the others are told."""
        if decision.lane is not Lane.SLOW:
            return None
        slowed = Slowed(decision.account_id, decision.rate_factor, decision.decided_at + SLOWED_MEMORY)
        self._slowed[slowed.account_id] = slowed
        return slowed

    async def require_work(self, session: SessionFacts, answer: Answer | None) -> None:
        """Spend the answer to a challenge: for the waiting room's door, never for the buy call.

        One Valkey call. Raises WorkRefused with a `reason`; an answer that was refused for another reason than being
        used is not spent. While Valkey is down an answer may be used again, by its own session.
        """
        [refusal] = await self.work_refusals([(session, answer)])
        if refusal is not None:
            raise refusal

    async def work_refusals(self, answers: Sequence[tuple[SessionFacts, Answer | None]]) -> list[WorkRefused | None]:
        """Do as `require_work` does for all of them by one Valkey call; return each one's refusal, if there is one."""
        now = self._clock.now()
        judged = [self._judged(session, answer, now) for session, answer in answers]
        proofs = [
            (each, of.session_id) for each, (of, _) in zip(judged, answers, strict=True) if isinstance(each, Proof)
        ]
        unspent = iter(await self._marks.spend(proofs, now) if proofs else ())
        refusals = [
            each if isinstance(each, WorkRefused) else None if next(unspent) else refused(WorkFault.USED)
            for each in judged
        ]
        for refusal in refusals:
            if refusal is not None:
                self.misused(TokenKind.ANSWER, str(refusal.fields["reason"]))
        return refusals

    def misused(self, token: TokenKind, reason: str) -> None:
        """Count a refused token by its refusal's `reason`; those that are nobody's trick are not counted. No I/O."""
        self._misuses.note(token, reason, self._clock.now())

    def _judged(self, session: SessionFacts, answer: Answer | None, now: datetime) -> Proof | WorkRefused:
        try:
            return self._workshop.judge(session.session_id, answer, now)
        except WorkRefused as refusal:
            return refusal

    def waits_until(self, session: SessionFacts, ticket: str) -> datetime | None:
        """Return when the wait of a challenge's ticket is over, or was; None for no good ticket of this session.

        No I/O: whether it was spent is not known here.
        """
        return self._workshop.waits_until(session.session_id, ticket, self._clock.now())

    async def touched(self, honeypot: Evidence, address: str, session: SessionFacts | None = None) -> None:
        """Mark for a day that somebody touched what no person sees: a hidden link, field or product.

        The mark stands on the account, where one is signed in, and is counted for the network. It is a reason in the
        next score and nothing else. While Valkey is down: forgotten.
        """
        subjects = marked_as(session.account_id) if session is not None else []
        await self._touch(honeypot, subjects, self._network(address))

    async def _touch(self, honeypot: Evidence, subjects: Sequence[str], network: str) -> None:
        metrics.marks.labels(honeypot).inc()
        await self._marks.touch(honeypot, subjects, network)

    def decoy(self, campaign_id: str) -> str:
        """Return the SKU of goods that this campaign does not have, laid out where no person sees them."""
        return rules.decoy(self._decoy_key, campaign_id)

    # What others go by

    def rate_factor(self, account_id: UUID | None) -> float:
        """Return by how much the rates of an account and its device are lowered now; 1 for nobody. No I/O."""
        slowed = self._slowed.get(account_id) if account_id is not None else None
        if slowed is None or slowed.until <= self._clock.now() or account_id in self._cleared:
            return 1.0
        return slowed.factor

    def cleared(self) -> frozenset[UUID]:
        """Return the accounts for which an undo stands, by themselves or by a device they were seen on. No I/O."""
        return self._cleared

    # The officer's view

    async def overview(self, tx: Tx, since: datetime) -> list[Tally]:
        """Return counts by kind, lane and work factor since a moment, most visits first; some seconds behind."""
        return await store.tallies(tx, since)

    async def misuse(self, tx: Tx, since: datetime) -> list[MisuseTally]:
        """Return how often passes, places and answers were refused since a moment, and why; some seconds behind."""
        return await store.misuse(tx, since)

    async def course(self, tx: Tx, minutes: int) -> Course:
        """Return counts over the last `minutes` in spans of at least one minute, oldest first; some seconds behind.

        The first span is whole, so that it may begin before `since`; the last one is still under way.
        """
        now = self._clock.now()
        span, since = rules.span_seconds(minutes), now - timedelta(minutes=minutes)
        first = datetime.fromtimestamp(since.timestamp() // span * span, UTC)
        tallies = await store.course(tx, first, span)
        return Course(since=since, until=now, span_seconds=span, tallies=tuple(tallies))

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
        metrics.undos.inc()
        return undo

    async def undone(self, tx: Tx, *, limit: int = 50) -> list[Undo]:
        """Return the undos of the last thirty days, those that ended too, newest first."""
        return await store.newest_undos(tx, limit)

    # Each second, and each night

    async def refresh(self, tx: Tx) -> None:
        """Follow the undos that stand."""
        now = self._clock.now()
        self._undos = await store.undos(tx, now)
        self._cleared = await store.cleared(tx, now) if self._undos else frozenset()

    async def follow(self) -> None:
        """Follow what other processes slowed, and the operator's list of networks. While Valkey is down: as before."""
        now = self._clock.now()
        since = max(now - SLOWED_MEMORY, self._followed_at - _FOLLOW_BACK) if self._followed_at else now - SLOWED_MEMORY
        self._slowed.update((each.account_id, each) for each in await self._marks.slowed_since(since, now))
        self._slowed = {account: each for account, each in self._slowed.items() if each.until > now}
        self._followed_at = now
        self._networks.follow()

    @property
    def pending(self) -> bool:
        """Return whether anything was noted that is not written."""
        return bool(self._counts or self._misuses)

    async def flush(self, tx: Tx) -> None:
        """Write the counts and examples noted since the last time. What a failed transaction held is lost."""
        counts, self._counts = self._counts, Counter()
        examples, self._examples = self._examples, []
        if counts:
            await store.add_tallies(tx, list(counts.items()))
            await store.insert_decisions(tx, examples)
        if self._misuses:
            await store.add_misuse(tx, self._misuses.taken())

    async def tidy(self, tx: Tx) -> int:
        """Delete what is older than thirty days; return how many rows went."""
        return await store.delete_old(tx, self._clock.now() - KEPT)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of bots against the database."""
        return await invariants.check_bots(tx)

    def _note(self, decision: Decision) -> None:
        minute = decision.decided_at.replace(second=0, microsecond=0)
        kind = rules.kind(decision.score, undone=decision.undone)
        count = store.Count(minute, kind, decision.lane, decision.work_factor)
        self._counts[count] += 1
        metrics.decided(rules.effect(decision)).inc()
        if self._taken[count] < EXAMPLES_PER_COUNT:
            self._taken[count] += 1
            self._examples.append((kind, decision))
            self._taken = Counter({each: taken for each, taken in self._taken.items() if each.minute_at >= minute})

    def _undo_of(self, account_id: UUID, device: str) -> Undo | None:
        if not self._undos:
            return None
        now = self._clock.now()
        standing = (each for each in self._undos if each.ends_at > now)
        return next((each for each in standing if _covers(each, account_id, device)), None)


def _covers(undo: Undo, account_id: UUID, device: str) -> bool:
    return undo.account_id == account_id or (device != "" and undo.device == device)
