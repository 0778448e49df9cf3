create schema stock;

-- One row a SKU of a campaign. Half of each page stays empty, so that the many updates of a hot row stay on its page.
create table stock.level (
    campaign_id text not null,
    sku text not null,
    loaded bigint not null check (loaded >= 0),
    held bigint not null default 0 check (held >= 0),
    sold bigint not null default 0 check (sold >= 0),
    primary key (campaign_id, sku),
    constraint level_never_oversold check (held + sold <= loaded)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

-- One row an order line. Ids ascend with time, so that a hot SKU's holds are appended to one place of the index.
create table stock.hold (
    campaign_id text not null,
    sku text not null,
    order_id uuid not null,
    quantity bigint not null check (quantity > 0),
    returned bigint not null default 0,
    state text not null default 'held' check (state in ('held', 'sold', 'released')),
    held_at timestamptz not null,
    ended_at timestamptz,
    primary key (sku, order_id),
    constraint hold_ends_once check ((state = 'held') = (ended_at is null)),
    constraint hold_returned_within check (returned between 0 and quantity and (returned = 0 or state = 'sold'))
) with (fillfactor = 85);
