-- statement by statement
-- The output of a job that was told last.
drop index concurrently if exists runs_by_last_output;
create index concurrently runs_by_last_output on runs (job, finished_at) where output_digest is not null;
