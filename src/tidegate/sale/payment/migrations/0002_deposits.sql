-- What an intent is paid for: a deposit is owed to the buyer until it is applied to a price or forfeited.
alter table payment.intent add column purpose text not null default 'order';
alter table payment.intent add constraint intent_purpose_known check (purpose in ('order', 'deposit', 'balance'));

-- A compensation is paid beyond what was charged; it reserves nothing of the attempt.
alter table payment.refund drop constraint refund_cause_known;
alter table payment.refund add constraint refund_cause_known
    check (cause in ('asked', 'surplus', 'deposit', 'compensation'));

alter table payment.transfer drop constraint transfer_kind_known;
alter table payment.transfer add constraint transfer_kind_known
    check (kind in ('capture', 'surplus', 'refund', 'compensation', 'applied', 'forfeit'));
create unique index transfer_settles_once on payment.transfer (reference) where kind in ('applied', 'forfeit');
