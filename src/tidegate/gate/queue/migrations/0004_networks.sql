-- A place that is given up leaves its network's count: `network` is emptied in the same statement that takes it off.
create index place_gone_from_a_network on queue.place (line_id, serial) where left_at is not null and network is not null;
