create schema ordering;

-- One row an order. `priced` is the whole explanation of its price, as it was shown and charged.
create table ordering.orders (
    order_id uuid primary key,
    buyer_id uuid not null,
    idempotency_key text not null,
    request_hash bytea not null,
    campaign_id text not null,
    address_id uuid not null,
    state text not null default 'placed'
        check (state in ('placed', 'paid', 'cancelled', 'expired', 'refunding', 'refunded')),
    total bigint not null check (total > 0),
    currency text not null,
    refunded bigint not null default 0 check (refunded between 0 and total),
    coupon text,
    priced json not null,
    placed_at timestamptz not null,
    expires_at timestamptz not null,
    paid_at timestamptz,
    ended_at timestamptz,
    constraint orders_key_unique unique (buyer_id, idempotency_key),
    constraint orders_paid_at check ((paid_at is not null) = (state in ('paid', 'refunding', 'refunded'))),
    constraint orders_ended_at check ((ended_at is not null) = (state in ('cancelled', 'expired', 'refunded')))
) with (fillfactor = 85);

-- Only what waits for payment is looked through for what is due.
create index orders_due on ordering.orders (expires_at) where state = 'placed';

-- One row a refund; the ids are payment's.
create table ordering.refund (
    refund_id uuid primary key,
    order_id uuid not null references ordering.orders,
    lines json not null,
    amount bigint not null check (amount > 0),
    reason text not null,
    requested_at timestamptz not null,
    confirmed_at timestamptz
);
create index refund_of_order on ordering.refund (order_id);
