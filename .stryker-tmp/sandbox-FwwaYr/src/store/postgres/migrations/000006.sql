-- What Pomerium's log is joined with outlives the run: a line that is read later still finds whose it was.
alter table gateway_requests drop constraint gateway_requests_run_id_fkey,
  add constraint gateway_requests_run_id_fkey foreign key (run_id) references runs (id) on delete set null;
alter table run_accounts alter column run_id drop not null,
  drop constraint run_accounts_run_id_fkey,
  add constraint run_accounts_run_id_fkey foreign key (run_id) references runs (id) on delete set null;
