-- statement by statement
-- Ids by their tail, which the log prints and people type.
drop index concurrently if exists runs_by_tail;
create index concurrently runs_by_tail on runs (reverse(id) text_pattern_ops);

-- The latest green run of a job by the time at which it was due. Times of fires are ISO texts in UTC, which sort as the times do.
drop index concurrently if exists runs_green_by_fire;
create index concurrently runs_green_by_fire on runs (job, ((trigger ->> 'fireAt') collate "C") desc)
  where status = 'succeeded' and trigger ->> 'fireAt' is not null;
drop index concurrently if exists runs_green_unscheduled;
create index concurrently runs_green_unscheduled on runs (job, created_at desc)
  where status = 'succeeded' and trigger ->> 'fireAt' is null;

-- Of a job what did not end green, which lies far apart among all that did.
drop index concurrently if exists runs_not_green;
create index concurrently runs_not_green on runs (job, id desc) where status <> 'succeeded';
