-- Whoever asks for a place is looked up by account, device and instrument first. An index that begins with the line fits
-- any question about the line: while a new line fills, the planner, which knows nothing of it yet, read the line's places
-- by such a one for every place that was asked for.
drop index queue.place_one_an_account, queue.place_one_a_device, queue.place_one_an_instrument;
create unique index place_one_an_account on queue.place (account_id, line_id) where left_at is null;
create unique index place_one_a_device on queue.place (device, line_id) where left_at is null;
create unique index place_one_an_instrument on queue.place (instrument, line_id)
    where left_at is null and instrument is not null;
