-- How the configuration of a process stands to its file; null: a program of before does not say it.
alter table processes add column config json;
