-- What was read last of a log, so that its copy is known by it, whatever became of the file; and the time of the last line.
alter table log_positions
  add column tail_bytes int,
  add column tail_digest text,
  -- The place that the tail is of: a program of before moves the place alone.
  add column tail_end bigint,
  add column read_until timestamptz;

-- Times of which lines of a log may have been lost, since the file was cut or replaced and what had been read of it is nowhere.
create table log_gaps (
  id bigint generated always as identity primary key,
  file text not null,
  from_time timestamptz not null,
  until_time timestamptz not null,
  noticed_at timestamptz not null default now()
);
