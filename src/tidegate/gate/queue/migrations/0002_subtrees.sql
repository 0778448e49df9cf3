-- The Merkle roots over each 1,024 places of a sealed list, from which a receipt's path is made without reading it all.
create table queue.subtree (
    line_id integer not null references queue.line,
    number integer not null check (number >= 0),
    root bytea not null check (octet_length(root) = 32),
    primary key (line_id, number)
);
create trigger append_only before update or delete on queue.subtree for each row execute function queue.append_only();
