-- statement by statement
-- Indexes that are built beside a store at work. One whose building was cut off is invalid, and is made anew.

-- Foreign keys: removing a row looks for those that refer to it. The second also finds runs that wait for the end of another.
drop index concurrently if exists runs_by_retried;
create index concurrently runs_by_retried on runs (retry_of) where retry_of is not null;
drop index concurrently if exists runs_by_earlier;
create index concurrently runs_by_earlier on runs (after_run) where after_run is not null;
drop index concurrently if exists fires_by_run;
create index concurrently fires_by_run on fires (run_id) where run_id is not null;

-- What the sweep puts into the queue, in its order.
drop index concurrently if exists runs_wakeable;
create index concurrently runs_wakeable on runs (priority, id) where status = 'queued' and held_by is null;

-- The open run of a job (overlap), and its last run that gave an output (when: changed).
drop index concurrently if exists runs_open_by_job;
create index concurrently runs_open_by_job on runs (job, id) where finished_at is null;
drop index concurrently if exists runs_with_output;
create index concurrently runs_with_output on runs (job, id) where output_digest is not null;

-- What retention takes, oldest first.
drop index concurrently if exists runs_with_content;
create index concurrently runs_with_content on runs (status, finished_at)
  where finished_at is not null and pruned_at is null;
drop index concurrently if exists runs_over;
create index concurrently runs_over on runs (status, finished_at) where finished_at is not null;
drop index concurrently if exists runs_finished;
drop index concurrently if exists authorize_events_by_time;
create index concurrently authorize_events_by_time on authorize_events (time);
drop index concurrently if exists gateway_requests_without_run;
create index concurrently gateway_requests_without_run on gateway_requests (sent_at) where run_id is null;
