-- One live place a browser, whoever signs in on it. `browser` is a keyed digest of what identity knows a browser by, made
-- for this line alone; `device` stays the session that the place's token is bound to. An account has one place and a
-- session one account, so that an index of sessions said nothing that the one of accounts does not say. Places from
-- before have no browser. As in 0008, this index is the only one that fits a question about browsers.
drop index queue.place_one_a_device;
alter table queue.place
    add column browser bytea check (octet_length(browser) = 16),
    alter column browser set (n_distinct = -1);
create unique index place_one_a_browser on queue.place (browser, line_id) where left_at is null and browser is not null;
analyze queue.place;
