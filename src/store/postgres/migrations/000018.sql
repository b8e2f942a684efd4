-- statement by statement
-- What retention takes: fires, and alarms.
drop index concurrently if exists fires_without_run;
create index concurrently fires_without_run on fires (fire_at) where run_id is null;
drop index concurrently if exists alarms_sent;
create index concurrently alarms_sent on alarms (sent_at) where sent_at is not null;
