create schema queue;

-- One row a campaign. The seed is sealed until the draw is revealed; what was written of a draw is never changed.
create table queue.line (
    line_id integer generated always as identity primary key,
    campaign_id text not null unique,
    opened_at timestamptz not null,
    seed_sealed bytea not null,
    seed_hash bytea not null check (octet_length(seed_hash) = 32),
    next_serial bigint not null default 0 check (next_serial between 0 and 4294967296),
    sealed_at timestamptz,
    sealed_count bigint,
    root bytea check (octet_length(root) = 32),
    revealed_at timestamptz,
    seed bytea check (octet_length(seed) = 32),
    constraint line_sealed_whole check ((sealed_at is null) = (sealed_count is null)),
    constraint line_root_after_sealing check (root is null or sealed_at is not null),
    constraint line_seed_after_root check ((seed is null) = (revealed_at is null) and (seed is null or root is not null))
);

create function queue.keep_draw() returns trigger language plpgsql as $$
begin
    if old.seed_hash <> new.seed_hash or old.seed_sealed <> new.seed_sealed
        or (old.sealed_count is not null and old.sealed_count is distinct from new.sealed_count)
        or (old.root is not null and old.root is distinct from new.root)
        or (old.seed is not null and old.seed is distinct from new.seed) then
        raise exception 'what was published of a draw is never changed' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger keep_draw before update on queue.line for each row execute function queue.keep_draw();

-- Lanes are fixed when the line opens: shares that were declared are kept. A threshold of 2**64 means all were called.
create table queue.lane (
    line_id integer not null references queue.line,
    lane smallint not null check (lane between 0 and 7),
    name text not null,
    label_zh text not null,
    label_en text not null,
    share smallint not null check (share between 1 and 100),
    audience text not null,
    drawn bigint not null default 0 check (drawn >= 0),
    late bigint not null default 0 check (late >= 0),
    threshold numeric(20, 0) not null default 0 check (threshold between 0 and 18446744073709551616),
    late_called bigint not null default 0,
    credit bigint not null default 0,
    primary key (line_id, lane),
    constraint lane_late_called_within check (late_called between 0 and late),
    constraint lane_drawn_before_late check (late_called = 0 or threshold = 18446744073709551616)
) with (fillfactor = 50);

-- One row a place. `number` is 0 for the drawn, and counts the late of a lane from 1.
create table queue.place (
    line_id integer not null,
    lane smallint not null,
    serial bigint not null,
    number bigint not null check (number >= 0),
    account_id uuid not null,
    device uuid not null,
    joined_at timestamptz not null,
    left_at timestamptz,
    commitment bytea not null check (octet_length(commitment) = 32),
    instrument bytea,
    network text,
    primary key (line_id, serial),
    foreign key (line_id, lane) references queue.lane
);
create unique index place_one_an_account on queue.place (line_id, account_id) where left_at is null;
create unique index place_one_a_device on queue.place (line_id, device) where left_at is null;
create unique index place_one_an_instrument on queue.place (line_id, instrument)
    where left_at is null and instrument is not null;

-- An account that signs in on another device takes its place along.
create table queue.move (
    line_id integer not null,
    serial bigint not null,
    from_device uuid not null,
    to_device uuid not null,
    moved_at timestamptz not null,
    foreign key (line_id, serial) references queue.place
);
create index on queue.move (line_id, serial);

create table queue.network (
    line_id integer not null references queue.line,
    network text not null,
    places bigint not null check (places >= 0),
    primary key (line_id, network)
);

-- How far each lane was called, and when: append-only, in the order of call_id.
create table queue.call (
    call_id bigint generated always as identity primary key,
    line_id integer not null,
    lane smallint not null,
    threshold numeric(20, 0) not null,
    late_called bigint not null,
    calls bigint not null check (calls > 0),
    called_at timestamptz not null,
    foreign key (line_id, lane) references queue.lane
);
create index call_of_rank on queue.call (line_id, lane, threshold, call_id);
create index call_of_number on queue.call (line_id, lane, late_called, call_id);
create index call_lately on queue.call (line_id, called_at);

-- One row a place whose owner came: nobody enters twice on one place, and never above the cap of that moment.
create table queue.entry (
    line_id integer not null,
    serial bigint not null,
    account_id uuid not null,
    device uuid not null,
    called_at timestamptz not null,
    came_at timestamptz not null,
    asked_at timestamptz not null,
    returned boolean not null default false,
    entered_at timestamptz,
    expires_at timestamptz,
    inside_then integer,
    cap_then integer,
    purchases integer not null default 0 check (purchases >= 0),
    ended_at timestamptz,
    ended_by text check (ended_by in ('used', 'expired', 'left', 'skipped')),
    primary key (line_id, serial),
    foreign key (line_id, serial) references queue.place,
    constraint entry_whole check ((entered_at is null) = (expires_at is null) and (entered_at is null) = (cap_then is null)),
    constraint entry_after_call check (came_at >= called_at),
    constraint entry_within_cap check (inside_then between 1 and cap_then),
    constraint entry_ends_once check ((ended_at is null) = (ended_by is null)),
    constraint entry_buys_inside check (purchases = 0 or entered_at is not null)
);
create unique index entry_one_open on queue.entry (line_id, account_id) where ended_at is null;
create index entry_open on queue.entry (line_id, expires_at) where ended_at is null;
create index entry_lately on queue.entry (line_id, entered_at);
create index entry_ended_lately on queue.entry (line_id, ended_at);

-- One hot row a line: how many are inside, what was counted, and what the last step of the controller saw.
create table queue.gate (
    line_id integer primary key references queue.line,
    inside integer not null default 0 check (inside >= 0),
    came bigint not null default 0,
    entered bigint not null default 0,
    returned bigint not null default 0,
    bought bigint not null default 0,
    ended bigint not null default 0,
    left_line bigint not null default 0,
    rate_credit double precision not null default 0,
    stepped_at timestamptz,
    state text not null default 'gathering' check (
        state in ('closed', 'gathering', 'sealed', 'open', 'paused', 'held', 'nothing-left', 'ended')
    ),
    sellable bigint not null default 0,
    held bigint not null default 0,
    load_factor double precision not null default 1,
    present bigint
) with (fillfactor = 20);

-- What staff did, and why: append-only.
create table queue.act (
    act_id bigint generated always as identity primary key,
    line_id integer not null references queue.line,
    act text not null check (act in ('hold', 'slow', 'open', 'close', 'note')),
    per_minute integer check (per_minute > 0),
    note text not null default '',
    reason text not null check (length(reason) >= 3),
    acted_by text not null,
    acted_at timestamptz not null,
    constraint act_slow_says_how_much check ((act = 'slow') = (per_minute is not null))
);
create index on queue.act (line_id, act_id);

create function queue.append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'check_violation';
end $$;
create trigger append_only before update or delete on queue.act for each row execute function queue.append_only();
create trigger append_only before update or delete on queue.call for each row execute function queue.append_only();
create trigger append_only before update or delete on queue.move for each row execute function queue.append_only();
