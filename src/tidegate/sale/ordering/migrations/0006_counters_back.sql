-- Whether what a paid order used of counters was given back: once, whoever asks for it.
alter table ordering.orders add column counters_back boolean not null default false;
