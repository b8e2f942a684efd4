-- How a model ended a run by a call instead of an answer, and what it was told before the author's words.
alter table runs add column ending json;
alter table attempts add column ending json;
alter table attempts add column contract text;
-- What was put right in an answer, a sentence each.
alter table runs add column mended json not null default '[]';
alter table attempts add column mended json;
