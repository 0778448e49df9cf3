-- Money also goes back for units that the shop does not have.
alter table ordering.refund drop constraint refund_cause_known;
alter table ordering.refund add constraint refund_cause_known
    check (cause in ('returned', 'cancelled', 'protection', 'shortfall'));
