-- What who asked for a run calls it by: names and values of their own.
alter table runs add column tags jsonb not null default '{}';
