"""All SQL of the monitor, in the schema `monitor` only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tidegate.base.db import Tx
from tidegate.watch.monitor.contracts import (
    Announcement,
    AnswerMinute,
    ChannelMinute,
    Examination,
    NewAnnouncement,
    Outcome,
    Sample,
    Trade,
    TradeMinute,
)
from tidegate.watch.monitor.tally import Tally

_encode = msgspec.json.encode
_sample_decoder = msgspec.json.Decoder(Sample)
_TRADE = ("placed", "placed_value", "paid", "paid_value", "expired", "cancelled", "refunded", "refunded_value")

# Seconds, minutes and units of a whole batch of events in one statement: each part adds to rows that are there, and
# the minutes are summed from the same arrays as the seconds, so that the two cannot drift apart.
_ADD = """
with traded as (
    select * from unnest(
        %(at)s::timestamptz[], %(placed)s::bigint[], %(placed_value)s::bigint[], %(paid)s::bigint[],
        %(paid_value)s::bigint[], %(expired)s::bigint[], %(cancelled)s::bigint[], %(refunded)s::bigint[],
        %(refunded_value)s::bigint[]
    ) as t (at, placed, placed_value, paid, paid_value, expired, cancelled, refunded, refunded_value)
), by_second as (
    insert into monitor.trade_second as kept
    select * from traded order by at
    on conflict (second_at) do update set
        placed = kept.placed + excluded.placed, placed_value = kept.placed_value + excluded.placed_value,
        paid = kept.paid + excluded.paid, paid_value = kept.paid_value + excluded.paid_value,
        expired = kept.expired + excluded.expired, cancelled = kept.cancelled + excluded.cancelled,
        refunded = kept.refunded + excluded.refunded, refunded_value = kept.refunded_value + excluded.refunded_value
), by_minute as (
    insert into monitor.trade_minute as kept
    select date_trunc('minute', at), sum(placed), sum(placed_value), sum(paid), sum(paid_value), sum(expired),
           sum(cancelled), sum(refunded), sum(refunded_value)
    from traded group by 1 order by 1
    on conflict (minute_at) do update set
        placed = kept.placed + excluded.placed, placed_value = kept.placed_value + excluded.placed_value,
        paid = kept.paid + excluded.paid, paid_value = kept.paid_value + excluded.paid_value,
        expired = kept.expired + excluded.expired, cancelled = kept.cancelled + excluded.cancelled,
        refunded = kept.refunded + excluded.refunded, refunded_value = kept.refunded_value + excluded.refunded_value
)
insert into monitor.units_minute as kept
select * from unnest(%(minute)s::timestamptz[], %(sku)s::text[], %(units)s::bigint[]) as u (minute_at, sku, units)
order by minute_at, sku
on conflict (minute_at, sku) do update set units = kept.units + excluded.units
"""


async def add(tx: Tx, tally: Tally) -> None:
    """Add a tally to the figures, in one statement."""
    trade, units = tally.trade, tally.units
    columns: dict[str, object] = {name: [getattr(each, name) for each in trade.values()] for name in _TRADE}
    await tx.execute(
        _ADD,
        columns
        | {
            "at": list(trade),
            "minute": [minute for minute, _ in units],
            "sku": [sku for _, sku in units],
            "units": list(units.values()),
        },
    )


_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in _TRADE)


async def trade_between(tx: Tx, since: datetime, until: datetime) -> Trade:
    """Return the trade from `since` (included) to `until` (not included), by the second."""
    rows = await tx.execute(
        f"select {_SUMS} from monitor.trade_second where second_at >= %s and second_at < %s",
        [since, until],
    )
    return _trade(await rows.fetchone())


async def trade_total(tx: Tx, since: datetime | None) -> Trade:
    """Return the trade since `since`, by the minute; of all time where it is None."""
    rows = await tx.execute(
        f"select {_SUMS} from monitor.trade_minute where %(since)s::timestamptz is null"
        " or minute_at >= date_trunc('minute', %(since)s::timestamptz)",
        {"since": since},
    )
    return _trade(await rows.fetchone())


def _trade(row: Sequence[int] | None) -> Trade:
    return Trade(**dict(zip(_TRADE, row or (), strict=False)))


async def trade_seconds(tx: Tx, since: datetime, until: datetime) -> dict[datetime, Trade]:
    """Return the trade of each second within the span in which something was traded."""
    rows = await tx.execute(
        f"select second_at, {', '.join(_TRADE)} from monitor.trade_second"
        " where second_at >= %s and second_at < %s order by second_at",
        [since, until],
    )
    return {row[0]: _trade(row[1:]) async for row in rows}


async def trade_minutes(tx: Tx, since: datetime, until: datetime) -> list[TradeMinute]:
    """Return the trade of each minute within the span in which something was traded."""
    rows = await tx.execute(
        f"select minute_at, {', '.join(_TRADE)} from monitor.trade_minute"
        " where minute_at >= %s and minute_at < %s order by minute_at",
        [since, until],
    )
    return [TradeMinute(minute_at=row[0], trade=_trade(row[1:])) async for row in rows]


async def channel_minutes(tx: Tx, since: datetime, until: datetime) -> list[ChannelMinute]:
    """Return the channels' attempts of each minute within the span."""
    rows = await tx.execute(
        "select minute_at, channel, outcome, attempts from monitor.channel_minute"
        " where minute_at >= %s and minute_at < %s order by minute_at, channel, outcome",
        [since, until],
    )
    return [
        ChannelMinute(minute_at=at, channel=channel, outcome=Outcome(outcome), attempts=attempts)
        async for at, channel, outcome, attempts in rows
    ]


async def put_channel_minute(tx: Tx, minute_at: datetime, attempts: Mapping[str, Mapping[Outcome, int]]) -> None:
    """Write how the channels answered attempts begun in one minute; what was written of it before is replaced."""
    rows = [(name, outcome, count) for name, outcomes in attempts.items() for outcome, count in outcomes.items()]
    await tx.execute(
        """
        with answered as (
            select * from unnest(%(channels)s::text[], %(outcomes)s::text[], %(attempts)s::bigint[])
                as answered (channel, outcome, attempts)
        ), settled as (
            delete from monitor.channel_minute kept
            where minute_at = %(minute_at)s and not exists (
                select from answered a where (a.channel, a.outcome) = (kept.channel, kept.outcome))
        )
        insert into monitor.channel_minute (minute_at, channel, outcome, attempts)
        select %(minute_at)s, channel, outcome, attempts from answered order by channel, outcome
        on conflict (minute_at, channel, outcome) do update set attempts = excluded.attempts
        """,
        {
            "minute_at": minute_at,
            "channels": [name for name, _, _ in rows],
            "outcomes": [outcome.value for _, outcome, _ in rows],
            "attempts": [count for _, _, count in rows],
        },
    )


async def channel_attempts_total(tx: Tx, before: datetime) -> dict[str, dict[Outcome, int]]:
    """Return each channel's attempts by outcome in all minutes before `before`."""
    rows = await tx.execute(
        "select channel, outcome, sum(attempts)::bigint from monitor.channel_minute where minute_at < %s group by 1, 2",
        [before],
    )
    channels: dict[str, dict[Outcome, int]] = {}
    async for channel, outcome, attempts in rows:
        channels.setdefault(channel, {})[Outcome(outcome)] = attempts
    return channels


async def hottest(tx: Tx, since: datetime, most: int) -> list[tuple[str, int]]:
    """Return the SKUs that sold most units since the minute of `since`, with these units."""
    rows = await tx.execute(
        "select sku, sum(units)::bigint from monitor.units_minute"
        " where minute_at >= date_trunc('minute', %s::timestamptz) group by sku order by sum(units) desc, sku limit %s",
        [since, most],
    )
    return [(sku, units) async for sku, units in rows]


async def units_of(tx: Tx, skus: Sequence[str], since: datetime) -> dict[str, int]:
    """Return the units of these SKUs ordered since the minute of `since`."""
    rows = await tx.execute(
        "select sku, sum(units)::bigint from monitor.units_minute"
        " where sku = any(%s) and minute_at >= date_trunc('minute', %s::timestamptz) group by sku",
        [list(skus), since],
    )
    return {sku: units async for sku, units in rows}


async def keep_newest(tx: Tx, sample: Sample) -> bool:
    """Replace the newest sample; return False where another worker took one less than half a second before.

    It is measured again in a second: its commit need not wait for the disk.
    """
    await tx.execute("set local synchronous_commit = off")
    kept = await tx.execute(
        "insert into monitor.newest_sample as kept (taken_at, sample) values (%s, %s::jsonb)"
        " on conflict (only_row) do update set taken_at = excluded.taken_at, sample = excluded.sample"
        " where kept.taken_at <= excluded.taken_at - interval '500 ms'",
        [sample.taken_at, _encode(sample).decode()],
    )
    return kept.rowcount == 1


async def newest(tx: Tx) -> Sample | None:
    """Return the newest sample, or None before the first."""
    row = await (await tx.execute("select sample::text from monitor.newest_sample")).fetchone()
    return _sample_decoder.decode(row[0]) if row else None


async def add_answers(tx: Tx, minute: AnswerMinute) -> None:
    """Keep how one minute was answered; the same minute again replaces it."""
    await tx.execute(
        "insert into monitor.answer_minute (minute_at, requests, faults, p50_ms, p99_ms, outbox_behind)"
        " values (%(minute_at)s, %(requests)s, %(faults)s, %(p50_ms)s, %(p99_ms)s, %(outbox_behind)s)"
        " on conflict (minute_at) do update set requests = excluded.requests, faults = excluded.faults,"
        " p50_ms = excluded.p50_ms, p99_ms = excluded.p99_ms, outbox_behind = excluded.outbox_behind",
        msgspec.structs.asdict(minute),
    )


async def answer_minutes(tx: Tx, since: datetime, until: datetime) -> list[AnswerMinute]:
    """Return how each minute within the span was answered."""
    rows = await tx.execute(
        "select minute_at, requests, faults, p50_ms, p99_ms, outbox_behind from monitor.answer_minute"
        " where minute_at >= %s and minute_at < %s order by minute_at",
        [since, until],
    )
    fields = AnswerMinute.__struct_fields__
    return [AnswerMinute(**dict(zip(fields, row, strict=True))) async for row in rows]


async def announce(tx: Tx, at: datetime, announcements: Sequence[NewAnnouncement]) -> None:
    """Add lines to the feed, in one statement."""
    if announcements:
        await tx.execute(
            "insert into monitor.announcement (announced_at, level, kind, subject, facts)"
            " select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[])",
            [
                at,
                [each.level.value for each in announcements],
                [each.kind for each in announcements],
                [each.subject[:120] for each in announcements],
                [_encode(each.facts).decode() for each in announcements],
            ],
        )


async def announcements(tx: Tx, most: int, before: int | None = None) -> list[Announcement]:
    """Return the newest lines of the feed, newest first; only those older than line `before` where it is given."""
    rows = await tx.execute(
        "select announcement_id, announced_at, level, kind, subject, facts from monitor.announcement"
        " where %(before)s::bigint is null or announcement_id < %(before)s"
        " order by announcement_id desc limit %(most)s",
        {"before": before, "most": most},
    )
    names = Announcement.__struct_fields__
    return [msgspec.convert(dict(zip(names, row, strict=True)), Announcement) async for row in rows]


async def keep_examination(tx: Tx, examination: Examination) -> None:
    """Keep a run of the doctor."""
    await tx.execute(
        "insert into monitor.examination (examined_at, took_ms, checks) values (%s, %s, %s::jsonb)"
        " on conflict (examined_at) do update set took_ms = excluded.took_ms, checks = excluded.checks",
        [examination.examined_at, examination.took_ms, _encode(examination.checks).decode()],
    )


async def examinations(tx: Tx, most: int) -> list[Examination]:
    """Return the newest runs of the doctor, newest first."""
    rows = await tx.execute(
        "select examined_at, took_ms, checks from monitor.examination order by examined_at desc limit %s", [most]
    )
    return [
        msgspec.convert({"examined_at": at, "took_ms": took_ms, "checks": checks}, Examination, strict=False)
        async for at, took_ms, checks in rows
    ]


async def prune(tx: Tx, now: datetime) -> None:
    """Forget seconds older than two hours, examinations older than a week, and all but the last 5,000 lines."""
    await tx.execute("delete from monitor.trade_second where second_at < %s", [now - timedelta(hours=2)])
    await tx.execute("delete from monitor.examination where examined_at < %s", [now - timedelta(days=7)])
    await tx.execute(
        "delete from monitor.announcement"
        " where announcement_id < (select max(announcement_id) - 5000 from monitor.announcement)"
    )


async def drift(tx: Tx, since: datetime) -> tuple[int, int]:
    """Return how many whole minutes since `since` were compared, and how many differ from the sum of their seconds."""
    row = await (
        await tx.execute(
            """
            with seconds as (
                select date_trunc('minute', second_at) as minute_at, sum(placed) placed, sum(paid_value) paid_value
                from monitor.trade_second
                where second_at >= date_trunc('minute', %(since)s::timestamptz) + interval '1 minute'
                group by 1
            )
            select count(*), count(*) filter (
                where (m.placed, m.paid_value) is distinct from (s.placed, s.paid_value))
            from seconds s left join monitor.trade_minute m using (minute_at)
            """,
            {"since": since},
        )
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)
