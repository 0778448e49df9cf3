-- Passes, places and answers that were refused because somebody tampered with them, lent them or sent them again.
create table bots.misuse (
    minute_at timestamptz not null,
    token text not null check (token in ('pass', 'place', 'answer')),
    reason text not null check (reason in ('forged', 'shared', 'used', 'expired', 'other-campaign')),
    times bigint not null check (times > 0),
    primary key (minute_at, token, reason)
);
