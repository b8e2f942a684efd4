-- Accounts that were asked for, each for one attempt: written down before, until the gateway has confirmed that none is left.
create table run_account_ends (
  run_id text not null,
  attempt int not null,
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  next_try_at timestamptz not null default now(),
  primary key (run_id, attempt)
);
create index run_account_ends_open on run_account_ends (next_try_at) where ended_at is null;
