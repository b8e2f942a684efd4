-- Rows of other tables in a checkpoint: acts, alarms, fires, notes of removed runs, suspects.
alter table checkpoints add column records json not null default '[]';
