-- Rows that a duty could not handle, each until nobody has met it for a while: the duty goes on with the others, and metrics count them.
create table bad_rows (
  duty text not null,
  -- Its key in its table.
  row_key text not null,
  reason text not null,
  met_at timestamptz not null default now(),
  primary key (duty, row_key)
);
-- An alarm that its receiver refuses is tried again later and later, and stands in no other's way.
alter table alarms add column tries int not null default 0;
alter table alarms add column next_try_at timestamptz not null default now();
