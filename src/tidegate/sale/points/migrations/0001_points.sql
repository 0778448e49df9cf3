create schema points;

-- One row a shopper who ever had points. Both parts are the sums of the entries; a check of the doctor compares them.
create table points.account (
    account_id uuid primary key,
    available bigint not null default 0,
    held bigint not null default 0,
    constraint points_never_negative check (available >= 0 and held >= 0)
) with (fillfactor = 70);

-- One row a movement, appended and never changed.
create table points.entry (
    entry_id bigint generated always as identity primary key,
    account_id uuid not null,
    kind text not null,
    available bigint not null,
    held bigint not null,
    order_id uuid,
    by text not null default '',
    reason text not null default '',
    at timestamptz not null,
    constraint entry_moves check (
        case kind
            when 'granted' then available > 0 and held = 0 and order_id is null and by <> '' and reason <> ''
            when 'earned' then available > 0 and held = 0 and order_id is not null
            when 'given_back' then available > 0 and held = 0 and order_id is not null
            when 'taken_back' then available < 0 and held = 0 and order_id is not null
            when 'held' then available < 0 and held = -available and order_id is not null
            when 'released' then available > 0 and held = -available and order_id is not null
            when 'spent' then available = 0 and held < 0 and order_id is not null
            else false
        end
    )
);
create index entry_of_account on points.entry (account_id, entry_id desc);

-- An order moves in each of these ways once, and ends its hold in one way.
create unique index entry_once on points.entry (order_id, kind) where kind in ('held', 'earned');
create unique index entry_ends_once on points.entry (order_id) where kind in ('spent', 'released');
create index entry_of_refund on points.entry (order_id) where kind in ('given_back', 'taken_back');

create function points.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'entries of points are never changed or deleted: % on %.%', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger entry_is_immutable before update or delete or truncate on points.entry
    for each statement execute function points.refuse_change();
