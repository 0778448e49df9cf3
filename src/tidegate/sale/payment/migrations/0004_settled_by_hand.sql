-- What a channel took where it was another amount than was asked: a person decided what becomes of it.
alter table payment.attempt add column taken bigint check (taken > 0);
alter table payment.attempt drop constraint attempt_refund_within;
alter table payment.attempt
    add constraint attempt_refund_within check (refund_reserved between 0 and coalesce(taken, amount)),
    add constraint attempt_taken_of_money check (taken is null or state in ('captured', 'surplus'));

-- Who decided it, why, and what: the order is paid and the difference goes back, or all of it goes back.
create table payment.settlement (
    attempt_id uuid primary key references payment.attempt,
    remedy text not null check (remedy in ('accept', 'refund')),
    asked bigint not null,
    taken bigint not null check (taken <> asked),
    reason text not null,
    settled_by text not null,
    settled_at timestamptz not null,
    constraint settlement_accepts_more check (remedy = 'refund' or taken > asked)
);
