-- Counters of limited rules: uses of a coupon, units of an offer or a limit per buyer.
create schema pricing;

-- The key names the campaign, the rule and, for what is limited per buyer, the buyer:
-- 'double-11/coupon:SAVE50', 'double-11/offer:KTL-1001:0192...'. `cap` is the one that held when it was last used.
-- A third of each page stays free, so that an update finds room beside the old row and touches no index.
create table pricing.counter (
    key text collate "C" primary key,
    used bigint not null,
    cap bigint not null,
    constraint counter_never_negative check (used >= 0),
    constraint counter_within_cap check (used <= cap)
) with (fillfactor = 66);
