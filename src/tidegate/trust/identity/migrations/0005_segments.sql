-- Segments that campaigns speak of, by the number's blind index as members are: each is set as a whole.
create table identity.segment (
    phone_index bytea not null check (octet_length(phone_index) = 32),
    segment text not null check (segment ~ '^[a-z][a-z0-9-]{0,39}$'),
    primary key (phone_index, segment)
);
create index segment_by_name on identity.segment (segment);
