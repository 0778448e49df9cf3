create schema presale;

-- One row a reservation, with the terms under which it was made. `due_at`: when the worker looks at it next.
create table presale.reservation (
    reservation_id uuid primary key,
    buyer_id uuid not null,
    idempotency_key text not null,
    request_hash bytea not null,
    campaign_id text not null,
    campaign_version bigint not null,
    sku text not null,
    quantity bigint not null check (quantity > 0),
    state text not null default 'reserved' check (state in
        ('reserved', 'deposited', 'completed', 'expired', 'cancelled', 'forfeited', 'compensated')),
    currency text not null,
    list_price bigint not null,
    price bigint not null,
    deposit bigint not null check (deposit > 0),
    counts_for bigint not null,
    deposit_id uuid not null,
    deposit_due_at timestamptz not null,
    balance_from_at timestamptz not null,
    balance_until_at timestamptz not null,
    ships_by_at timestamptz not null,
    reserved_at timestamptz not null,
    due_at timestamptz not null,
    deposited_at timestamptz,
    balance_asked_at timestamptz,
    completed_at timestamptz,
    ended_at timestamptz,
    address_id uuid,
    reason text not null default '',
    constraint reservation_key_unique unique (buyer_id, idempotency_key),
    constraint reservation_deposit_once unique (deposit_id),
    constraint reservation_deposit_counts check (counts_for >= deposit and counts_for < price),
    constraint reservation_deposited check (
        case when state in ('deposited', 'completed', 'forfeited', 'compensated') then deposited_at is not null
             else deposited_at is null end
    ),
    constraint reservation_completed check (
        case state when 'completed' then completed_at is not null when 'compensated' then true
             else completed_at is null end
    ),
    constraint reservation_ended check (
        (ended_at is not null) = (state in ('expired', 'cancelled', 'forfeited', 'compensated'))
    ),
    constraint reservation_address check (completed_at is null or address_id is not null)
) with (fillfactor = 80);

-- Only what waits for a payment is looked through for what is due.
create index reservation_due on presale.reservation (due_at) where state in ('reserved', 'deposited');
create index reservation_of_buyer on presale.reservation (campaign_id, sku, buyer_id)
    where state in ('reserved', 'deposited', 'completed');

-- Every step of every reservation, written with it.
create table presale.transition (
    number bigint generated always as identity,
    reservation_id uuid not null references presale.reservation,
    state text not null,
    at timestamptz not null,
    by text not null default '',
    reason text not null default '',
    constraint transition_once primary key (reservation_id, state)
);
