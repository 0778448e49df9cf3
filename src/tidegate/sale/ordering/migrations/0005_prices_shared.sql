-- A price stands once, under the digest of its own text: orders of the same cart on the same rules share it.
-- An order keeps what is its own: the counters that it uses, and what was known of its buyer.
create table ordering.price (
    price_hash bytea primary key,
    priced json not null,
    constraint price_under_its_digest check (price_hash = sha256(convert_to(priced::text, 'UTF8')))
);

alter table ordering.orders add column price_hash bytea, add column own json;

update ordering.orders set
    own = json_strip_nulls(json_build_object('counters', priced -> 'counters', 'facts', priced -> 'facts')),
    price_hash = sha256(convert_to((jsonb_set(priced::jsonb, '{counters}', '[]') - 'facts')::text, 'UTF8'));

insert into ordering.price
select distinct on (price_hash) price_hash, (jsonb_set(priced::jsonb, '{counters}', '[]') - 'facts')::text::json
from ordering.orders
order by price_hash;

alter table ordering.orders
    alter column price_hash set not null,
    alter column own set not null,
    drop column priced;
