-- What the API, schedules and operators need: who asked, when a run may start, what holds it, and how it is found again.

alter table runs
  add column requested_by text,
  -- Lower goes first.
  add column priority int not null default 10,
  -- A run that no worker took by then is not started any more.
  add column expire_at timestamptz,
  -- Why a queued run is not in the queue: a pause, or a limit on runs at a time. Each hold makes the next queue entry another one.
  add column held_by text,
  add column held_at timestamptz,
  add column holds int not null default 0,
  -- Digest of the output, to see whether it changed since the run before.
  add column output_digest text,
  -- For search: codes of the failure and the reasons, tools that were called as server.tool, and words of output and failure.
  add column codes text[] not null default '{}',
  add column tools text[] not null default '{}',
  add column words tsvector,
  -- When its content was taken out by retention.
  add column pruned_at timestamptz;

create index runs_by_status on runs (status, id desc);
create index runs_by_job_id on runs (job, id desc);
create index runs_by_requester on runs (requested_by, id desc) where requested_by is not null;
create index runs_by_codes on runs using gin (codes);
create index runs_by_tools on runs using gin (tools);
create index runs_by_words on runs using gin (words);
create index runs_held on runs (held_by, priority, id) where held_by is not null and finished_at is null;
create index runs_finished on runs (finished_at) where finished_at is not null;
drop index runs_by_time;
drop index runs_by_job;

-- What an attempt gave that a later one of the same run, after a retry, was to do better.
alter table attempts
  add column output json,
  add column output_text json,
  add column reasons json;

create table pauses (
  -- The name of a job, or * for all.
  job text primary key,
  reason text not null,
  paused_by text not null,
  paused_at timestamptz not null default now()
);

create table idempotency_keys (
  -- Whose key it is: two callers may choose the same.
  owner text not null,
  key text not null,
  request_digest text not null,
  run_id text not null,
  created_at timestamptz not null default now(),
  primary key (owner, key)
);
create index idempotency_keys_by_time on idempotency_keys (created_at);

-- Outbox of reports: written with the end of the run, done by any worker, tried until it is delivered or given up.
create table deliveries (
  id uuid primary key,
  run_id text not null references runs (id) on delete cascade,
  attempt int not null,
  target json not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'skipped')),
  tries int not null default 0,
  next_try_at timestamptz not null default now(),
  error text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index deliveries_due on deliveries (next_try_at) where status = 'pending';
create index deliveries_by_run on deliveries (run_id);
