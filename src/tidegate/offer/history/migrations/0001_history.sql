-- The price history: appended to, never changed, each row sealed with the hash of the one before.
create schema history;

create table history.entry (
    number bigint primary key,
    kind text not null,
    sku text collate "C" not null,
    shop text collate "C" not null,
    place text not null,
    currency text not null,
    price bigint,
    units bigint not null,
    at timestamptz not null,
    until timestamptz,
    source text not null,
    previous text not null,
    hash text not null,
    constraint entry_numbered_from_one check (number >= 1),
    constraint entry_kind check (kind in ('offered', 'list', 'reachable', 'deal')),
    constraint entry_price_not_negative check (price >= 0),
    constraint entry_deal_has_units check ((kind = 'deal') = (units > 0) and units >= 0),
    constraint entry_deal_has_price check (kind <> 'deal' or (price is not null and until is null)),
    constraint entry_span check (until > at),
    constraint entry_hash_form check (hash ~ '^[0-9a-f]{64}$'),
    constraint entry_follows_once unique (previous)
);

-- "What was it sold for in these days" and "what was in force" are one look each.
create index entry_of_product on history.entry (sku, kind, at desc);

-- "What was said last of each product" reads the newest entry of each, and no deals.
create index entry_said on history.entry (kind, sku, shop, place, currency, number desc) where kind <> 'deal';

-- The same file, by the SHA-256 of its bytes, is imported once.
create table history.import (
    sha256 text primary key,
    file text not null,
    entries integer not null,
    imported_at timestamptz not null,
    imported_by text not null,
    constraint import_sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);

create function history.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the price history is never changed or deleted: % on %.%', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger entry_is_immutable before update or delete or truncate on history.entry
    for each statement execute function history.refuse_change();

create trigger import_is_immutable before update or delete or truncate on history.import
    for each statement execute function history.refuse_change();
