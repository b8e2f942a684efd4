-- How far each schedule is decided. A row for each cron of a job: replicas with two versions of a job file decide their own fires, and neither undoes the
-- other. `schedules` stays for schedulers of the version before; a fire that both decide is still one row of `fires`.
create table schedule_progress (
  job text not null,
  cron text not null,
  timezone text not null,
  -- Fires up to this time are decided.
  decided_until timestamptz not null,
  -- When a scheduler had it in a job file, to the minute.
  seen_at timestamptz not null default now(),
  primary key (job, cron, timezone)
);
insert into schedule_progress (job, cron, timezone, decided_until) select job, cron, timezone, decided_until from schedules;

-- Whether any scheduler is at work: it tells a schedule that was away (it owes nothing) from one that nobody could look at (its fires were missed).
create table scheduler_presence (
  only_row boolean primary key default true check (only_row),
  alive_at timestamptz not null default now(),
  -- Since then without a gap, and when the time at work before it ended.
  up_since timestamptz not null default now(),
  down_at timestamptz
);
