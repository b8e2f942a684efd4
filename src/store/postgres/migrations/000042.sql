-- How many runs a process does at a time; null: it does none, or a program of before does not say it.
alter table processes add column slots integer;
