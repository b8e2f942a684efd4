-- Calls of a hosted run that its provider did not report: lines that are the run's own and fit nothing that is recorded.
alter table authorize_events drop constraint authorize_events_matched_by_check;
alter table authorize_events add constraint authorize_events_matched_by_check
  check (matched_by in ('request-id', 'sent-id', 'run-header', 'account', 'lost-answer', 'unreported', 'expected', 'foreign')) not valid;

-- How many such lines the reasons of a run tell, whether there are others that they do not tell yet, and what it had come to before they were found: what was signed of its end stays as it was.
alter table runs add column unreported integer not null default 0;
alter table runs add column untold boolean not null default false;
alter table runs add column ended_as json;

-- A run that goes on has no end any more; the one that is kept is the one that it came to.
create or replace function keep_run_end() returns trigger language plpgsql as $$
begin
  insert into run_ends (run_id, conversation, status, failure, reasons, finished_at)
  values (old.id, old.conversation, coalesce(old.ended_as ->> 'status', old.status), old.failure,
    coalesce((old.ended_as ->> 'reasons')::json, old.reasons), old.finished_at)
  on conflict do nothing;
  return null;
end $$;

create function forget_run_end() returns trigger language plpgsql as $$
begin
  new.ended_as := null;
  new.untold := old.untold or old.unreported > 0;
  new.unreported := 0;
  return new;
end $$;

create trigger run_goes_on before update of finished_at on runs for each row
  when (old.finished_at is not null and new.finished_at is null) execute function forget_run_end();
