-- What was waited for before a turn was answered, and which models were asked before the one that answered it.
alter table turns add column waits json;
