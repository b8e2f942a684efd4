-- statement by statement
alter table authorize_events validate constraint authorize_events_matched_by_check;

-- Lines that a round of the join looks at, and those that a later one may take back.
drop index concurrently if exists authorize_events_fresh;
create index concurrently authorize_events_fresh on authorize_events (time) where matched_by is null and alerted_at is null;
drop index concurrently if exists authorize_events_yielding;
create index concurrently authorize_events_yielding on authorize_events (time)
  where matched_by in ('run-header', 'account', 'lost-answer', 'sent-id', 'expected');

-- Accounts of others whose lines stand aside, and requests of ours whose line may have no account.
drop index concurrently if exists authorize_events_foreign;
create index concurrently authorize_events_foreign on authorize_events (account_id) where matched_by = 'foreign';
drop index concurrently if exists gateway_requests_refused;
create index concurrently gateway_requests_refused on gateway_requests (sent_at) where status in (401, 302);

-- The pairs of a request and its line that were read last.
drop index concurrently if exists authorize_events_paired;
create index concurrently authorize_events_paired on authorize_events (id) where gateway_request is not null;
