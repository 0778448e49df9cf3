-- A refund that is asked for again, because its answer was lost or a form was sent twice, is the same refund.
alter table ordering.refund add column request_key text;
create unique index refund_asked_once on ordering.refund (order_id, request_key) where request_key is not null;

-- When an order whose payment is under way is looked at again: its time to pay stays what the buyer was told.
alter table ordering.orders add column look_at timestamptz;
