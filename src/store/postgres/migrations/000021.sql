-- statement by statement
-- Reports that were given up: `doctor` and `status` name those of the last day.
drop index concurrently if exists deliveries_failed;
create index concurrently deliveries_failed on deliveries (ended_at) where status = 'failed';
