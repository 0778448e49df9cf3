-- A number that nobody knows at the sealing and that stands in every rank. What it is was announced when the line
-- opened (JSON); its text comes after the root was published, or is missed for good.
alter table queue.line
    add column announced text,
    add column rooted_at timestamptz,
    add column number_text text check (length(number_text) between 1 and 500),
    add column number_proof text,
    add column number_by text,
    add column number_at timestamptz,
    add column number_missed text,
    add constraint line_number_was_announced
        check (announced is not null or (number_text is null and number_missed is null)),
    add constraint line_number_after_root check (number_text is null or rooted_at is not null),
    add constraint line_number_or_missed check (number_text is null or number_missed is null),
    add constraint line_seed_after_number
        check (seed is null or announced is null or number_text is not null or number_missed is not null);

create or replace function queue.keep_draw() returns trigger language plpgsql as $$
begin
    if old.seed_hash <> new.seed_hash or old.seed_sealed <> new.seed_sealed
        or old.announced is distinct from new.announced
        or (old.sealed_count is not null and old.sealed_count is distinct from new.sealed_count)
        or (old.root is not null and (old.root, old.rooted_at) is distinct from (new.root, new.rooted_at))
        or (old.number_text is not null and old.number_text is distinct from new.number_text)
        or (old.number_missed is not null and old.number_missed is distinct from new.number_missed)
        or (old.seed is not null and old.seed is distinct from new.seed) then
        raise exception 'what was published of a draw is never changed' using errcode = 'check_violation';
    end if;
    return new;
end $$;
