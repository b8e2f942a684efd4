-- Daily ceilings, runs that wait for a person, and requests to the gateway that belong to no run.

create table budget_days (
  scope text not null check (scope in ('account', 'job')),
  name text not null,
  -- In UTC.
  day date not null,
  -- Spent, and reserved for turns under way. A worker that dies leaves its reservation: the tokens may have been spent.
  tokens bigint not null default 0,
  cost_usd double precision not null default 0,
  primary key (scope, name, day)
);

-- When each account's route list was last looked at for the runs that wait: one worker looks for all.
create table connection_looks (
  account text primary key,
  looked_at timestamptz not null
);

alter table gateway_requests alter column run_id drop not null, alter column attempt drop not null;
