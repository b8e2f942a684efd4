-- A call that a hosted provider made and could not report, because its answer was lost.
alter table authorize_events drop constraint authorize_events_matched_by_check;
alter table authorize_events add constraint authorize_events_matched_by_check
  check (matched_by in ('request-id', 'sent-id', 'run-header', 'account', 'lost-answer', 'expected'));

-- Alarms, kept until they were sent.
create table alarms (
  id uuid primary key,
  body json not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz
);
create index alarms_unsent on alarms (created_at) where sent_at is null;
