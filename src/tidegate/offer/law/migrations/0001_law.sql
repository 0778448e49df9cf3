-- What was found before each publication, and who let a warning pass and why.
create schema law;

create table law.review (
    number bigint generated always as identity primary key,
    campaign_id text not null,
    sha256 text not null,
    review json not null,
    reviewed_at timestamptz not null,
    constraint review_sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);
create index review_of_content on law.review (campaign_id, sha256, number desc);

create table law.waiver (
    number bigint generated always as identity primary key,
    review bigint not null references law.review,
    law text not null,
    waived_by text not null,
    reason text not null,
    waived_at timestamptz not null,
    constraint waiver_named check (btrim(waived_by) <> ''),
    constraint waiver_reasoned check (btrim(reason) <> ''),
    constraint waiver_once unique (review, law)
);

create function law.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'reviews and waivers are never changed or deleted: % on %.%', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger review_is_immutable before update or delete or truncate on law.review
    for each statement execute function law.refuse_change();

create trigger waiver_is_immutable before update or delete or truncate on law.waiver
    for each statement execute function law.refuse_change();
