-- The part of the total that a reservation's deposit paid before there was an order, and the payment of it.
alter table ordering.orders add column deposit bigint not null default 0;
alter table ordering.orders add column deposit_id uuid;
alter table ordering.orders add constraint orders_deposit_within
    check (deposit >= 0 and deposit < total and (deposit > 0) = (deposit_id is not null));
