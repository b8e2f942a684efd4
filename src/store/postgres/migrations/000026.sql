-- Lines of accounts that are none of ours stand aside, so that a round of the join costs what is new.
alter table authorize_events drop constraint authorize_events_matched_by_check;
alter table authorize_events add constraint authorize_events_matched_by_check
  check (matched_by in ('request-id', 'sent-id', 'run-header', 'account', 'lost-answer', 'expected', 'foreign')) not valid;

-- When a request was written by the clock of the store, just before it was sent: with the time of its line it says how far the gateway's clock is from the store's.
alter table gateway_requests add column written_at timestamptz;
alter table gateway_requests alter column written_at set default clock_timestamp();
