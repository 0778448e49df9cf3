-- Every change of a tier of members made by staff, with who made it and why. The record only grows.
create table identity.tier_change (
    change_id uuid primary key,
    tier text not null check (tier ~ '^[a-z][a-z0-9-]{0,39}$'),
    how text not null check (how in ('add', 'remove', 'replace')),
    numbers integer not null check (numbers >= 0),
    added integer not null check (added >= 0),
    moved integer not null check (moved >= 0),
    ended integer not null check (ended >= 0),
    changed_by text not null check (char_length(changed_by) between 1 and 100),
    reason text not null check (char_length(reason) between 3 and 200),
    changed_at timestamptz not null,
    check (added + moved <= numbers)
);

create index tier_change_by_time on identity.tier_change (changed_at desc, change_id desc);

create trigger only_grows
    before update or delete or truncate on identity.tier_change
    for each statement execute function identity.refuse_change();
