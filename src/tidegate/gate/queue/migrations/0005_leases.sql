-- How many were called whom the line waits for, and how many were passed over because their lease was missed.
alter table queue.gate add column called bigint not null default 0, add column passed bigint not null default 0;
update queue.gate g
set called = coalesce((select sum(c.calls) from queue.call c where c.line_id = g.line_id), 0);
create index place_late on queue.place (line_id, lane, number) where number > 0;
