-- Campaigns as they are being written. Each save is a revision of its own, so that nobody's work is ever lost; the
-- primary key lets one of two people who save at once through, and tells the other.
create table campaign.draft (
    campaign_id text not null,
    revision integer not null,
    campaign_text text not null,
    goods_text text not null,
    offers_text text not null,
    based_on integer not null,
    saved_at timestamptz not null,
    saved_by text not null,
    primary key (campaign_id, revision),
    constraint draft_numbered_from_one check (revision >= 1),
    constraint draft_begins_from_a_version check (based_on >= 0),
    constraint draft_size check (
        octet_length(campaign_text) + octet_length(goods_text) + octet_length(offers_text) <= 2000000
    ),
    constraint draft_author_named check (saved_by <> '')
);

create trigger draft_is_immutable before update or delete or truncate on campaign.draft
    for each statement execute function campaign.refuse_change();

-- Why a version was published; what is published from a file may say nothing.
alter table campaign.publication add column reason text not null default ''
    constraint publication_reason_length check (char_length(reason) <= 500);
