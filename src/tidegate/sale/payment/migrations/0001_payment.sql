create schema payment;

-- What one order has to pay. `refunded` sums the confirmed refunds that orders asked for.
create table payment.intent (
    intent_id uuid primary key,
    order_id uuid not null,
    buyer_id uuid not null,
    amount bigint not null,
    currency text not null,
    state text not null default 'open',
    attempts smallint not null default 0,
    refunded bigint not null default 0,
    expires_at timestamptz not null,
    opened_at timestamptz not null,
    changed_at timestamptz not null,
    constraint intent_order_once unique (order_id),
    constraint intent_amount_positive check (amount > 0 and amount <= 1000000000000),
    constraint intent_currency_code check (currency ~ '^[A-Z]{3}$'),
    constraint intent_state_known check (state in ('open', 'confirming', 'captured', 'closed')),
    constraint intent_refunded_within check (refunded between 0 and amount),
    constraint intent_refunded_captured check (refunded = 0 or state = 'captured')
) with (fillfactor = 70);

-- Tries to charge an intent. The id is our reference at the channel. `check_at`: when the worker asks next.
create table payment.attempt (
    attempt_id uuid primary key,
    intent_id uuid not null references payment.intent,
    number smallint not null,
    channel text not null,
    chosen boolean not null,
    amount bigint not null,
    currency text not null,
    state text not null default 'started',
    channel_reference text not null default '',
    reason text not null default '',
    refund_reserved bigint not null default 0,
    checks smallint not null default 0,
    check_at timestamptz not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    constraint attempt_number_once unique (intent_id, number),
    constraint attempt_amount_positive check (amount > 0),
    constraint attempt_state_known check (
        state in ('started', 'pending', 'unknown', 'captured', 'surplus', 'refused', 'unreached', 'closed')
    ),
    constraint attempt_ended_when_settled check ((ended_at is null) = (state in ('started', 'pending', 'unknown'))),
    constraint attempt_refund_within check (refund_reserved between 0 and amount),
    constraint attempt_refund_of_money check (refund_reserved = 0 or state in ('captured', 'surplus'))
) with (fillfactor = 70);

create index attempt_started on payment.attempt (started_at);
create unique index attempt_outstanding_once on payment.attempt (intent_id)
    where state in ('started', 'pending', 'unknown');
create unique index attempt_captured_once on payment.attempt (intent_id) where state = 'captured';
create index attempt_to_check on payment.attempt (check_at) where state in ('started', 'pending', 'unknown');

-- Money on its way back. The id is our reference at the channel, so that a repeated request gives back once.
create table payment.refund (
    refund_id uuid primary key,
    attempt_id uuid not null references payment.attempt,
    amount bigint not null,
    cause text not null,
    reason text not null,
    state text not null default 'requested',
    answer text not null default '',
    tries smallint not null default 0,
    try_at timestamptz not null,
    requested_at timestamptz not null,
    ended_at timestamptz,
    constraint refund_amount_positive check (amount > 0),
    constraint refund_cause_known check (cause in ('asked', 'surplus')),
    constraint refund_state_known check (state in ('requested', 'confirmed', 'refused')),
    constraint refund_ended_when_settled check ((ended_at is null) = (state = 'requested'))
);
create index refund_of_attempt on payment.refund (attempt_id);
create index refund_to_send on payment.refund (try_at) where state = 'requested';

-- The ledger. One row moves one amount from the credited to the debited account, so it balances by construction.
create table payment.transfer (
    kind text not null,
    reference uuid not null,
    debit_account text not null,
    credit_account text not null,
    amount bigint not null,
    currency text not null,
    booked_at timestamptz not null,
    primary key (reference, kind),
    constraint transfer_kind_known check (kind in ('capture', 'surplus', 'refund')),
    constraint transfer_amount_positive check (amount > 0),
    constraint transfer_accounts_differ check (debit_account <> credit_account)
);
create index transfer_booked on payment.transfer (booked_at);

-- What a channel said that does not fit our books: recorded once, never applied.
create table payment.discrepancy (
    discrepancy_id uuid primary key,
    channel text not null,
    kind text not null,
    reference text not null,
    detail text not null,
    found_at timestamptz not null,
    constraint discrepancy_once unique (channel, kind, reference, detail),
    constraint discrepancy_kind_known check (kind in (
        'amount-differs', 'currency-differs', 'channel-differs', 'unknown-attempt', 'unknown-refund',
        'charged-after-end', 'denied-after-capture', 'refund-refused'
    ))
);
create index discrepancy_found on payment.discrepancy (found_at);

-- Reports of our ledger against a channel's statement.
create table payment.reconciliation (
    report_id uuid primary key,
    channel text not null,
    from_at timestamptz not null,
    to_at timestamptz not null,
    made_at timestamptz not null,
    clean boolean not null,
    report jsonb not null
);
create index reconciliation_made on payment.reconciliation (channel, made_at);
