create schema if not exists monitor;

-- Trade by the second: what the live page moves with. Kept for two hours; the minutes below are kept for good.
create table monitor.trade_second (
    second_at      timestamptz primary key,
    placed         bigint not null default 0 check (placed >= 0),
    placed_value   bigint not null default 0 check (placed_value >= 0),
    paid           bigint not null default 0 check (paid >= 0),
    paid_value     bigint not null default 0 check (paid_value >= 0),
    expired        bigint not null default 0 check (expired >= 0),
    cancelled      bigint not null default 0 check (cancelled >= 0),
    refunded       bigint not null default 0 check (refunded >= 0),
    refunded_value bigint not null default 0 check (refunded_value >= 0)
);

create table monitor.trade_minute (like monitor.trade_second including constraints including defaults);
alter table monitor.trade_minute rename column second_at to minute_at;
alter table monitor.trade_minute add primary key (minute_at);

create table monitor.units_minute (
    minute_at timestamptz not null,
    sku       text        not null,
    units     bigint      not null check (units >= 0),
    primary key (minute_at, sku)
);
create index units_minute_sku on monitor.units_minute (sku, minute_at);

-- How each payment channel answered, by the minute in which the attempt began; written anew while outcomes come in late.
create table monitor.channel_minute (
    minute_at timestamptz not null,
    channel   text        not null,
    outcome   text        not null check (outcome in ('captured', 'declined', 'failed', 'unknown')),
    attempts  bigint      not null check (attempts >= 0),
    primary key (minute_at, channel, outcome)
);

-- The newest sample, one row: the live page's answer when Valkey is away.
create table monitor.newest_sample (
    only_row boolean     primary key default true check (only_row),
    taken_at timestamptz not null,
    sample   jsonb       not null
);

-- One line a minute of how the machine answered; the debrief draws from it.
create table monitor.answer_minute (
    minute_at     timestamptz primary key,
    requests      bigint not null check (requests >= 0),
    faults        bigint not null check (faults >= 0),
    p50_ms        real   not null check (p50_ms >= 0),
    p99_ms        real   not null check (p99_ms >= 0),
    outbox_behind bigint not null check (outbox_behind >= 0)
);

create table monitor.announcement (
    announcement_id bigint generated always as identity primary key,
    announced_at    timestamptz not null,
    level           text        not null check (level in ('good', 'watch', 'act', 'info')),
    kind            text        not null check (kind ~ '^[a-z][a-z-]{1,40}$'),
    subject         text        not null check (length(subject) <= 120),
    facts           jsonb       not null
);

create table monitor.examination (
    examined_at timestamptz primary key,
    took_ms     integer not null check (took_ms >= 0),
    checks      jsonb   not null
);
