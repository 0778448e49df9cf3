create schema coupons;

-- One row a template: its codes by state. Whatever moves a code moves these in the same statement.
create table coupons.template (
    campaign_id text collate "C" not null,
    template text collate "C" not null,
    planned bigint not null,
    made bigint not null default 0,
    claimed bigint not null default 0,
    unclaimed bigint not null default 0,
    unused bigint not null default 0,
    frozen bigint not null default 0,
    used bigint not null default 0,
    returned bigint not null default 0,
    expired bigint not null default 0,
    revoked bigint not null default 0,
    primary key (campaign_id, template),
    constraint template_within_plan check (made <= planned),
    constraint template_never_negative check (least(unclaimed, unused, frozen, used, returned, expired, revoked) >= 0),
    constraint template_adds_up check (made = unclaimed + unused + frozen + used + returned + expired + revoked),
    constraint template_claimed check (claimed between unused + frozen + used + returned and made - unclaimed)
) with (fillfactor = 50);

-- How many of a template an account has claimed. The guarded upsert of a claim decides on this row, under its lock.
create table coupons.claims (
    campaign_id text collate "C" not null,
    template text collate "C" not null,
    account_id uuid not null,
    claimed bigint not null check (claimed >= 0),
    primary key (campaign_id, template, account_id)
) with (fillfactor = 80);

create table coupons.batch (
    batch_id uuid primary key,
    campaign_id text not null,
    template text not null,
    kind text not null check (kind in ('generated', 'imported')),
    codes bigint not null default 0 check (codes >= 0),
    made_by text not null,
    made_at timestamptz not null
);

create table coupons.export (
    export_id bigint generated always as identity primary key,
    batch_id uuid not null references coupons.batch,
    codes bigint not null,
    by text not null,
    reason text not null check (reason <> ''),
    exported_at timestamptz not null
);

-- One row a code. Unclaimed it expires when claims close; claimed, when its validity ends.
create table coupons.coupon (
    code text collate "C" primary key,
    campaign_id text collate "C" not null,
    template text collate "C" not null,
    batch_id uuid references coupons.batch,
    state text not null
        check (state in ('unclaimed', 'unused', 'frozen', 'used', 'returned', 'expired', 'revoked')),
    account_id uuid,
    made_at timestamptz not null,
    claimed_at timestamptz,
    expires_at timestamptz not null,
    order_id uuid,
    constraint coupon_claimed_at check ((claimed_at is null) = (account_id is null)),
    constraint coupon_owner check (
        case when state = 'unclaimed' then account_id is null
             when state in ('expired', 'revoked') then true
             else account_id is not null end),
    constraint coupon_in_an_order check ((order_id is not null) = (state in ('frozen', 'used')))
) with (fillfactor = 85);

-- An order has at most one coupon.
create unique index coupon_of_order on coupons.coupon (order_id) where order_id is not null;
create index coupon_of_account on coupons.coupon (account_id, claimed_at desc) where account_id is not null;
create index coupon_of_batch on coupons.coupon (batch_id, code) where batch_id is not null;
-- Only what can still expire is looked through for what is due.
create index coupon_due on coupons.coupon (expires_at) where state in ('unclaimed', 'unused', 'returned');

create table coupons.move (
    move_id bigint generated always as identity primary key,
    code text collate "C" not null,
    moved_at timestamptz not null,
    from_state text not null,
    to_state text not null,
    why text not null,
    by text not null default '',
    note text not null default '',
    order_id uuid
);
create index move_of_code on coupons.move (code, move_id);
