-- Whoever asks for a place is looked up by account, device and instrument, each by its own index. An index of live places
-- alone fits a question about another holder, too: where the database's statistics come from an earlier line whose places
-- were given up, it took any of these for nearly empty, and read the devices of a whole line to find one account.
-- No index says the same as another now, and the statistics cannot tell that a holder has many places.
drop index queue.place_one_an_account, queue.place_one_a_device;
create unique index place_one_an_account on queue.place (account_id, line_id)
    where left_at is null and account_id is not null;
create unique index place_one_a_device on queue.place (device, line_id) where left_at is null and device is not null;

alter table queue.place
    alter column account_id set (n_distinct = -1),
    alter column device set (n_distinct = -1),
    alter column instrument set (n_distinct = -1);
analyze queue.place;
