-- A call that a hosted provider made and could not report, because its answer was lost.
alter table authorize_events drop constraint authorize_events_matched_by_check;
alter table authorize_events add constraint authorize_events_matched_by_check
  check (matched_by in ('request-id', 'sent-id', 'run-header', 'account', 'lost-answer', 'expected'));
