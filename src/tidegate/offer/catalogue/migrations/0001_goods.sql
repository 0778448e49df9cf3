-- The catalogue: goods, and the revision that moves with every change to them.

create schema catalogue;

-- One row. Whoever changes goods takes the next number while holding this row until commit, so that
-- revisions become visible in their own order and a reader who asks for "after 17" misses nothing.
create table catalogue.revision (
    only_row    boolean     primary key default true check (only_row),
    identity    uuid        not null default gen_random_uuid(),
    number      bigint      not null default 0 check (number >= 0),
    changed_at  timestamptz not null default now()
);

insert into catalogue.revision default values;

create table catalogue.goods (
    sku             text collate "C" primary key check (sku ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    name_zh         text        not null check (length(name_zh) between 1 and 200),
    name_en         text        not null check (length(name_en) between 1 and 200),
    description_zh  text        not null check (length(description_zh) between 1 and 2000),
    description_en  text        not null check (length(description_en) between 1 and 2000),
    category        text        not null check (category ~ '^[a-z][a-z0-9-]{0,39}$'),
    brand           text        not null check (length(brand) <= 80),
    list_price      bigint      not null check (list_price between 1 and 100000000000),
    picture         text        not null check (picture ~ '^[a-z0-9][a-z0-9-]{0,99}$'),
    placeholder     text        not null check (placeholder ~ '^#[0-9a-f]{6}$'),
    revision        bigint      not null check (revision > 0),
    withdrawn_at    timestamptz
);

create index goods_revision on catalogue.goods (revision);
create index goods_category on catalogue.goods (category, sku) where withdrawn_at is null;
