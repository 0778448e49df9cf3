-- Why money goes back, and everything that the plan settled beside it. A refund may bring no money: of gifts alone, or
-- of what points had paid.
alter table ordering.refund drop constraint refund_amount_check;
alter table ordering.refund
    add constraint refund_amount_not_negative check (amount >= 0),
    add column cause text not null default 'returned',
    add column points bigint not null default 0,
    add column shipping bigint not null default 0,
    add column withheld bigint not null default 0,
    add column gifts json not null default '[]',
    add column lowered json not null default '[]',
    add column asked_by text not null default '',
    add constraint refund_cause_known check (cause in ('returned', 'cancelled', 'protection')),
    add constraint refund_points_not_negative check (points >= 0),
    add constraint refund_empty_is_confirmed check (amount > 0 or confirmed_at is not null);
