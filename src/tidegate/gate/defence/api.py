"""The use cases of defence: count, ask what is on, step each second, start and undo by hand, look back."""

from datetime import datetime, timedelta

from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.db import Database, Tx
from tidegate.base.invariant import Check
from tidegate.base.jobs import Jobs, plain
from tidegate.base.outbox import Outbox
from tidegate.gate.defence import rules, store
from tidegate.gate.defence.adapters.counts import CountBoard
from tidegate.gate.defence.adapters.hook import HttpHook
from tidegate.gate.defence.contracts import (
    Act,
    Defence,
    DefenceEnded,
    DefenceRule,
    DefenceStarted,
    DefenceStatus,
    Happening,
    HookCall,
    Off,
    On,
    RecordEntry,
    Seen,
    Signal,
    StartDefence,
    State,
    UndoDefence,
    Why,
)
from tidegate.gate.defence.errors import DefenceIsOn, DefenceUnknown, HookRefused
from tidegate.gate.defence.ports import Hook, PaymentFailures
from tidegate.gate.defence.tally import Tally
from tidegate.offer.campaign.api import Campaign, defences_of
from tidegate.trust.identity.contracts import Permission, Staff

__all__ = ["HOOK_TASK", "Defences", "build_defences"]

HOOK_TASK = "defence.hook"
RECORDS_MAX = 500


class Defences:
    """The defences of one installation. Asking costs an attribute; everything else happens once a second."""

    def __init__(
        self,
        clock: Clock,
        outbox: Outbox,
        jobs: Jobs,
        campaign: Campaign,
        counts: CountBoard,
        hook: Hook,
    ) -> None:
        self._clock = clock
        self._outbox = outbox
        self._jobs = jobs
        self._campaign = campaign
        self._counts = counts
        self._hook = hook
        self._payments: PaymentFailures | None = None
        self._active: frozenset[Defence] = frozenset()
        self._limit_factor = 1.0
        self.tally = Tally()

    def follow(self, payments: PaymentFailures) -> None:
        """Read failed payments from here; until then there are none. (Payment is built later, in a higher room.)"""
        self._payments = payments

    # Every process asks

    def active(self, defence: Defence) -> bool:
        """Return whether this defence is on, as of the last `refresh`. No I/O, no await: ask it at every request."""
        return defence in self._active

    def limit_factor(self) -> float:
        """Return what every limit is to be multiplied by: above 0, and 1.0 while nothing lowers them."""
        return self._limit_factor

    async def refresh(self, tx: Tx) -> None:
        """Take up what is on now. Cheap: each process calls it every second."""
        self._active, self._limit_factor = rules.active_at(await store.states(tx), self._clock.now())

    # Web processes count

    async def publish(self) -> None:
        """Report what this process counted since the last time. Without Valkey the counts are lost, and no more."""
        await self._counts.add(int(self._clock.now().timestamp()), self.tally.take())

    # The worker steps

    async def watch(self, db: Database) -> list[Act]:
        """Look at the signals and take a step; what happened. Several workers may call it: one at a time acts."""
        now = self._clock.now()
        seen = await self._see(db, now)
        async with db.transaction() as tx:
            if not await store.try_lock(tx):
                return []
            before = await store.states(tx)
            after, acts = rules.step(before, self._rules(), seen, now)
            for act in acts:
                await self._carry_out(tx, act, after.get(act.name, Off()), now)
        return acts

    async def _see(self, db: Database, now: datetime) -> dict[str, Seen | None]:
        """Read the signals, outside of any transaction. The second that is under way is left out."""
        last = int(now.timestamp()) - 1
        longest = max((rule.window_seconds for rule in self._rules()), default=0)
        seconds = await self._counts.read(last - longest + 1, last)
        seen = {}
        for rule in self._rules():
            failed_payments = await self._failed_payments(db, rule, now)
            seen[rule.name] = rules.see(rule, seconds, failed_payments)
        return seen

    async def _failed_payments(self, db: Database, rule: DefenceRule, now: datetime) -> int:
        if self._payments is None or Signal.FAILED_PAYMENTS not in {rule.trigger.signal, rule.second.signal}:
            return 0
        async with db.read() as tx:
            return await self._payments.failed_payments(tx, now - timedelta(seconds=rule.window_seconds), now)

    async def _carry_out(
        self, tx: Tx, act: Act, state: State, now: datetime, *, by: str = "", reason: str = ""
    ) -> None:
        """Keep the state, write the record, announce, and see to it that the hook is told."""
        signals = rules.signals_of(self._rule(act.name), act.seen)
        await store.put_state(tx, act.name, state)
        number = await store.add_record(
            tx,
            name=act.name,
            defence=act.defence,
            happening=act.happening,
            why=act.why,
            at=now,
            by=by,
            reason=reason,
            signals=signals,
        )
        if act.happening is Happening.QUIETED:
            return
        await self._announce(tx, act, state, now, by=by, signals=signals)
        if act.defence is Defence.HOOK:
            call = HookCall(
                id=number,
                name=act.name,
                happening=act.happening,
                why=act.why,
                at=now,
                expires_at=state.expires_at if isinstance(state, On) else None,
                signals=signals,
            )
            await self._jobs.defer(tx, HOOK_TASK, call=plain(call))

    async def _announce(
        self, tx: Tx, act: Act, state: State, now: datetime, *, by: str, signals: dict[str, float]
    ) -> None:
        name, defence, why = act.name, act.defence.value, act.why.value
        if isinstance(state, On):
            event: DefenceStarted | DefenceEnded = DefenceStarted(
                name=name,
                defence=defence,
                why=why,
                by=by,
                signals=signals,
                started_at=now,
                expires_at=state.expires_at,
            )
        else:
            event = DefenceEnded(name=name, defence=defence, why=why, by=by, signals=signals, ended_at=now)
        await self._outbox.append(tx, event)

    async def call_hook(self, db: Database, call: HookCall) -> None:
        """Tell the operator's hook, outside of any transaction, and write down how it answered. Raises HookRefused."""
        try:
            await self._hook.call(call)
        except HookRefused as refusal:
            async with db.transaction() as tx:
                await self._record_hook(tx, call, Happening.HOOK_FAILED, refusal.detail)
            raise
        async with db.transaction() as tx:
            await self._record_hook(tx, call, Happening.HOOK_CALLED, "")

    async def _record_hook(self, tx: Tx, call: HookCall, happening: Happening, detail: str) -> None:
        await store.add_record(
            tx,
            name=call.name,
            defence=Defence.HOOK,
            happening=happening,
            why=call.why,
            at=self._clock.now(),
            by="",
            reason=detail[:500],
            signals=call.signals,
        )

    # Staff

    async def start(self, tx: Tx, staff: Staff, name: str, command: StartDefence) -> None:
        """Start a defence by hand; it ends when its minutes are over or somebody undoes it, not by calm.

        Raises NotPermitted, DefenceUnknown or DefenceIsOn.
        """
        staff.require(Permission.DEFENCE_STEER)
        rule = self._known(name)
        await store.lock(tx)
        now = self._clock.now()
        state = (await store.states(tx)).get(name, Off())
        if isinstance(state, On):
            raise DefenceIsOn(
                f"{name} is on already; nothing was changed. Undo it first to start it anew.",
                expires_at=state.expires_at,
            )
        on = rules.started(rule, now, stay=0, expiry=60 * command.minutes, by=staff.name)
        act = Act(name=name, defence=rule.starts, happening=Happening.STARTED, why=Why.BY_HAND)
        await self._carry_out(tx, act, on, now, by=staff.name, reason=command.reason)

    async def undo(self, tx: Tx, staff: Staff, name: str, command: UndoDefence) -> None:
        """End a defence, or forestall one that is off: it does not start by itself until the hold is over.

        Raises NotPermitted or DefenceUnknown.
        """
        staff.require(Permission.DEFENCE_STEER)
        rule = self._known(name)
        await store.lock(tx)
        now = self._clock.now()
        state = (await store.states(tx)).get(name, Off())
        was_on = isinstance(state, On)
        act = Act(
            name=name,
            defence=state.defence if isinstance(state, On) else rule.starts,
            happening=Happening.ENDED if was_on else Happening.QUIETED,
            why=Why.UNDONE,
        )
        quiet = Off(now + timedelta(minutes=command.hold_minutes))
        await self._carry_out(tx, act, quiet, now, by=staff.name, reason=command.reason)

    async def overview(self, db: Database) -> list[DefenceStatus]:
        """Return every rule of the current campaign, where it stands, and what its signals read."""
        seen = await self._see(db, self._clock.now())
        async with db.read() as tx:
            states = await store.states(tx)
        return [_status(rule, states.get(rule.name, Off()), seen[rule.name]) for rule in self._rules()]

    async def record(self, tx: Tx, *, before: int | None = None, limit: int = 100) -> list[RecordEntry]:
        """Return lines of the record, newest first; those older than line `before`. At most 500."""
        return await store.records(tx, before=before, limit=min(limit, RECORDS_MAX))

    async def check(self, tx: Tx) -> list[Check]:
        """The invariant: what is on is what the record says."""
        examined, broken = await store.disagreements(tx)
        return [
            Check(name="defences as their record says", holds=not broken, examined=examined, detail=", ".join(broken))
        ]

    # The rules of the moment

    def _rules(self) -> tuple[DefenceRule, ...]:
        version = self._campaign.current()
        return defences_of(version.definition) if version else ()

    def _rule(self, name: str) -> DefenceRule | None:
        return next((rule for rule in self._rules() if rule.name == name), None)

    def _known(self, name: str) -> DefenceRule:
        rule = self._rule(name)
        if rule is None:
            known = [each.name for each in self._rules()]
            raise DefenceUnknown(
                f'The campaign has no defence "{name}"; nothing was changed. It has: {", ".join(known) or "none"}.',
                known=known,
            )
        return rule


def build_defences(
    config: Config, *, cache: Cache, clock: Clock, outbox: Outbox, jobs: Jobs, campaign: Campaign
) -> Defences:
    """Return the defences of the installation that `config` describes."""
    hook = HttpHook(config.defence_hook_url, config.defence_hook_secret, clock)
    return Defences(clock, outbox, jobs, campaign, CountBoard(cache), hook)


def _status(rule: DefenceRule, state: State, seen: Seen | None) -> DefenceStatus:
    on = state if isinstance(state, On) else None
    return DefenceStatus(
        rule=rule,
        on=on is not None,
        started_at=on.started_at if on else None,
        stay_until=on.stay_until if on else None,
        expires_at=on.expires_at if on else None,
        started_by=on.started_by if on else "",
        quiet_until=state.quiet_until if isinstance(state, Off) else None,
        seen=seen,
    )
