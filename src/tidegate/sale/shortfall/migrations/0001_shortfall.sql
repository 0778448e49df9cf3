create schema shortfall;

-- What staff stated: so many units fewer, and what paid orders get for it. Never changed once written.
create table shortfall.act (
    act_id uuid primary key,
    request_key text not null,
    request_hash bytea not null,
    campaign_id text not null,
    sku text not null,
    missing bigint not null check (missing > 0),
    there bigint not null check (there >= 0),
    remedy text not null check (remedy in ('refund', 'later')),
    deliver_by date,
    reason text not null,
    stated_by text not null,
    stated_at timestamptz not null,
    constraint act_key_once unique (request_key),
    constraint act_later_has_a_day check ((remedy = 'later') = (deliver_by is not null))
);
create index act_of_sku on shortfall.act (campaign_id, sku, act_id desc);

-- What became of units of one order, written in the transaction that did it.
create table shortfall.line (
    line_id uuid primary key,
    act_id uuid not null references shortfall.act,
    order_id uuid not null,
    buyer_id uuid not null,
    sku text not null,
    units bigint not null check (units > 0),
    outcome text not null check (outcome in ('released', 'refunded', 'later')),
    amount bigint not null default 0 check (amount >= 0),
    refund_id uuid,
    decided_at timestamptz not null,
    declined_at timestamptz,
    constraint line_refunded check ((refund_id is not null) = (outcome = 'refunded' or declined_at is not null)),
    constraint line_only_later_is_declined check (declined_at is null or outcome = 'later')
);
create index line_of_order on shortfall.line (order_id);
create index line_of_act on shortfall.line (act_id);
