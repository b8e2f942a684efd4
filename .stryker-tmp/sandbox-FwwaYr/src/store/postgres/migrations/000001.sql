-- What a run is, what it did, and what each schedule owes. Free text and foreign JSON are kept as json, which holds any code point.

create table job_versions (
  job text not null,
  version text not null,
  definition json not null,
  created_at timestamptz not null default now(),
  primary key (job, version)
);

create table runs (
  id text primary key,
  job text not null,
  job_version text not null,
  status text not null check (status in ('queued', 'running', 'waiting', 'succeeded', 'incomplete', 'failed', 'cancelled')),
  trigger json not null,
  input json not null,
  account text not null,
  retry_of text references runs (id) on delete set null,
  -- A scheduled run with overlap: queue starts when this one is over.
  after_run text references runs (id) on delete set null,
  -- A conversation goes on over attempts; a retry by an operator begins another one.
  conversation int not null default 1,
  attempts int not null default 0,
  -- When a queued run may start again, after a failed attempt.
  next_attempt_at timestamptz,
  cancel_requested_at timestamptz,
  -- The queue job that the running attempt came with, and when its worker was last heard of.
  delivery text,
  heartbeat_at timestamptz,
  output json,
  output_text json,
  reasons json not null default '[]',
  failure json,
  input_tokens bigint not null default 0,
  cached_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  cost_usd double precision,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  foreign key (job, job_version) references job_versions (job, version),
  check ((finished_at is not null) = (status in ('succeeded', 'incomplete', 'failed', 'cancelled')))
);
create index runs_by_time on runs (created_at desc, id desc);
create index runs_by_job on runs (job, created_at desc, id desc);
-- The sweep and the overlap rule look only at runs that are not over.
create index runs_open on runs (status, created_at) where finished_at is null;

create table attempts (
  run_id text not null references runs (id) on delete cascade,
  number int not null,
  -- Fencing: who writes for this attempt must show it, and the attempt must be open.
  token uuid not null,
  worker text not null,
  conversation int not null,
  job_version text not null,
  status text not null check (status in ('running', 'succeeded', 'incomplete', 'failed', 'cancelled', 'waiting', 'lost')),
  failure json,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (run_id, number)
);

-- Two workers can never hold one run.
create unique index attempts_open on attempts (run_id) where finished_at is null;

create table turns (
  run_id text not null references runs (id) on delete cascade,
  number int not null,
  attempt int not null,
  items json not null,
  stop_reason text not null,
  response_id text,
  provider_request_id text,
  model text not null,
  input_tokens bigint not null,
  cached_tokens bigint not null,
  output_tokens bigint not null,
  reasoning_tokens bigint not null,
  cost_usd double precision,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  primary key (run_id, number)
);

create table tool_calls (
  id uuid primary key,
  run_id text not null references runs (id) on delete cascade,
  attempt int not null,
  turn int not null,
  position int not null,
  call_id json not null,
  server text not null,
  tool json not null,
  arguments json not null,
  repeatable boolean not null,
  status text not null check (status in ('sent', 'ok', 'error', 'denied', 'refused', 'not_run', 'unknown')),
  result json,
  failure json,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  duration_ms double precision
);
create index tool_calls_by_run on tool_calls (run_id, turn, position);

create table gateway_requests (
  -- The x-request-id that we sent. Pomerium keeps it for callers in a private network and replaces it for others.
  request_id_sent uuid primary key,
  request_id text,
  run_id text not null references runs (id) on delete cascade,
  attempt int not null,
  tool_call_id uuid,
  account text not null,
  account_id text not null,
  method text not null,
  host text not null,
  path text not null,
  rpc_method text,
  status int,
  request_bytes int not null,
  response_bytes bigint,
  error text,
  sent_at timestamptz not null,
  duration_ms double precision
);
create index gateway_requests_by_run on gateway_requests (run_id, sent_at);
create index gateway_requests_by_returned_id on gateway_requests (request_id);

create table schedules (
  job text primary key,
  cron text not null,
  timezone text not null,
  -- Fires up to this time are decided.
  decided_until timestamptz not null,
  updated_at timestamptz not null default now()
);

create table fires (
  job text not null,
  fire_at timestamptz not null,
  status text not null check (status in ('run', 'skipped')),
  run_id text references runs (id) on delete set null,
  reason text,
  created_at timestamptz not null default now(),
  primary key (job, fire_at)
);
