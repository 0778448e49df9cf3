-- Every change of a segment, with who made it and why. The record only grows.
create table identity.segment_change (
    change_id uuid primary key,
    segment text not null check (segment ~ '^[a-z][a-z0-9-]{0,39}$'),
    how text not null check (how in ('add', 'remove', 'replace')),
    numbers integer not null check (numbers >= 0),
    added integer not null check (added between 0 and numbers),
    ended integer not null check (ended >= 0),
    changed_by text not null check (char_length(changed_by) between 1 and 100),
    reason text not null check (char_length(reason) between 3 and 200),
    changed_at timestamptz not null
);

create index segment_change_of_segment on identity.segment_change (segment, changed_at desc);
create index segment_change_by_time on identity.segment_change (changed_at desc, change_id desc);

create trigger only_grows
    before update or delete or truncate on identity.segment_change
    for each statement execute function identity.refuse_change();
