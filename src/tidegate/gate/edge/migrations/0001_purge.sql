-- What each publication asked of the edge, and what became of it.
create schema edge;

create table edge.purge (
    purge_id    bigint      generated always as identity primary key,
    campaign_id text        not null check (campaign_id <> ''),
    version     integer     not null check (version > 0),
    asked_at    timestamptz not null,
    tries       integer     not null default 0 check (tries >= 0),
    pages       integer     not null default 0 check (pages >= 0),
    done_at     timestamptz,
    gave_up_at  timestamptz,
    fault       text        not null default '' check (length(fault) <= 500),
    constraint purge_ends_once check (num_nonnulls(done_at, gave_up_at) <= 1),
    constraint purge_ends_by_a_try check (tries > 0 or num_nonnulls(done_at, gave_up_at) = 0)
);
