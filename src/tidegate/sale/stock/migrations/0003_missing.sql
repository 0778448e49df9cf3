-- What a count did not find. `missing`: units that were loaded and are not there; they are never sold.
-- `short`: promised beyond what is there, until orders give so many up; meanwhile nothing is free.
-- `later`: units of sold holds that come from a later delivery, and not out of what was loaded.
alter table stock.level
    add column missing bigint not null default 0 check (missing >= 0),
    add column short bigint not null default 0 check (short >= 0),
    add column later bigint not null default 0 check (later >= 0),
    drop constraint level_never_oversold;
alter table stock.level
    add constraint level_never_oversold check (held + sold + missing <= loaded + short),
    add constraint level_short_leaves_nothing_free check (short = 0 or held + sold + missing = loaded + short);

alter table stock.hold add column later bigint not null default 0;
alter table stock.hold add constraint hold_later_within
    check (later between 0 and quantity - returned and (later = 0 or state = 'sold'));

-- The few SKUs that are short are looked for each second.
create index level_short on stock.level (campaign_id, sku) where short > 0;
