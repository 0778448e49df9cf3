-- Whether somebody ever paid is asked with each order that a promotion for new customers concerns: unpaid ones are not read.
create index orders_paid_by on ordering.orders (buyer_id) where paid_at is not null;
