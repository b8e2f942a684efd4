-- A provider that does not say what a turn used: its cached and reasoning tokens are not known, and its other counts are an estimate.
alter table turns alter column cached_tokens drop not null, alter column reasoning_tokens drop not null;

-- Requests that a model may have worked on, and whose answers were not seen to their end: an estimate of what they used.
create table unseen_answers (
  run_id text not null references runs (id) on delete cascade,
  attempt int not null,
  -- The turn that was asked for.
  turn int not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  primary key (run_id, attempt, turn)
);
