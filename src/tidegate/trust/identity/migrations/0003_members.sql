-- Who is a member, and in which tier: by the number's blind index, so that a member may sign in for the first time later.
create table identity.member (
    phone_index bytea primary key check (octet_length(phone_index) = 32),
    tier text not null check (tier ~ '^[a-z][a-z0-9-]{0,39}$'),
    set_at timestamptz not null
);
