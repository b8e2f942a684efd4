-- statement by statement
alter table authorize_events validate constraint authorize_events_matched_by_check;

drop index concurrently if exists authorize_events_unreported;
create index concurrently authorize_events_unreported on authorize_events (run_id) where matched_by = 'unreported';

-- Ends that are to be told of such lines, and those that stand otherwise since.
drop index concurrently if exists runs_untold;
create index concurrently runs_untold on runs (id) where untold;
drop index concurrently if exists runs_ended_otherwise;
create index concurrently runs_ended_otherwise on runs (finished_at) where ended_as is not null;
