"""The monitor's use cases: count trade, take samples, show the present, examine invariants, tell readiness."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import UNSET
from prometheus_client import CollectorRegistry

from tidegate.base import metrics
from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.db import Database, DatabaseUnavailable, Tx
from tidegate.base.invariant import Check
from tidegate.base.jobs import Jobs
from tidegate.base.migration import pending
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.watch.monitor import doctor, figures, store
from tidegate.watch.monitor.contracts import (
    Announcement,
    AnswerMinute,
    ChannelMinute,
    Examination,
    ExaminationFacts,
    HealthFact,
    LiveSnapshot,
    NewAnnouncement,
    Point,
    Sample,
    Trade,
    TradeMinute,
)
from tidegate.watch.monitor.errors import NotWithinReach
from tidegate.watch.monitor.ports import Books, Checked
from tidegate.watch.monitor.rules import SILENT_AFTER_S, stations
from tidegate.watch.monitor.sampler import Sampler
from tidegate.watch.monitor.series import Series
from tidegate.watch.monitor.tally import Tally

MINUTES_MAX = 60 * 24 * 14
FEED_LINES = 30
OUTBOX_LATE_S = 60.0
HEALTH_WAIT_S = 1.0


class Monitor:
    """Watches a running installation. `modules` maps a name to every module whose invariants the doctor holds."""

    def __init__(
        self,
        *,
        clock: Clock,
        cache: Cache,
        outbox: Outbox,
        jobs: Jobs,
        campaign: Campaign,
        books: Books,
        modules: Mapping[str, Checked],
        registry: Callable[[], CollectorRegistry] = metrics.registry,
    ) -> None:
        self._clock, self._cache, self._outbox, self._campaign = clock, cache, outbox, campaign
        self._series = Series(cache)
        self._modules = {**modules, "monitor": self}
        self._sampler = Sampler(
            clock=clock,
            cache=cache,
            outbox=outbox,
            jobs=jobs,
            books=books,
            current=campaign.current,
            registry=registry,
        )

    async def count(self, tx: Tx, tally: Tally) -> None:
        """Add a batch of events to the trade figures, in one statement."""
        await store.add(tx, tally)

    async def sample(self, db: Database) -> Sample:
        """Measure this second, keep it, announce what changed. Called each second by the worker."""
        return await self._sampler.step(db)

    async def announce(self, tx: Tx, announcement: NewAnnouncement) -> None:
        """Add a line to the feed."""
        await store.announce(tx, self._clock.now(), [announcement])

    async def live(self, tx: Tx, since: datetime | None = None, *, points: bool = True) -> LiveSnapshot:
        """Return the live page: the newest sample against its goals, the feed, and the seconds after `since`.

        When Valkey is away the seconds are drawn from PostgreSQL: trade only, latencies missing.
        """
        now = self._clock.now()
        sample = await store.newest(tx) or Sample(taken_at=datetime.fromtimestamp(0, now.tzinfo), cache_up=True)
        measured = (now - sample.taken_at).total_seconds() <= SILENT_AFTER_S
        version = self._campaign.current()
        definition = version.definition if version else None
        return LiveSnapshot(
            now=now,
            taken_at=sample.taken_at if sample.taken_at.timestamp() > 0 else None,
            measured=measured,
            cache_up=sample.cache_up,
            campaign=figures.campaign_facts(definition, version.version if version else 0, now),
            figures=figures.figures(sample, figures.goals_of(definition), now),
            stations=stations(sample),
            trade=sample.trade,
            channels=sample.channels,
            hot_goods=sample.hot_goods,
            routes=sample.routes,
            lanes=sample.lanes,
            refusals=sample.refusals,
            faults=sample.faults,
            processes=sample.processes,
            outbox_behind=sample.outbox_behind,
            outbox_behind_s=sample.outbox_behind_s,
            jobs_waiting=sample.jobs_waiting,
            jobs_failed=sample.jobs_failed,
            accept_queue=sample.accept_queue,
            announcements=tuple(await store.announcements(tx, FEED_LINES)),
            examination=_examination_facts(await self.newest_examination(tx)),
            points=await self._points(tx, since, now) if points else UNSET,
        )

    async def _points(self, tx: Tx, since: datetime | None, now: datetime) -> tuple[Point, ...]:
        kept = await self._series.after(since)
        if kept is not None:
            return kept
        start = max(since + timedelta(seconds=1) if since else now - timedelta(hours=1), now - timedelta(hours=1))
        traded = await store.trade_seconds(tx, start, now)
        return tuple(_trade_point(at, trade) for at, trade in traded.items())

    async def figures_between(self, tx: Tx, since: datetime, until: datetime) -> list[TradeMinute]:
        """Return the trade of each minute from `since` to `until`. Raises NotWithinReach for more than 14 days."""
        _require_span(since, until)
        return await store.trade_minutes(tx, since, until)

    async def answers_between(self, tx: Tx, since: datetime, until: datetime) -> list[AnswerMinute]:
        """Return how each minute was answered. Raises NotWithinReach for more than 14 days."""
        _require_span(since, until)
        return await store.answer_minutes(tx, since, until)

    async def channels_between(self, tx: Tx, since: datetime, until: datetime) -> list[ChannelMinute]:
        """Return each channel's attempts by minute and outcome. Raises NotWithinReach for more than 14 days."""
        _require_span(since, until)
        return await store.channel_minutes(tx, since, until)

    async def feed(self, tx: Tx, *, before: int | None = None, most: int = 50) -> list[Announcement]:
        """Return at most 200 lines of the feed, newest first, older than line `before` where it is given."""
        return await store.announcements(tx, min(most, 200), before)

    async def doctor(self, tx: Tx) -> Examination:
        """Run every module's checks in this transaction, which should see one moment (`Database.snapshot`)."""
        return await doctor.examine(tx, self._modules, self._clock)

    async def examine(self, db: Database) -> Examination:
        """Run every module's checks on one moment of the database; what is broken is looked at again to be sure."""
        return await doctor.confirmed(db, self._modules, self._clock)

    async def keep_examination(self, tx: Tx, examination: Examination) -> None:
        """Keep a run of the doctor and announce invariants that broke or hold again."""
        before = await self.newest_examination(tx)
        await store.keep_examination(tx, examination)
        await store.announce(tx, examination.examined_at, doctor.verdict_changes(before, examination))

    async def newest_examination(self, tx: Tx) -> Examination | None:
        """Return the newest run of the doctor."""
        kept = await store.examinations(tx, 1)
        return kept[0] if kept else None

    async def examinations(self, tx: Tx, most: int = 60) -> list[Examination]:
        """Return the newest runs of the doctor, newest first."""
        return await store.examinations(tx, min(most, 500))

    async def health(self, db: Database) -> list[HealthFact]:
        """Return whether this installation may take traffic, fact by fact. Never raises."""
        alive = await self._cache.alive()
        facts = [HealthFact(name="valkey", ok=alive, required=False, detail="" if alive else "Valkey does not answer.")]
        try:
            async with db.read(wait_seconds=HEALTH_WAIT_S) as tx:
                missing = await pending(tx)
                backlog = await self._outbox.backlog(tx)
        except DatabaseUnavailable as fault:
            return [HealthFact(name="postgres", ok=False, required=True, detail=fault.detail), *facts]
        loaded = "" if self._campaign.current() else "No campaign is published."
        late = f"{backlog.seconds:.0f} s behind" if backlog.seconds > OUTBOX_LATE_S else ""
        return [
            HealthFact(name="postgres", ok=True, required=True),
            *facts,
            HealthFact(name="migrations", ok=not missing, required=True, detail=", ".join(missing)[:300]),
            HealthFact(name="campaign", ok=not loaded, required=False, detail=loaded),
            HealthFact(name="outbox", ok=not late, required=False, detail=late),
        ]

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the monitor's own invariant: minutes equal the sum of their seconds."""
        since = self._clock.now() - timedelta(hours=1)
        compared, different = await store.drift(tx, since)
        detail = f"{different} minutes differ from the sum of their seconds" if different else ""
        name = "monitor: minutes equal the sum of their seconds"
        return [Check(name=name, holds=different == 0, examined=compared, detail=detail)]


def _examination_facts(examination: Examination | None) -> ExaminationFacts | None:
    if examination is None:
        return None
    broken = tuple(check.name for check in examination.broken)
    return ExaminationFacts(
        examined_at=examination.examined_at, holding=len(examination.checks) - len(broken), broken=broken
    )


def _trade_point(at: datetime, trade: Trade) -> Point:
    return Point(
        at=int(at.timestamp()),
        orders=float(trade.placed),
        paid=float(trade.paid),
        value=float(trade.placed_value),
        success=None,
        p50_ms=None,
        p99_ms=None,
        requests=0.0,
        faults=0.0,
        awaiting=0,
    )


def _require_span(since: datetime, until: datetime) -> None:
    if until <= since or until - since > timedelta(minutes=MINUTES_MAX):
        raise NotWithinReach("Give a span that ends after it begins and is at most 14 days long.")
