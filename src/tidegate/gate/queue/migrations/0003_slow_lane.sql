-- The slow lane stands behind the others. Each place in it knows where it would stand without it: its home lane and,
-- of a late place, behind how many late ones of that lane; there it stands again when staff undo the suspicion.
alter table queue.lane drop constraint lane_lane_check, add constraint lane_lane_check check (lane between 0 and 8);
alter table queue.place
    add column home_lane smallint,
    add column home_number bigint check (home_number >= 0),
    add constraint place_home_whole check ((home_lane is null) = (home_number is null) and home_lane <> lane),
    add foreign key (line_id, home_lane) references queue.lane;
create index place_slow on queue.place (line_id, number) where home_lane is not null;

create table queue.restored (
    line_id integer not null,
    serial bigint not null,
    restored_at timestamptz not null,
    primary key (line_id, serial),
    foreign key (line_id, serial) references queue.place
);
create trigger append_only before update or delete on queue.restored
    for each row execute function queue.append_only();
