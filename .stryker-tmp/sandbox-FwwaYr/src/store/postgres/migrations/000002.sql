-- Hosted answers, and why a turn was the last one.

-- The limit that made this turn the last one.
alter table turns add column forced_by json;

-- A hosted answer under way: written before the provider is asked, and again as soon as it has an id, so that a crash can find it.
create table responses (
  run_id text not null references runs (id) on delete cascade,
  turn int not null,
  attempt int not null,
  response_id text,
  -- The provider keeps it going without us, and it can be attached to again.
  background boolean not null,
  state text not null default 'sent' check (state in ('sent', 'started', 'over')),
  primary key (run_id, turn)
);
