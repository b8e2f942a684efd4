-- Processes that are at work, each with what it does in the background: each writes its own rows, and removes them when it ends in order.
create table processes (
  name text primary key,
  role text not null,
  version text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
create table duties (
  process text not null references processes on delete cascade,
  duty text not null,
  every_ms int not null,
  started_at timestamptz not null,
  -- The last round that ended well, and the last one that failed, with what it met.
  succeeded_at timestamptz,
  failed_at timestamptz,
  reason text,
  primary key (process, duty)
);
