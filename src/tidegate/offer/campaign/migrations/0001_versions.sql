-- Campaigns as they were published: versions never change, and the log of publications tells which one is current.
create schema campaign;

create table campaign.version (
    campaign_id text not null,
    version integer not null,
    definition jsonb not null,
    sha256 text not null,
    published_at timestamptz not null,
    published_by text not null,
    primary key (campaign_id, version),
    constraint version_numbered_from_one check (version >= 1),
    constraint version_content_once unique (campaign_id, sha256),
    constraint version_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint version_of_its_campaign check (definition ->> 'id' = campaign_id),
    constraint version_publisher_named check (published_by <> '')
);

-- Publishing earlier content again adds a row here, and no version. The last row names the current version.
create table campaign.publication (
    number bigint generated always as identity primary key,
    campaign_id text not null,
    version integer not null,
    published_at timestamptz not null,
    published_by text not null,
    constraint publication_of_a_version foreign key (campaign_id, version) references campaign.version
);

create function campaign.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'what was published is never changed or deleted: % on %.%', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger version_is_immutable before update or delete or truncate on campaign.version
    for each statement execute function campaign.refuse_change();

create trigger publication_is_immutable before update or delete or truncate on campaign.publication
    for each statement execute function campaign.refuse_change();
