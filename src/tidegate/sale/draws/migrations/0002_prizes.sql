-- What became of a prize: one row an act, written once. Without a row it waits for its winner, or to be given.
create table draws.prize_act (
    draw_id uuid not null,
    serial bigint not null,
    act text not null check (act in ('claimed', 'given', 'forfeited')),
    acted_at timestamptz not null,
    by text not null default '',
    note text not null default '',
    address_id uuid,
    primary key (draw_id, serial, act),
    foreign key (draw_id, serial) references draws.winner,
    constraint prize_act_by_winner_or_staff check ((act = 'claimed') = (by = '')),
    constraint prize_act_given_with_note check (act <> 'given' or note <> ''),
    constraint prize_act_address_of_claim check (address_id is null or act = 'claimed')
);

-- A prize is given or forfeited, once.
create unique index prize_act_ends_once on draws.prize_act (draw_id, serial) where act <> 'claimed';
create index winner_of_account on draws.winner (account_id);
