-- Ends of a run that went on afterwards. The row of a run says how it stands; what it had come to before is kept here, whichever statement lets it go on.
create table run_ends (
  run_id text not null references runs on delete cascade,
  conversation integer not null,
  status text not null,
  failure json,
  reasons json not null,
  finished_at timestamptz not null,
  primary key (run_id, conversation)
);

create function keep_run_end() returns trigger language plpgsql as $$
begin
  insert into run_ends (run_id, conversation, status, failure, reasons, finished_at)
  values (old.id, old.conversation, old.status, old.failure, old.reasons, old.finished_at)
  on conflict do nothing;
  return null;
end $$;

create trigger run_end after update of finished_at on runs for each row
  when (old.finished_at is not null and new.finished_at is null) execute function keep_run_end();

-- What people did, each act with the runs that it changed.
create table acts (
  id uuid primary key,
  at timestamptz not null default clock_timestamp(),
  act text not null,
  actor text not null,
  role text,
  via text not null,
  origin text,
  request_id text,
  reason text,
  jobs text[] not null,
  detail json not null default '{}',
  runs integer not null default 0
);
create index acts_at on acts (at, id);

create table run_acts (
  run_id text not null references runs on delete cascade,
  act_id uuid not null references acts,
  conversation integer not null,
  attempt integer not null,
  primary key (run_id, act_id)
);
create index run_acts_act on run_acts (act_id);
