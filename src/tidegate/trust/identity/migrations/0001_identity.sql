-- Identity: shoppers, their sessions and addresses; staff, their sessions and what they looked at.
-- Personal data stands only in *_sealed columns (AES-256-GCM); *_index columns are keyed digests to find it by.

create schema if not exists identity;

create table identity.account (
    account_id uuid primary key,
    kind text not null default 'shopper' check (kind in ('shopper', 'rehearsal')),
    phone_index bytea not null unique check (octet_length(phone_index) = 32),
    phone_sealed bytea not null check (octet_length(phone_sealed) between 29 and 100),
    opened_at timestamptz not null
);

-- Numbers for simulated shoppers, under a country code that no telephone has.
create sequence identity.rehearsal_number;

create table identity.code (
    code_id uuid primary key,
    phone_index bytea not null check (octet_length(phone_index) = 32),
    client_index bytea not null check (octet_length(client_index) = 32),
    code_hash bytea not null check (octet_length(code_hash) = 32),
    tries smallint not null default 0 check (tries between 0 and 5),
    delivery text not null default 'recorded' check (delivery in ('recorded', 'sent', 'failed')),
    requested_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > requested_at),
    used_at timestamptz check (used_at >= requested_at and used_at < expires_at)
);

create index code_of_phone on identity.code (phone_index, requested_at desc, code_id desc);
create index code_of_client on identity.code (client_index, requested_at desc);
create index code_by_age on identity.code (requested_at);

create table identity.session (
    session_id uuid primary key,
    account_id uuid not null references identity.account,
    code_id uuid unique,
    device text not null check (char_length(device) <= 200),
    opened_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > opened_at),
    revoked_at timestamptz check (revoked_at >= opened_at)
);

create index session_of_account on identity.session (account_id, opened_at desc);
create index session_revoked on identity.session (revoked_at) where revoked_at is not null;
create index session_by_end on identity.session (expires_at);

create table identity.address (
    address_id uuid primary key,
    account_id uuid not null references identity.account,
    content_index bytea not null check (octet_length(content_index) = 32),
    address_sealed bytea not null check (octet_length(address_sealed) between 29 and 4000),
    remembered_at timestamptz not null,
    unique (account_id, content_index)
);

create table identity.staff (
    staff_id uuid primary key,
    name text not null constraint staff_name_once unique check (name ~ '^[a-z][a-z0-9.-]{1,39}$'),
    role text not null check (role in ('director', 'campaign-manager', 'payment', 'risk', 'support', 'fulfilment',
                                       'compliance', 'engineer', 'administrator')),
    password_hash text not null check (password_hash like '$argon2id$%'),
    failures integer not null default 0 check (failures >= 0),
    locked_until_at timestamptz,
    added_at timestamptz not null,
    closed_at timestamptz
);

create table identity.staff_session (
    session_id uuid primary key,
    staff_id uuid not null references identity.staff,
    opened_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > opened_at),
    revoked_at timestamptz check (revoked_at >= opened_at)
);

create index staff_session_of_staff on identity.staff_session (staff_id);

create table identity.personal_data_view (
    view_id uuid primary key,
    staff_id uuid not null references identity.staff,
    subject text not null check (char_length(subject) between 1 and 100),
    purpose text not null check (char_length(purpose) between 3 and 200),
    viewed_at timestamptz not null
);

create index personal_data_view_of_subject on identity.personal_data_view (subject, viewed_at desc);
create index personal_data_view_by_time on identity.personal_data_view (viewed_at desc, view_id desc);

-- The record of looks at personal data only grows.
create function identity.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'identity.% only grows: % is refused', tg_table_name, tg_op
        using errcode = 'integrity_constraint_violation', constraint = 'only_grows';
end
$$;

create trigger only_grows
    before update or delete or truncate on identity.personal_data_view
    for each statement execute function identity.refuse_change();
