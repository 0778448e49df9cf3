-- What a reservation uses of limits over the whole promotion: [{"key", "amount", "cap"}], taken with it and given back
-- when it ends without being an order. Reservations of before used nothing of any limit.
alter table presale.reservation add column counters json not null default '[]';
