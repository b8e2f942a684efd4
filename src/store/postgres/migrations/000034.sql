-- statement by statement
-- Accounts of runs that are dead by themselves: what retention takes.
drop index concurrently if exists run_account_ends_expired;
create index concurrently run_account_ends_expired on run_account_ends (expires_at);
