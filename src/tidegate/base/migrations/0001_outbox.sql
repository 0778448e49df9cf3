-- Events, one row a transaction: xid is the writing transaction, so that readers can wait for stragglers.
create table base.outbox (
    xid xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    written_at timestamptz not null default now(),
    -- The names of the events in this row, so that a subscriber reads only what it handles.
    kinds text[] not null,
    events json not null,
    primary key (xid, id)
);

-- How far each subscriber has come.
create table base.outbox_cursor (
    subscriber text primary key,
    xid xid8 not null default '0',
    id bigint not null default 0,
    moved_at timestamptz not null default now()
);
