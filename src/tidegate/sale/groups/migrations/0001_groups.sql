create schema groups;

-- One row a group that was opened. `taken` counts its seats that are taken, paid or confirmed, `paid` the last two.
create table groups.buying_group (
    group_id uuid primary key,
    campaign_id text not null,
    sku text not null,
    size integer not null check (size >= 2),
    state text not null default 'forming' check (state in ('forming', 'filled', 'failed')),
    taken integer not null default 0,
    paid integer not null default 0,
    opened_at timestamptz not null,
    fills_by timestamptz not null,
    ended_at timestamptz,
    constraint group_never_overfull check (0 <= paid and paid <= taken and taken <= size),
    constraint group_filled_by_all check (state <> 'filled' or paid = size),
    constraint group_failed_with_none_paid check (state <> 'failed' or paid = 0),
    constraint group_ended_at check ((ended_at is not null) = (state <> 'forming'))
) with (fillfactor = 85);

create index group_due on groups.buying_group (fills_by) where state = 'forming';
create index group_of_product on groups.buying_group (sku, campaign_id);

-- One row a seat; the order is ordering's, bound once.
create table groups.seat (
    seat_id uuid primary key,
    group_id uuid not null references groups.buying_group on delete cascade,
    buyer_id uuid not null,
    key text not null,
    quantity bigint not null check (quantity > 0),
    order_id uuid unique,
    state text not null default 'taken' check (state in ('taken', 'paid', 'confirmed', 'refunded', 'left')),
    taken_at timestamptz not null,
    ended_at timestamptz,
    constraint seat_key_unique unique (buyer_id, key),
    constraint seat_has_its_order check (state = 'taken' or order_id is not null),
    constraint seat_ended_at check ((ended_at is not null) = (state in ('confirmed', 'refunded', 'left')))
) with (fillfactor = 85);

-- Nobody twice in one group.
create unique index seat_once_a_buyer on groups.seat (group_id, buyer_id) where state in ('taken', 'paid', 'confirmed');
create index seat_of_group on groups.seat (group_id);
create index seat_without_order on groups.seat (taken_at) where order_id is null;
