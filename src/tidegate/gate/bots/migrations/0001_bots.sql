-- Bots: what visits were decided to be. Counts a minute; a few whole decisions as examples; the undos of staff.
-- A device stands only as a keyed digest.

create schema if not exists bots;

create table bots.tally (
    minute_at timestamptz not null,
    kind text not null check (char_length(kind) between 1 and 40),
    lane text not null check (lane in ('normal', 'slow')),
    work_factor smallint not null check (work_factor between 1 and 4),
    visits bigint not null check (visits > 0),
    primary key (minute_at, kind, lane, work_factor)
);

create table bots.decision (
    decision_id uuid primary key,
    decided_at timestamptz not null,
    kind text not null check (char_length(kind) between 1 and 40),
    account_id uuid not null,
    device text not null check (char_length(device) <= 64),
    body jsonb not null
);

create index decision_of_kind on bots.decision (kind, decided_at desc);
create index decision_of_account on bots.decision (account_id, decided_at desc);
create index decision_by_age on bots.decision (decided_at);

create table bots.undo (
    undo_id uuid primary key,
    account_id uuid not null,
    device text not null check (char_length(device) <= 64),
    staff_id uuid not null,
    reason text not null check (char_length(reason) between 1 and 500),
    undone_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > undone_at)
);

create index undo_by_end on bots.undo (ends_at);

-- Decisions and undos are only added, and deleted when their time is over; nobody corrects them.
create function bots.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is only added to', tg_table_name;
end
$$;

create trigger decision_stays before update on bots.decision for each row execute function bots.refuse_change();
create trigger undo_stays before update on bots.undo for each row execute function bots.refuse_change();
