-- Pomerium's authorize log, joined with what we did.

-- Which server a request was for, by the name of its route: a host alone does not say it.
alter table gateway_requests add column server text;
create index gateway_requests_by_account on gateway_requests (account_id, sent_at);

-- Accounts that were made for one run.
create table run_accounts (
  account_id text primary key,
  account text not null,
  run_id text not null references runs (id) on delete cascade,
  attempt int not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now()
);
create index run_accounts_by_run on run_accounts (run_id);

create table authorize_events (
  id bigint generated always as identity primary key,
  -- Of the line, and which of several equal lines it is: reading a file twice finds the same rows.
  line_digest text not null,
  occurrence int not null,
  request_id text not null,
  time timestamptz not null,
  method text not null,
  host text not null,
  path text not null,
  ip text not null,
  user_id text not null,
  account_id text,
  mcp_method text,
  mcp_tool text,
  -- Digest of the parameters as canonical JSON, and their text, cut.
  params_digest text,
  params text,
  run_header text,
  allowed boolean not null,
  reasons text[] not null,
  -- How it was explained: request-id, sent-id, run-header, account or expected; null: not yet, or nobody's.
  matched_by text check (matched_by in ('request-id', 'sent-id', 'run-header', 'account', 'expected')),
  run_id text references runs (id) on delete set null,
  gateway_request uuid unique,
  tool_call_id uuid unique,
  alerted_at timestamptz,
  unique (line_digest, occurrence)
);
create index authorize_events_unmatched on authorize_events (time) where matched_by is null;
create index authorize_events_by_run on authorize_events (run_id) where run_id is not null;
create index authorize_events_by_request on authorize_events (request_id);

-- Where the reading of each log stopped.
create table log_positions (
  file text primary key,
  inode text not null,
  byte_offset bigint not null,
  updated_at timestamptz not null default now()
);

-- Accounts with lines that nothing of ours explains, until somebody says why.
create table suspects (
  account_id text primary key,
  account text,
  since timestamptz not null default now(),
  events int not null,
  first_event bigint not null,
  acknowledged_at timestamptz,
  acknowledged_by text,
  reason text
);

-- A checkpoint of the runs that had ended: the digest of each, chained to the checkpoint before.
create table checkpoints (
  number int primary key,
  taken_at timestamptz not null,
  runs json not null,
  document json not null
);
alter table runs add column checkpointed_attempts int;
create index runs_not_checkpointed on runs (finished_at) where finished_at is not null and checkpointed_attempts is null;

-- What the model was asked, as it was rendered.
alter table attempts
  add column prompt json,
  add column instructions json;

-- Runs that retention removed, so that a checkpoint that names them is not taken for evidence of tampering.
create table pruned_runs (
  run_id text primary key,
  pruned_at timestamptz not null default now()
);
