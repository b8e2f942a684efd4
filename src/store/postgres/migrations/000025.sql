-- How far the clock of a process is ahead of the store's; null: a program of before does not say it.
alter table processes add column skew_ms double precision;
