-- The code of a claimed coupon, which is the order's alone while it waits for payment and once it is paid.
alter table ordering.orders add column own_coupon text;
