-- From which account at a channel a shopper paid last: the digest that the channel's adapter made, never the account.
create table payment.payer (
    buyer_id uuid primary key,
    payer text not null check (length(payer) between 1 and 200),
    captured_at timestamptz not null
) with (fillfactor = 80);
