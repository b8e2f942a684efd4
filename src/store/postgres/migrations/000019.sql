-- statement by statement
-- What retention takes: versions that no run is of and no attempt was of, accounts that were made for a run that is gone, and days that are over.
drop index concurrently if exists runs_by_version;
create index concurrently runs_by_version on runs (job, job_version);
drop index concurrently if exists attempts_by_version;
create index concurrently attempts_by_version on attempts (job_version);
drop index concurrently if exists run_accounts_without_run;
create index concurrently run_accounts_without_run on run_accounts (expires_at) where run_id is null;
drop index concurrently if exists budget_days_by_day;
create index concurrently budget_days_by_day on budget_days (day);
