-- What Nightshift said to the model before a turn: what was wrong with its answer, notes, calls that were not made. Null when it said nothing.
alter table turns add column told text;
