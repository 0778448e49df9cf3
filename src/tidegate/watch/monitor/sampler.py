"""Takes one sample a second in the worker process: what every process counted, and what PostgreSQL knows of trade."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from prometheus_client import CollectorRegistry

from tidegate.base.cache import Cache
from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.jobs import Jobs
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignVersion
from tidegate.watch.monitor import figures, news, process, reading, rules, store
from tidegate.watch.monitor.contracts import (
    AnswerMinute,
    ChannelFigures,
    HotGoods,
    Outcome,
    Sample,
    Trade,
)
from tidegate.watch.monitor.ports import Books, StockFigures
from tidegate.watch.monitor.series import Series, point_of

HOT_GOODS_MAX = 12
RATE_WINDOW_S = 5
ANSWER_WINDOW_S = 10
COUNT_WINDOW_S = 60
SETTLED_S = 1
"""Trade of the last second is still on its way through the outbox; rates are of the seconds before it."""

DECIDED_S = 3
"""A payment attempt younger than this may still be under way; older and undecided, it counts as unknown."""

PAGE_ROUTES = frozenset({"page", "search"})
ORDER_ROUTES = frozenset({"order"})
NOT_SHOPPERS = frozenset({"console", "health", "payment"})
"""Left out of the time to answer: staff and balancers are no shoppers, and paying waits for the channel."""


_GONE = frozenset({Outcome.FAILED, Outcome.UNKNOWN})


class Moment(msgspec.Struct, frozen=True):
    """What the processes counted, and took, at one moment."""

    at: datetime
    counters: reading.Reading
    processes: Mapping[int, process.Stand]


class TradeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL knows at one moment."""

    total: Trade
    window: Trade
    channels: tuple[ChannelFigures, ...]
    hot_goods: tuple[HotGoods, ...]
    outbox_behind: int
    outbox_behind_s: float
    jobs_waiting: int
    jobs_failed: int


class Sampler:
    """Measures, keeps and announces. One a worker process; of several workers one speaks each second."""

    def __init__(
        self,
        *,
        clock: Clock,
        cache: Cache,
        outbox: Outbox,
        jobs: Jobs,
        books: Books,
        current: Callable[[], CampaignVersion | None],
        registry: Callable[[], CollectorRegistry],
    ) -> None:
        self._clock, self._cache, self._outbox, self._jobs, self._books = clock, cache, outbox, jobs, books
        self._current = current
        self._registry = registry
        self._series = Series(cache)
        self._moments: deque[Moment] = deque(maxlen=COUNT_WINDOW_S + 2)
        self._settled = news.Settled()
        self._minute: datetime | None = None

    async def step(self, db: Database) -> Sample:
        """Take one sample, keep it, and announce what changed since the one before."""
        now = self._clock.now()
        counters, stands = await asyncio.to_thread(self._measure)
        self._moments.append(Moment(now, counters, stands))
        cache_up = await self._cache.alive()
        async with db.read() as tx:
            facts = await self._facts(tx, now)
        sample = self._sample(now, facts, cache_up=cache_up)
        await self._keep(db, sample)
        await self._series.append(point_of(sample))
        return sample

    def _measure(self) -> tuple[reading.Reading, Mapping[int, process.Stand]]:
        return reading.read(self._registry()), process.stands()

    async def _keep(self, db: Database, sample: Sample) -> None:
        present = figures.figures(sample, figures.goals_of(self._definition()), sample.taken_at)
        lines = news.told(self._settled.follow(news.standings(sample, present)), sample, present)
        async with db.transaction() as tx:
            if await store.keep_newest(tx, sample):
                await store.announce(tx, sample.taken_at, lines)
                await self._close_minute(tx, sample)

    async def _close_minute(self, tx: Tx, sample: Sample) -> None:
        """Once a minute: keep how it was answered, and forget what is old."""
        minute = sample.taken_at.replace(second=0, microsecond=0)
        if self._minute is not None and minute > self._minute:
            await store.add_answers(tx, self._answers(self._minute, sample))
            for begun in (minute - timedelta(minutes=2), minute - timedelta(minutes=1)):
                # Two minutes back: an outcome that was unknown then is usually known by now.
                attempts = await self._books.attempts(tx, begun, begun + timedelta(minutes=1))
                await store.put_channel_minute(tx, begun, attempts)
            await store.prune(tx, sample.taken_at)
        self._minute = minute

    def _answers(self, minute: datetime, sample: Sample) -> AnswerMinute:
        span, _ = self._span(COUNT_WINDOW_S)
        total = span.total(NOT_SHOPPERS)
        return AnswerMinute(
            minute_at=minute,
            requests=round(sum(total.values())),
            faults=round(sum(span.faults.values())),
            p50_ms=reading.ms(rules.quantile_s(total, 0.5)) or 0.0,
            p99_ms=reading.ms(rules.quantile_s(total, 0.99)) or 0.0,
            outbox_behind=sample.outbox_behind,
        )

    def _definition(self) -> CampaignDefinition | None:
        version = self._current()
        return version.definition if version else None

    def _back(self, seconds: int) -> Moment:
        """Return the moment about `seconds` ago, or the oldest there is."""
        newest = self._moments[-1]
        wanted = newest.at - timedelta(seconds=seconds)
        return next((each for each in self._moments if each.at >= wanted), newest)

    def _span(self, seconds: int) -> tuple[reading.HttpSpan, float]:
        back, newest = self._back(seconds), self._moments[-1]
        length = max((newest.at - back.at).total_seconds(), 0.001)
        return reading.http_between(back.counters, newest.counters), length

    async def _facts(self, tx: Tx, now: datetime) -> TradeFacts:
        end = now.replace(microsecond=0) - timedelta(seconds=SETTLED_S)
        backlog = await self._outbox.backlog(tx)
        queue = await self._jobs.backlog(tx)
        minute = now.replace(second=0, microsecond=0)
        decided = now - timedelta(seconds=DECIDED_S)
        recent = await self._books.attempts(tx, decided - timedelta(seconds=60), decided)
        ever = added(
            await store.channel_attempts_total(tx, minute - timedelta(minutes=1)),
            await self._books.attempts(tx, minute - timedelta(minutes=1), now),
        )
        return TradeFacts(
            total=await store.trade_total(tx, None),
            window=await store.trade_between(tx, end - timedelta(seconds=RATE_WINDOW_S), end),
            channels=channel_figures(recent, ever, self._success_goal()),
            hot_goods=await self._hot_goods(tx, now),
            outbox_behind=backlog.rows,
            outbox_behind_s=backlog.seconds,
            jobs_waiting=queue.waiting,
            jobs_failed=queue.failed,
        )

    def _success_goal(self) -> float | None:
        return figures.goals_of(self._definition()).payment_success

    async def _hot_goods(self, tx: Tx, now: datetime) -> tuple[HotGoods, ...]:
        """Return what sold most within ten minutes; within the whole campaign where nothing sold lately."""
        sold = await store.hottest(tx, now - timedelta(minutes=10), HOT_GOODS_MAX)
        if not sold:
            sold = await store.hottest(tx, now - timedelta(days=60), HOT_GOODS_MAX)
        skus = [sku for sku, _ in sold]
        stock = await self._books.stock(tx, skus)
        since = now - timedelta(minutes=1)
        lately = await store.units_of(tx, skus, since)
        seconds = (now - since.replace(second=0, microsecond=0)).total_seconds()
        return hot_goods(skus, stock, {sku: units / seconds for sku, units in lately.items()}, self._definition())

    def _sample(self, now: datetime, facts: TradeFacts, *, cache_up: bool) -> Sample:
        newest = self._moments[-1]
        before, minute = self._back(ANSWER_WINDOW_S), self._back(COUNT_WINDOW_S)
        span, seconds = self._span(ANSWER_WINDOW_S)
        total = span.total(NOT_SHOPPERS)
        routes = reading.route_figures(span, seconds)
        window, trade = facts.window, facts.total
        return Sample(
            taken_at=now,
            trade=trade,
            routes=routes,
            lanes=reading.lane_figures(before.counters, newest.counters, seconds),
            request_rate=round(sum(total.values()) / seconds, 2),
            page_rate=round(sum(each.rate for each in routes if each.route in PAGE_ROUTES), 2),
            order_ask_rate=round(sum(each.rate for each in routes if each.route in ORDER_ROUTES), 2),
            fault_rate=round(sum(span.faults.values()) / seconds, 2),
            p50_ms=reading.ms(rules.quantile_s(total, 0.5)),
            p99_ms=reading.ms(rules.quantile_s(total, 0.99)),
            order_p99_ms=next((each.p99_ms for each in routes if each.route in ORDER_ROUTES), None),
            order_rate=window.placed / RATE_WINDOW_S,
            paid_rate=window.paid / RATE_WINDOW_S,
            placed_value_rate=window.placed_value / RATE_WINDOW_S,
            lapsed_rate=(window.expired + window.cancelled) / RATE_WINDOW_S,
            attempt_rate=round(sum(each.attempts_minute for each in facts.channels) / 60, 2),
            payment_success=success_of(facts.channels),
            awaiting_payment=max(trade.placed - trade.paid - trade.expired - trade.cancelled, 0),
            channels=facts.channels,
            hot_goods=facts.hot_goods,
            refusals=rules.counts_between(minute.counters.refusals, newest.counters.refusals),
            faults=rules.counts_between(minute.counters.faults, newest.counters.faults),
            outbox_behind=facts.outbox_behind,
            outbox_behind_s=facts.outbox_behind_s,
            jobs_waiting=facts.jobs_waiting,
            jobs_failed=facts.jobs_failed,
            accept_queue=newest.counters.accept_queue,
            processes=process.figures(dict(before.processes), dict(newest.processes), seconds),
            cache_up=cache_up,
        )


def success_of(channels: Sequence[ChannelFigures]) -> float | None:
    """Return captured attempts to decided ones over the last minute, all channels together; None without any."""
    captured = sum(each.captured_minute for each in channels)
    decided = captured + sum(each.failed_minute + each.unknown_minute for each in channels)
    return round(captured / decided, 4) if decided else None


def added(
    one: Mapping[str, Mapping[Outcome, int]], other: Mapping[str, Mapping[Outcome, int]]
) -> dict[str, dict[Outcome, int]]:
    """Return both counts of attempts together."""
    return {
        name: {
            outcome: one.get(name, {}).get(outcome, 0) + other.get(name, {}).get(outcome, 0)
            for outcome in {*one.get(name, {}), *other.get(name, {})}
        }
        for name in {*one, *other}
    }


def channel_figures(
    recent: Mapping[str, Mapping[Outcome, int]], ever: Mapping[str, Mapping[Outcome, int]], goal: float | None
) -> tuple[ChannelFigures, ...]:
    """Return each channel's figures. A decline is the buyer's bank speaking; it says nothing against the channel."""
    return tuple(_channel(name, recent.get(name, {}), ever.get(name, {}), goal) for name in sorted({*recent, *ever}))


def _channel(
    name: str, recent: Mapping[Outcome, int], ever: Mapping[Outcome, int], goal: float | None
) -> ChannelFigures:
    success, attempts = _success(recent), sum(recent.values())
    return ChannelFigures(
        channel=name,
        state=rules.state_of_share(success, goal, attempts),
        attempts_minute=attempts,
        captured_minute=recent.get(Outcome.CAPTURED, 0),
        failed_minute=recent.get(Outcome.FAILED, 0),
        unknown_minute=recent.get(Outcome.UNKNOWN, 0),
        success_minute=success,
        success_total=_success(ever),
        attempts_total=sum(ever.values()),
    )


def _success(outcomes: Mapping[Outcome, int]) -> float | None:
    captured = outcomes.get(Outcome.CAPTURED, 0)
    decided = captured + sum(outcomes.get(each, 0) for each in _GONE)
    return round(captured / decided, 4) if decided else None


def hot_goods(
    skus: Sequence[str],
    stock: Mapping[str, StockFigures],
    rates: Mapping[str, float],
    definition: CampaignDefinition | None,
) -> tuple[HotGoods, ...]:
    """Return the hottest goods with names, stock and the time until they are sold out."""
    wanted = set(skus)
    names = {entry.sku: entry.name for entry in (definition.goods if definition else ()) if entry.sku in wanted}
    found = []
    for sku in skus:
        if sku not in stock:
            continue
        held, rate = stock[sku], rates.get(sku, 0.0)
        left_s = rules.sold_out_in_s(held.free, rate)
        found.append(
            HotGoods(
                sku=sku,
                name_zh=names[sku].zh if sku in names else sku,
                name_en=names[sku].en if sku in names else sku,
                loaded=held.loaded,
                free=held.free,
                held=held.held,
                sold=held.sold,
                rate=round(rate, 3),
                sold_out_in_s=None if left_s is None else round(left_s, 1),
                state=rules.state_of_goods(held.free, left_s),
            )
        )
    return tuple(found)
