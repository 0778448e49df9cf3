-- A row holds the events of a batch: compressing them was nearly half of what writing it cost, and their readers had
-- to undo it. They are kept for a short time only.
alter table base.outbox alter column events set storage external;
