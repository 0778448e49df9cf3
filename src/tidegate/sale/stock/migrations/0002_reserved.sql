-- Whether a hold is a reservation's, which is not an order yet.
alter table stock.hold add column reserved boolean not null default false;
