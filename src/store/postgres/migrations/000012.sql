-- How a model ended a run by a call instead of an answer, and what it was told before the author's words.
alter table runs add column ending json;
alter table attempts add column ending json;
alter table attempts add column contract text;
