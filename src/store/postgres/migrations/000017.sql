-- The earliest version of the store that a program may know to work on this one: a release can be taken back without taking its migrations back.
alter table migrations add column works_with int;
