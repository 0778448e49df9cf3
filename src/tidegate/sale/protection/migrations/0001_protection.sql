create schema protection;

-- A difference that was given back; its id is that of its refund. `lines` compare what was paid with today, `today` is
-- the whole explanation of the other price.
create table protection.granted (
    grant_id uuid primary key,
    order_id uuid not null,
    buyer_id uuid not null,
    asked_by text not null,
    amount bigint not null,
    currency text not null,
    lines json not null,
    then_version integer not null,
    then_hash text not null,
    today_campaign text not null,
    today_version integer not null,
    today json not null,
    granted_at timestamptz not null,
    constraint granted_amount_positive check (amount > 0),
    constraint granted_asked_by_known check (asked_by in ('buyer', 'staff', 'night'))
);
create index granted_of_order on protection.granted (order_id);
create index granted_latest on protection.granted (granted_at desc, grant_id desc);
