create schema draws;

-- One row a draw, with the terms of its opening. Rows are kept: the law asks for two years, nothing deletes them.
create table draws.draw (
    draw_id uuid primary key,
    campaign_id text not null,
    name text not null,
    terms json not null,
    seed_hash bytea not null,
    seed_sealed bytea not null,
    opened_at timestamptz not null,
    entries bigint not null default 0,
    root bytea,
    sealed_at timestamptz,
    seed bytea,
    drawn_at timestamptz,
    announced json,
    number_text text,
    number_proof text not null default '',
    number_missed text not null default '',
    unique (campaign_id, name),
    constraint draw_sealed_with_root check ((root is not null) = (sealed_at is not null)),
    constraint draw_drawn_with_seed check ((seed is not null) = (drawn_at is not null)),
    constraint draw_sealed_before_drawn check (drawn_at is null or drawn_at >= sealed_at),
    constraint draw_seed_fits_its_hash check (seed is null or sha256(seed) = seed_hash),
    constraint draw_number_had_or_missed check (number_text is null or number_missed = ''),
    constraint draw_with_its_number check (
        drawn_at is null or announced is null or number_text is not null or number_missed <> ''
    )
);

-- The sealed list: one row an entry.
create table draws.entry (
    draw_id uuid not null references draws.draw,
    serial bigint not null check (serial >= 0),
    order_id uuid not null,
    account_id uuid not null,
    primary key (draw_id, serial),
    unique (draw_id, order_id)
);
create index entry_of_account on draws.entry (account_id);

create table draws.winner (
    draw_id uuid not null,
    prize integer not null check (prize >= 0),
    serial bigint not null,
    account_id uuid not null,
    primary key (draw_id, serial),
    foreign key (draw_id, serial) references draws.entry,
    constraint winner_one_prize_an_account unique (draw_id, account_id)
);
