-- Where each defence stands (it survives any restart), and all that ever happened.
create schema defence;

create table defence.state (
    name        text        primary key check (name <> ''),
    is_on       boolean     not null,
    defence     text        check (defence in ('work_for_all', 'lower_limits', 'static_only', 'hook')),
    factor      integer     check (factor between 100 and 10000),
    started_at  timestamptz,
    stay_until  timestamptz,
    expires_at  timestamptz,
    started_by  text,
    quiet_until timestamptz,
    constraint state_on_is_whole check (
        is_on = (num_nulls(defence, factor, started_at, stay_until, expires_at, started_by) = 0)
        and is_on <> (num_nonnulls(defence, factor, started_at, stay_until, expires_at, started_by) = 0)
    ),
    constraint state_rests_only_when_off check (not (is_on and quiet_until is not null)),
    constraint state_ends_after_it_starts check (stay_until >= started_at and expires_at > started_at)
);

create table defence.record (
    record_id bigint      generated always as identity primary key,
    name      text        not null check (name <> ''),
    defence   text        not null check (defence in ('work_for_all', 'lower_limits', 'static_only', 'hook')),
    happening text        not null check (happening in ('started', 'ended', 'quieted', 'hook_called', 'hook_failed')),
    why       text        not null
        check (why in ('signals', 'by_hand', 'calm', 'expired', 'undone', 'withdrawn')),
    at        timestamptz not null,
    by_staff  text        not null,
    reason    text        not null check (length(reason) <= 500),
    signals   jsonb       not null
);
create index record_by_name on defence.record (name, record_id);

create function defence.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the record of defences is never changed or deleted: % on %.%', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger record_is_immutable before update or delete or truncate on defence.record
    for each statement execute function defence.refuse_change();
